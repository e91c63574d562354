#!/usr/bin/env python3
"""The demo under gapscope: the careless shop has the promised findings, the careful one none, and a replay gives the same report.

usage: findings.py BUILD_DIR
"""
import json
import os
import re
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
gapscope = os.path.join(build, "gapscope")
failures = []


def check(ok, what):
    print(("ok    " if ok else "FAILED ") + what)
    if not ok:
        failures.append(what)


def run(kind, folder):
    """One watched run of a shop, and its replay. Returns the report."""
    names = {n: os.path.join(folder, f"{kind}.{n}") for n in ("json", "rec", "replay", "log")}
    done = subprocess.run(
        [f"{build}/demo/drive", "--log", names["log"], gapscope, "run", "--quiet", "--service", "shop", "--report", names["json"],
         "--record", names["rec"], "--", f"{build}/demo/shop_{kind}"],
        stdin=subprocess.DEVNULL, timeout=60, check=False)
    check(done.returncode == 0, f"{kind}: the shop's exit status is passed on")
    replay = subprocess.run([gapscope, "replay", "--quiet", "--report", names["replay"], names["rec"]], timeout=60, check=False)
    check(replay.returncode == 0, f"{kind}: the recording replays")
    with open(names["json"], "rb") as live, open(names["replay"], "rb") as again:
        text = live.read()
        check(text == again.read(), f"{kind}: the replay's report is the same, byte for byte")
    with open(names["log"], encoding="utf-8") as log:
        lines = log.read().splitlines()
    check(sum("order" in line for line in lines) == 12, f"{kind}: the log has 12 orders, as without gapscope")
    secrets = set(re.findall(r"\b\d{16}\b|customer\.\d+@[a-z.]+", "\n".join(lines)))
    with open(names["rec"], "rb") as recording:
        stored = text + recording.read()
    leaked = [s for s in secrets if s.encode() in stored]
    check(not leaked, f"{kind}: neither report nor recording holds a logged value")
    return json.loads(text)


def expect(report, rule, function, **wanted):
    """A finding of this rule at this function, with these values."""
    found = [f for f in report["findings"] if f["rule"] == rule]
    check(bool(found), f"{rule} is found")
    for f in found:
        site = json.dumps(f["call_site"])
        check(function in site, f"{rule}: its call site is {function}: {site}")
        check(bool(f["evidence"]) and bool(f["remedy"]), f"{rule}: has evidence and a remedy")
        for key, value in wanted.items():
            check(f[key] == value, f"{rule}: {key} is {value}")


with tempfile.TemporaryDirectory(prefix="gapscope-demo.") as temporary:
    careless = run("careless", temporary)
    check(careless["schema"] == "gapscope.report/1", "the report says its schema")
    expect(careless, "deadline.response.missing", "call")
    expect(careless, "retry.unbounded", "call")
    expect(careless, "retry.no_backoff", "call")
    expect(careless, "data.log.credit_card", "log_order", count=12)
    expect(careless, "data.log.email", "log_order", count=12)
    check(careless["loss"]["lost"] == 0, "nothing was lost")

    careful = run("careful", temporary)
    check(careful["findings"] == [], "the careful shop has no finding: " + ", ".join(f["rule"] for f in careful["findings"]))
    check(careful["loss"]["lost"] == 0, "nothing was lost")

if failures:
    sys.exit(f"{len(failures)} failed")
