#!/usr/bin/env python3
"""Prove real clients whose deadlines and retries are known: each under `gapscope gate --prove` with one fault, against a server that is well.

  proofs.py --gapscope BUILD/gapscope [--lang c,python,cli] [--only ID,…] [--faults stall,connect,refuse,503,reset,body] [--hold 14] [--jobs 14]
            [--min-right 0.95] [--keep DIR]

The ground truth (`expected` of client-matrix, beside the project) says what each client does when its server hangs, refuses or fails: the proof
must say the same without such a server. A bound of less than --hold seconds must be proven to within 0.3 s or 10 %; what has none must
still wait then. Attempts must be counted exactly. Without the ground truth this test skips and says so.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

import verdicts

SCENARIOS = {"stall": "hang", "connect": "syn", "body": "hdrhang", "refuse": "refuse", "503": "s503", "reset": "eof"}


def judge_bound(row, proof, scenario, hold):
    """Yields (right, what was said, what is true)."""
    for phase, (kind, seconds) in verdicts.truth(row, scenario).items():
        if kind == "any" or (kind == "finite" and abs(seconds - hold) < 1):
            continue
        said = (proof["outcome"], proof["seconds"]) if proof else None
        if kind == "finite" and seconds < hold:
            right = proof is not None and proof["outcome"] == "gave_up" and verdicts.close_to(proof["seconds"], seconds)
        else:
            right = proof is not None and proof["outcome"] == "waited"
        yield right, said, (phase, kind, seconds)


def judge_attempts(row, proof, scenario):
    e = row["expected"]
    stated = e.get(f"attempts_{scenario}")
    endless = stated == "inf" or (stated is None and e["retries"] == "unbounded")
    attempts = verdicts.number(stated) or ((row.get("measured") or {}).get(scenario) or {}).get("attempts") or (1 if scenario == "refuse" else None)
    if {"negative", "by-design"} & set(row["tags"]) or (attempts is None and not endless):
        return
    said = (proof["class"], proof["attempts"]) if proof and proof["outcome"] == "attempts" else proof and proof["outcome"]
    if proof is None or proof["outcome"] != "attempts":
        right = False
    elif endless:
        right = proof["class"] in ("unbounded", "undecided")
    else:
        right = proof["attempts"] == attempts and (attempts == 1 or proof["class"] in ("bounded", "undecided"))
    yield right, said, ("attempts", "without end" if endless else "", attempts)


def run_fault(a, tool, fault, out):
    under = (f"{os.path.abspath(a.gapscope)} gate --quiet --prove --faults {fault} --prove-hold {a.hold:.0f} --report {{out}} --")
    done = subprocess.run(tool + ["run", "--lang", a.lang, "--only", a.only, "--scen", "slow", "--jobs", str(a.jobs), "--cap", str(2 * a.hold + 14),
                                  "--under", under, "--out", out], check=False, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def read_proof(path, fault):
    """The first proof of that fault; None if there is none."""
    try:
        with open(path, encoding="utf-8") as f:
            return next((p for p in json.load(f).get("proofs", []) if p["fault"] == fault), None)
    except (OSError, ValueError, TypeError):
        return None


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--gapscope", required=True)
    ap.add_argument("--lang", default="c,python,cli")
    ap.add_argument("--only", default="")
    ap.add_argument("--faults", default="stall,503")
    ap.add_argument("--hold", type=float, default=14)
    ap.add_argument("--jobs", type=int, default=14)
    ap.add_argument("--min-right", type=float, default=0.95)
    ap.add_argument("--keep", default="")
    a = ap.parse_args()
    if not os.path.isdir(verdicts.SHARED):
        print(f"SKIP: {os.path.normpath(verdicts.SHARED)} is absent: no ground truth to compare with")
        return 77
    matrix = verdicts.matrix_folder(a.lang)
    tool = [sys.executable, os.path.join(matrix, "matrix.py")]
    with open(os.path.join(matrix, "index.json"), encoding="utf-8") as f:
        rows = {r["id"]: r for r in json.load(f)["rows"]}
    out = a.keep or tempfile.mkdtemp(prefix="gapscope-proofs-")
    table = collections.defaultdict(collections.Counter)
    for fault in a.faults.split(","):
        folder = os.path.join(out, fault)
        os.makedirs(folder, exist_ok=True)
        for result in run_fault(a, tool, fault, folder):
            row, proof, scenario = rows[result["id"]], read_proof(result["report"], fault), SCENARIOS[fault]
            if proof and proof["outcome"] == "unfit":
                table[fault]["does not fit"] += 1
                continue
            judged = judge_attempts(row, proof, scenario) if fault in ("refuse", "503", "reset") else judge_bound(row, proof, scenario, a.hold)
            for right, said, truth in judged:
                table[fault]["right" if right else "wrong"] += 1
                if not right:
                    print(f"WRONG {result['id']:32} {fault:8} said {said} true {truth}; {result['state']} after {result['seconds']} s")
    failures = 0
    for fault, t in table.items():
        share = t["right"] / max(1, t["right"] + t["wrong"])
        print(f"{fault:8} {t['right']:4} right {t['wrong']:4} wrong {t['does not fit']:4} do not speak HTTP; {share:.1%} right")
        failures += share < a.min_right
    if not a.keep:
        shutil.rmtree(out, ignore_errors=True)
    return 1 if failures or not table else 0


if __name__ == "__main__":
    sys.exit(main())
