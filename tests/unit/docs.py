#!/usr/bin/env python3
"""ARCHITECTURE.md, HACKING.md and README.md beside the tree that they tell of.

What stands between backticks is held against the tree: a file is there, a function or type stands in the sources (in the file that is named
right behind it, if one is), a layer's folder has a row, and a flag, command or rule is one that the program lists.

usage: docs.py SOURCE_DIR BUILD_DIR
"""
import os
import re
import subprocess
import sys

FILE = re.compile(r"[\w./-]+\.(?:c|h|def|py|js|sh|cmake|txt)")
PLACEHOLDER = re.compile(r"(?<![A-Z])NAME(?![A-Z])|\*|<")  # `agent/detectors/NAME.c`, `hooks_*.c`: what a reader is to make
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")  # an underscore: a name of the code's, no word of English
SOURCES = (".c", ".h", ".def", ".py", ".sh", ".js")
CODE = ("agent/", "bpf/", "preload/", "exporters/", "tests/", "deploy/")

failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


def tree(root):
    """path → text of what is written by hand."""
    texts = {}
    for top in CODE:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.join(folder, name)
                text = ""
                if name.endswith(SOURCES) and os.path.getsize(path) < 1 << 20:
                    with open(path, encoding="utf-8", errors="replace") as f:
                        text = f.read()
                texts[os.path.relpath(path, root)] = text
    return texts


def words_of(text):
    return set(re.findall(r"\w+", text))


def files_named(texts, name):
    return [path for path in texts if path == name or path.endswith("/" + name)]


def code_names(document, texts, words):
    """Files, and names of the code: `name` (`file.c`) and `name` in `file.c` must be in that file."""
    with open(document, encoding="utf-8") as f:
        prose = re.sub(r"^    .*$", "", f.read(), flags=re.M)  # without indented examples
    for span in re.findall(r"`([^`]+)`", prose):
        if PLACEHOLDER.search(span):
            continue
        if FILE.fullmatch(span) and not span.startswith("/"):
            check(files_named(texts, span), f"{document}: there is no file {span}")
        elif NAME.fullmatch(span):
            check(span in words, f"{document}: no source has the name {span}")
    for name, path in re.findall(r"`([a-z_][a-z0-9_]*)`\s+(?:in\s+|\()`([\w./-]+\.[chp]y?)`", prose):
        where = files_named(texts, path)
        check(any(name in words_of(texts[p]) for p in where), f"{document}: {name} is not in {path}")


def layers(root, architecture):
    """Each folder of the agent is a row of the table."""
    with open(architecture, encoding="utf-8") as f:
        rows = set(re.findall(r"^\| \w+ \| (.+?) \|", f.read(), flags=re.M))
    named = set(re.findall(r"`([\w/]+)`", " ".join(rows)))
    for folder in sorted(os.listdir(os.path.join(root, "agent"))):
        if os.path.isdir(os.path.join(root, "agent", folder)):
            check(f"agent/{folder}" in named, f"{architecture}: the layer agent/{folder} has no row")


def what_the_program_says(readme, gapscope):
    """Flags, commands and rules of the README are the program's."""
    with open(readme, encoding="utf-8") as f:
        text = f.read()
    manual = subprocess.run([gapscope, "man"], check=True, capture_output=True, text=True).stdout.replace("\\", "")
    listed = subprocess.run([gapscope, "list"], check=True, capture_output=True, text=True).stdout
    others = {"--options", "--its", "--perf-basic-prof", "--preset", "--build", "--install"}  # of programs that are not ours
    for flag in sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)) - others):
        check(re.search(re.escape(flag) + r"(?![\w-])", manual), f"{readme}: gapscope has no {flag}")
    for command in sorted(set(re.findall(r"(?:^    |`)(?:sudo )?gapscope ([a-z]+)", text, flags=re.M))):
        shown = subprocess.run([gapscope, "help", command], check=False, capture_output=True)
        check(shown.returncode == 0, f"{readme}: gapscope has no command {command}")
    for rule in sorted(set(re.findall(r"\b(?:deadline|retry|data|resource)\.[a-z_]+(?:\.[a-z_]+)*", text))):
        family, _, entity = rule.rpartition(".")
        of_entity = f"{family}.<entity>" in listed and re.search(rf"^ +{entity.upper()} ", listed, flags=re.M)
        check(of_entity or re.search(rf"^ +{re.escape(rule)} ", listed, flags=re.M), f"{readme}: gapscope has no rule {rule}")


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    os.chdir(root)
    texts = tree(root)
    words = words_of("\n".join(texts.values()))
    for document in ("ARCHITECTURE.md", "HACKING.md", "README.md"):
        code_names(document, texts, words)
    layers(root, "ARCHITECTURE.md")
    what_the_program_says("README.md", os.path.join(build, "gapscope"))
    for failure in failures:
        print("FAILED", failure)
    print(f"{len(failures)} untrue" if failures else "ok    the documents are true of the tree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
