"""Findings in Python programs name the script's own file, line and function, in every version whose frames are known, by run and by attach.

Which interpreters there are is found out: the system's, and those of pyenv. CPython that lies elsewhere can be named in GS_PYTHONS.
"""
import glob
import json
import os
import pathlib
import signal
import subprocess

import gs

SHOP = gs.HERE / "programs" / "shop.py"
KNOWN = range(8, 14)
NIGHTLY = os.environ.get("GAPSCOPE_NIGHTLY") == "1"
EXPECTED = {
    "charge": ("deadline.response.missing", "charge"),
    "refund": ("deadline.response.missing", "refund"),
    "thread": ("deadline.response.missing", "in_a_thread"),
    "connect": ("deadline.connect.missing", "connect"),
    "log": ("data.log.email", "write_name"),
}


def line_of(mark):
    lines = SHOP.read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))


def interpreters():
    """One of each version whose frames are known, the system's first: {minor: path}."""
    found = {}
    paths = ["/usr/bin/python3", *os.environ.get("GS_PYTHONS", "").split(), *sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3")))]
    for path in paths:
        if os.access(path, os.X_OK):
            said = gs.checked([path, "-c", "import sys; print(*sys.version_info[:2], sys.implementation.name)"]).decode().split()
            if said[0] == "3" and int(said[1]) in KNOWN and said[2] == "cpython":
                found.setdefault(int(said[1]), path)
    return found


def sites(report):
    """{(rule, function): (text, fingerprint)} of what lies in the shop."""
    found = {}
    for f in gs.read_report(report)["findings"]:
        site = f["call_site"] or {}
        found[f["rule"], site.get("function")] = (site.get("text"), f["fingerprint"])
    return found


def check(found, who):
    for mark, key in EXPECTED.items():
        text = found.get(key, (f"no such finding, but {sorted(found)}",))[0]
        gs.expect(text == f"{key[1]}() at shop.py:{line_of(mark)}", f"{who}: {key}: {text}")


def told(report):
    """Has a report that is written all the time what the shop logs last?"""
    return os.path.exists(report) and EXPECTED["log"] in sites(report)


def over(watcher):
    """Is the child of this process a zombie, whose memory is gone?"""
    children = pathlib.Path(f"/proc/{watcher}/task/{watcher}/children").read_text(encoding="ascii").split()
    return all(pathlib.Path(f"/proc/{c}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z" for c in children)


def waits_in_hang(report):
    """Is the call that never returns in the report's table of deadlines?"""
    return os.path.exists(report) and any("hang()" in str(d["call_site"]) for d in gs.read_report(report)["deadlines"])


def watched_run(here, python, mode, done=told):
    """Runs the shop until its places were read, and returns the report's ones. Findings of deadlines are told when it ends."""
    report = here / "report.json"
    shop = subprocess.Popen([*gs.watch(report, "--report-every", "1"), python, str(SHOP), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            env=gs.clean_env())
    try:
        gs.poll_until(lambda: done(report) or shop.poll() is not None, f"{python} {mode}: the report says it")
    finally:
        shop.stdin.close()
        if mode == "hang":
            shop.terminate()
        shop.wait(gs.LIMIT_S)
    return sites(report)


def sites_by_run():
    fingerprints = {}
    for minor, python in sorted(interpreters().items()):
        with gs.workdir() as here:
            found = watched_run(here, python, "talk")
        check(found, python)
        fingerprints[minor] = {key: found[key][1] for key in EXPECTED.values()}
        print(f"  Python 3.{minor}: {len(EXPECTED)} places named")
    first = next(iter(fingerprints.values()))
    gs.expect(all(f == first for f in fingerprints.values()), f"fingerprints differ by version: {fingerprints}")


def sites_by_attach():
    """The same places and fingerprints as by run."""
    python = next(iter(interpreters().values()))
    with gs.workdir() as here:
        run = watched_run(here, python, "talk")
        report = here / "attach.json"
        shop = subprocess.Popen([python, str(SHOP), "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=gs.clean_env())
        try:
            shop.stdout.readline()
            watcher = subprocess.Popen([gs.GAPSCOPE, "attach", "--report", str(report), "--report-every", "1", str(shop.pid)],
                                       stderr=subprocess.PIPE, env=gs.clean_env(), text=True)
            said = watcher.stderr.readline()
            gs.expect("watching process" in said, f"not attached: {said}")
            shop.stdin.write(b"go\n")
            shop.stdin.flush()
            gs.poll_until(lambda: told(report) or watcher.poll() is not None, "what was logged, by attach")
            shop.communicate(b"end\n", timeout=gs.LIMIT_S)
            watcher.communicate(timeout=gs.LIMIT_S)
        finally:
            shop.kill()
            shop.wait()
        attached = sites(report)
        check(run, "run")
        check(attached, "attach")
        for key in EXPECTED.values():
            gs.expect(run[key] == attached[key], f"{key}: run says {run[key]}, attach {attached[key]}")


def sites_of_a_call_that_never_returns():
    for python in list(interpreters().values())[: None if NIGHTLY else 2]:
        with gs.workdir() as here:
            found = watched_run(here, python, "hang", waits_in_hang)
            text = found.get(("deadline.response.missing", "hang"), (sorted(found),))[0]
            gs.expect(text == f"hang() at shop.py:{line_of('hang')}", f"{python}: {text}")


def sites_of_a_program_that_is_over():
    """Its names came with its records: nothing of it is left to read when the agent looks. The fingerprints are those of one that lives."""
    for python in list(interpreters().values())[: None if NIGHTLY else 2]:
        with gs.workdir() as here:
            alive = watched_run(here, python, "talk")
            report = here / "gone.json"
            watcher = subprocess.Popen([*gs.watch(report), python, str(SHOP), "gone"], stdout=subprocess.PIPE, env=gs.clean_env())
            try:
                said = watcher.stdout.readline()  # what it says last
                gs.expect(b"@" in said, f"{python}: it said {said}")
                gs.poll_until(lambda: over(watcher.pid), f"{python}: the shop is over")
            finally:
                watcher.send_signal(signal.SIGCONT)
                watcher.communicate(timeout=gs.LIMIT_S)
            found = sites(report)
            for mark in ("charge", "refund", "connect", "log"):
                key = EXPECTED[mark]
                gs.expect(found.get(key) == alive[key], f"{python}: {key}: {found.get(key, sorted(found))}, and while it lives {alive[key]}")
        print(f"  {python}: 4 places of a program that is over")


def sites_while_the_interpreter_ends():
    """Threads are in the middle of calls when the interpreter frees their frames: it ends as it does unwatched, every time."""
    rounds = 60 if NIGHTLY else 6
    for python in list(interpreters().values())[: None if NIGHTLY else 2]:
        with gs.workdir() as here:
            for _ in range(rounds):
                done = gs.run([*gs.watch(here / "report.json"), python, str(SHOP), "daemons"])
                gs.expect(done.returncode == 0, f"{python}: {gs.show(done)}: {done.stderr.decode(errors='replace')[-500:]}")
            gs.is_watched(here / "report.json")
    print(f"  ended {rounds} times in each interpreter")


if __name__ == "__main__":
    gs.main({f.__name__: f for f in (sites_by_run, sites_by_attach, sites_of_a_call_that_never_returns, sites_of_a_program_that_is_over,
                                     sites_while_the_interpreter_ends)})
