#!/usr/bin/env python3
"""Completion in the shells themselves: bash, zsh and fish are asked what they would offer."""
import os

from gs import BUILD, GAPSCOPE, checked, clean_env, expect, main, need, run, workdir

# What is typed, what must be offered, and what must not.
ASKED = (
    ("gapscope ga", {"gate"}, {"run"}),
    ("gapscope report --format ", {"text", "html", "sarif", "junit"}, {"--format", "run"}),
    ("gapscope gate --jun", {"--junit"}, {"--json"}),
    ("gapscope list de", {"detectors"}, {"events"}),
    ("gapscope help ser", {"serve"}, {"gate"}),
    ("gapscope completion ", {"bash", "zsh", "fish"}, {"csh"}),
    ("gapscope serve --config ser", {"serve-test.yaml"}, {"--config"}),
    ("gapscope replay rec", {"recorded.gsr"}, set()),
)
BASH = """source "$1"; COMP_WORDS=($2); [[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$2; COMP_POINT=${#2}; _gapscope; printf '%s\\n' "${COMPREPLY[@]}" """
# zsh completes in an interactive shell only: one on a terminal of its own is given the text and a Tab-like key, and writes what compadd was offered.
ZSH = r"""
zmodload zsh/zpty
offered() {
zpty -b z zsh -f -i
zpty -w z "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $2/dump; zstyle ':completion:*' list-colors 'no=OFFER:' 'fi=OFFER:'"
zpty -w z "compadd() { if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then builtin compadd \"\$@\"; return; fi; local -a __h; builtin compadd -A __h \"\$@\"; print -lr -- \$__h >> $2/offered; builtin compadd \"\$@\" }"
zpty -w z "finish() { zle complete-word; print -r done >> $2/offered }; zle -N finish; bindkey '^X' finish; cd $2; print ready >> $2/ready"
while [[ ! -s $2/ready ]]; do zpty -r -t z line || sleep 0.02; done
zpty -n -w z "$3"$'\x18'
while ! grep -qx done $2/offered 2>/dev/null; do zpty -r -t z line || sleep 0.02; done
zpty -d z
}
offered "$1" "$2" "$3"
"""


def judge(shell, text, offered):
    words = {o.split("\t")[0].strip().rstrip("/") for o in offered.splitlines()}
    wanted, unwanted = next((w, u) for t, w, u in ASKED if t == text)
    expect(wanted <= words, f"{shell}: '{text}' offers {sorted(words)[:20]}, not {wanted - words}")
    expect(not unwanted & words, f"{shell}: '{text}' offers {unwanted & words}")


def script(top, shell, name):
    path = top / name
    path.write_bytes(checked([GAPSCOPE, "completion", shell]))
    for f in ("serve-test.yaml", "recorded.gsr"):
        (top / f).touch()
    return path


def in_bash():
    need("bash")
    with workdir() as top:
        path = script(top, "bash", "gapscope.bash")
        checked(["bash", "-n", path])
        for text, _, _ in ASKED:
            judge("bash", text, checked(["bash", "--norc", "-c", BASH, "bash", path, text], cwd=top).decode())
        offered = checked(["bash", "--norc", "-c", BASH, "bash", path, "gapscope run -- bas"], cwd=top).decode()
        expect("bash" in offered.split(), "bash: no program is offered behind --")
        print(f"bash: {len(ASKED) + 1} completions")


def in_fish():
    need("fish")
    with workdir() as top:
        path = script(top, "fish", "gapscope.fish")
        env = clean_env({"HOME": str(top), "PATH": f"{BUILD}:{os.environ['PATH']}"})
        checked(["fish", "--no-execute", path], env=env)
        for text, _, _ in ASKED:
            judge("fish", text, checked(["fish", "--no-config", "-c", f"source {path}; complete -C '{text}'"], cwd=top, env=env).decode())
        offered = checked(["fish", "--no-config", "-c", f"source {path}; complete -C 'gapscope run -- bas'"], cwd=top, env=env).decode()
        expect("bash" in [line.split("\t")[0] for line in offered.splitlines()], f"fish: no program is offered behind --: {offered[:300]}")
        print(f"fish: {len(ASKED) + 1} completions")


def in_zsh():
    need("zsh")
    with workdir() as top:
        path = script(top, "zsh", "_gapscope")
        checked(["zsh", "-n", path])
        env = clean_env({"HOME": str(top), "TERM": "xterm"})

        def offered(text):
            for f in ("offered", "ready"):
                (top / f).unlink(missing_ok=True)
            done = run(["zsh", "-f", "-c", ZSH, "zsh", top, top, text], cwd=top, env=env)
            expect(done.returncode == 0, f"zsh: {done.stderr.decode()[-500:]}")
            return (top / "offered").read_text()

        for text, _, _ in ASKED:
            judge("zsh", text, offered(text))
        expect("bash" in offered("gapscope run -- bas").split(), "zsh: no program is offered behind --")
        print(f"zsh: {len(ASKED) + 1} completions")


CASES = {"completion_bash": in_bash, "completion_zsh": in_zsh, "completion_fish": in_fish}

if __name__ == "__main__":
    main(CASES)
