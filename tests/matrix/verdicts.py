#!/usr/bin/env python3
"""Run real clients whose deadlines and retries are known under gapscope, and compare its report with what is known.

  verdicts.py --gapscope BUILD/gapscope [--lang c,python,cli] [--only ID,…] [--scen hang,q,slow,drip,hdrhang,syn,s503,eof,refuse]
              [--cap 25] [--jobs 6] [--judge deadline,retry,negative] [--keep DIR] [--attach] [--replay]
              [--golden DIR] [--min-right 0.97] [--min-silent 0.97] [--max-undecided 0.4] [--max-wrong-slow 0] [--max-wrong-finite 0]

The ground truth lies beside the project (client-matrix); without it this test skips and says so. What a scenario exercises is judged,
phase by phase, against the row's `expected`: a wrong "finite" or a wrong "none" is an error; "unknown" is an error after 25 s of
silence unless the true bound lies beyond them. On a busy machine a client may take long to start: one of which the server heard so late that it
was not silent for so long, and of which nothing is said, is run again, fewer at once. What is undecided must say why. Prints a table by
language and one line for each row that is not right. --golden, with --replay: recordings of runs that were right are copied there, for tests/golden/matrix.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, "..", "..", "..", "shared", "client-matrix")
CACHE = os.environ.get("GAPSCOPE_CACHE", os.path.expanduser("~/.cache/gapscope-tests"))


def number(x):
    return x if isinstance(x, (int, float)) and not isinstance(x, bool) else None


def truth(row, scenario):
    """What a report may say of the phases that a scenario exercises: {phase: ("none"|"kernel"|"finite"|"any", seconds)}."""
    e = row["expected"]
    total, read, connect = (number(e.get(k)) for k in ("total_timeout_s", "read_timeout_s", "connect_timeout_s"))
    override = e.get(scenario, "")
    bounds = {}
    if override is None:
        return bounds  # the row says that it does not know
    if scenario == "syn":
        if number(override) is not None and e["retries"] == "none":  # one that connects anew gives each of its connects up sooner than the whole
            bounds["connect"] = ("finite", override if connect is None else min(override, connect))
        elif override == "kernel":
            bounds["connect"] = ("kernel", None)
        elif connect is not None or total is not None:
            bounds["connect"] = ("finite", min(x for x in (connect, total) if x is not None))
        else:
            bounds["connect"] = ("kernel", None)
        return bounds
    if "by-design" in row["tags"]:
        return bounds
    if scenario in ("hang", "q", "slow", "hdrhang"):
        phase = "body" if scenario == "hdrhang" else "response"
        if scenario != "slow" and number(override) is not None and e["retries"] == "none":
            bounds[phase] = ("finite", override)
        elif scenario == "hdrhang" and e["verdict"] == "connect+header":
            bounds[phase] = ("none", None)
        elif total is not None or read is not None:
            bounds[phase] = ("finite", min(x for x in (read, total) if x is not None))
        elif scenario == "hang" and override is None:
            bounds[phase] = ("any", None)
        else:
            bounds[phase] = ("none", None)
    if scenario == "drip":
        bounds["total"] = ("finite", number(override) or total) if total is not None else ("none", None)
    return bounds


def close_to(seconds, expected):
    return seconds is not None and abs(seconds - expected) <= max(0.3, 0.1 * expected)


AGAIN_DIV, AGAIN_MORE_S = 2, 10.0  # what is run again: a half at once, and so much longer
SILENT = 0.9  # of the time that a client is given, it must have waited for the server


def server_events(result):
    """What the server saw: (when it began to listen, the events after that)."""
    with open(result["report"].removesuffix(".report") + ".server.jsonl", encoding="utf-8") as f:
        events = [json.loads(line) for line in f if line.startswith("{")]
    return events[0]["t"], [(e["t"], e["ev"] in ("data", "req", "query")) for e in events if "ev" in e]


def waited_s(result):
    """How long the client waited for an answer, as the server saw it: a machine that is busy does not keep it from looking at its clock."""
    _, events = server_events(result)
    return max((after[0] - before[0] for before, after in zip(events, events[1:]) if before[1]), default=None)


def too_late(result, cap):
    """The client, or its server, was still starting when the client should have been waiting: the time that it was given passed without it."""
    if result["state"] == "no-server":
        return True
    if result["state"] != "still-running" or result["scenario"] not in ("hang", "q", "slow"):
        return False
    began, events = server_events(result)
    heard = [t for t, asks in events if asks]
    return not heard or began + cap - heard[0] < (1 if result["scenario"] == "slow" else SILENT * cap)


def judge(kind, expected_s, said, cap, silent, ended_s):
    """right | undecided | wrong, for one phase. ended_s: how long the client waited until it gave up by itself, this time, else None."""
    bound = said.get("bound", "unknown") if said else "unknown"
    seconds = said.get("seconds") if said else None
    if kind == "any":
        return "right"
    if bound == "unknown":
        if kind == "finite" and expected_s > cap - 1:
            return "right"
        return "wrong" if silent else "undecided"
    if kind == "finite":
        # One that looks at a clock of whole seconds, or gets no processor, keeps its deadline no better than that.
        kept = close_to(seconds, expected_s) or (ended_s is not None and close_to(seconds, ended_s))
        return "right" if bound == "finite" and kept else "wrong"
    return "right" if bound == kind or (kind == "none" and bound == "kernel") else "wrong"


def says_why(said):
    """Of a peer that the client did not come to, in time, there is no entry."""
    return not isinstance(said, dict) or said.get("evidence", "").startswith(("undecided: ", "not exercised"))


def judge_deadlines(row, result, report, cap):
    """Yields (phase, verdict, what was said)."""
    scenario = result["scenario"]
    alone = result["state"] == "exited" and row["expected"]["retries"] == "none" and scenario != "slow"
    ended_s = waited_s(result) if alone else None
    entries = [d for d in report.get("deadlines", []) if str(d.get("peer", "")).endswith(f":{result['port']}")]
    for phase, (kind, seconds) in truth(row, scenario).items():
        said = None
        for d in entries:
            b = d.get("phase", {}).get(phase)
            if b and (said is None or said.get("bound") == "unknown"):
                said = b
        yield phase, judge(kind, seconds, said, cap, scenario != "slow", ended_s), (said or "no entry", kind, seconds)


def retry_truth(row, result):
    """What the client does in this scenario: (class, attempts), attempts None where it has no end."""
    e, scenario = row["expected"], result["scenario"]
    stated = e.get(f"attempts_{scenario}")
    if stated == "inf" or (stated is None and e["retries"] == "unbounded"):
        return "unbounded", None
    if number(stated) is None:
        measured = (row.get("measured") or {}).get(scenario) or {}
        # a server that refuses counts nothing: what was measured before holds
        stated = (measured.get("attempts") if scenario == "refuse" else result["attempts_seen"]) or 1
    if "multi-process" not in row["tags"] and result["state"] != "exited":
        return "undecided", stated
    return ("bounded" if stated > 1 else "none"), stated


SHAPES = ("none", "constant", "linear", "exponential")


def judge_retries(row, result, report):
    """Yields ("retry" | "backoff" | "jitter", verdict, what was said and what is true) for the scenarios in which attempts fail."""
    e, scenario = row["expected"], result["scenario"]
    if scenario not in ("s503", "eof", "refuse", "hang", "q") or {"negative", "by-design"} & set(row["tags"]):
        return
    kind, attempts = retry_truth(row, result)
    entries = [r for r in report.get("retries", []) if str(r.get("peer", "")).endswith(f":{result['port']}")]
    said = max(entries, key=lambda r: r.get("max_attempts", 0), default={"class": "none", "max_attempts": 1})
    detail = (said["class"], said["max_attempts"], "expected", kind, attempts)
    near = attempts is None or abs(said["max_attempts"] - attempts) <= 1
    if kind == "unbounded":  # too few attempts were seen for more than "undecided", or for any retry at all
        right = said["class"] == "unbounded" or (said["max_attempts"] <= 20 and said["class"] == "undecided")
        if scenario in ("hang", "q"):
            right = right or result["attempts_seen"] <= 1
        near = scenario == "refuse" or abs(said["max_attempts"] - result["attempts_seen"]) <= max(2, result["attempts_seen"] // 20)
    elif kind == "bounded":
        right = said["class"] == "bounded" and said["bound"] == attempts
    elif kind == "none":
        right = said["class"] == "none"
    else:
        right = said["class"] == "undecided" or (attempts == 1 and said["class"] == "none")
    yield "retry", "right" if right and near else "wrong", detail
    words = e.get("backoff", "n/a")
    shape = next((x for x in SHAPES if words.startswith(x)), None)
    if shape and said["max_attempts"] >= (2 if shape == "none" else 3 if shape == "constant" else 4):
        yield "backoff", "right" if said["backoff"] == shape else "wrong", (said["backoff"], said["max_attempts"], words)
        jitter = "no" if "no jitter" in words else "yes" if "jitter" in words else None
        if jitter and said["max_attempts"] > 6:
            yield "jitter", "right" if said["jitter"] == jitter else "undecided" if said["jitter"] == "unknown" else "wrong", \
                (said["jitter"], said["max_attempts"], words)


def judge_negative(row, report):
    if {"negative", "by-design"} & set(row["tags"]):
        bad = [f["rule"] for f in report.get("findings", []) if f["rule"].startswith(("deadline.", "retry."))]
        yield "no finding", "wrong" if bad else "right", bad


def go_ready():
    """Go in PATH, and root: Go programs are watched by probes in the kernel."""
    sys.path.insert(0, os.path.join(HERE, "..", "system"))
    import gs  # only here: the others need none of it
    go = gs.go_program("what is said of Go's deadlines is NOT tested")
    os.environ["PATH"] = os.path.dirname(go) + ":" + os.environ["PATH"]
    if os.getuid() != 0:
        gs.skip("only root can load probes", can_run_here=False)


def set_up(matrix, languages):
    """Build what the rows need, once."""
    for language in languages.split(","):
        mark = os.path.join(matrix, f".built-{language}")
        if os.path.exists(mark):
            continue
        built = subprocess.run([sys.executable, os.path.join(matrix, "matrix.py"), "setup", "--lang", language], check=False,
                               stdout=subprocess.DEVNULL)
        old = os.path.join(matrix, "_pylibs", "redis5")
        if language == "python" and not os.path.isdir(old):  # a row imports an older version from there
            subprocess.run([os.path.join(matrix, "_py", "bin", "pip"), "install", "-q", "--target", old, "redis==5.0.8"], check=False)
        if built.returncode == 0:
            with open(mark, "w", encoding="utf-8"):
                pass


def matrix_folder(languages):
    """A copy of the matrix in which everything is built that these languages need."""
    matrix = os.path.join(CACHE, "client-matrix")
    if not os.path.isdir(matrix):
        shutil.copytree(SHARED, matrix)
        subprocess.run(["chmod", "-R", "u+w", matrix], check=True)
    if "go" in languages.split(","):
        go_ready()
    set_up(matrix, languages)
    return matrix


def run_rows(tool, options, under, out, jobs, cap):
    os.makedirs(out, exist_ok=True)
    done = subprocess.run(tool + ["run", *options, "--jobs", str(jobs), "--cap", str(cap), "--under", under, "--out", out], check=False,
                          stdout=subprocess.PIPE, text=True)
    return [dict(json.loads(line), cap=cap) for line in done.stdout.splitlines()]


def read_report(result):
    """(the report, its text), or (None, why there is none)."""
    try:
        with open(result["report"], encoding="utf-8") as f:
            text = f.read()
        return json.loads(text), text
    except (OSError, ValueError, TypeError) as why:
        return None, why


def says_nothing(row, result):
    """Of a deadline that the scenario exercises, the report knows nothing yet."""
    if result["state"] == "no-server":  # nor did the client run
        return True
    report, _ = read_report(result)
    return report is not None and any(verdict != "right" and (not isinstance(said, dict) or said.get("bound", "unknown") == "unknown")
                                      for _, verdict, (said, _, _) in judge_deadlines(row, result, report, result["cap"]))


def run_all(a, tool, under, out, rows):
    """The results of all runs. Who came too late to show anything is run again, with others of its scenario and fewer at once."""
    results = run_rows(tool, ["--lang", a.lang, "--only", a.only, "--scen", a.scen], under, out, a.jobs, a.cap)
    late = [r for r in results if "deadline" in a.judge and too_late(r, a.cap) and says_nothing(rows[r["id"]], r)]
    again = []
    for scenario in sorted({r["scenario"] for r in late}):
        only = ",".join(r["id"] for r in late if r["scenario"] == scenario)
        print(f"again, for the client was still starting: {scenario} of {only}")
        again += run_rows(tool, ["--only", only, "--scen", scenario], under, os.path.join(out, "again"), max(2, a.jobs // AGAIN_DIV),
                          a.cap + AGAIN_MORE_S)
    return [r for r in results if r not in late] + again


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--gapscope", required=True)
    ap.add_argument("--lang", default="c,python,cli")
    ap.add_argument("--only", default="")
    ap.add_argument("--scen", default="")
    ap.add_argument("--cap", type=float, default=25.0)
    ap.add_argument("--jobs", type=int, default=8)
    ap.add_argument("--judge", default="deadline,retry,negative")
    ap.add_argument("--min-right", type=float, default=0.97, help="of all verdicts, those of `slow` left out")
    ap.add_argument("--min-silent", type=float, default=0.97, help="of the deadlines after 25 s of silence (hang, q)")
    ap.add_argument("--max-undecided", type=float, default=0.40, help="of the deadlines after healthy traffic (slow)")
    ap.add_argument("--max-wrong-slow", type=int, default=0)
    ap.add_argument("--max-wrong-finite", type=int, default=0, help="deadlines that were said to exist and do not")
    ap.add_argument("--keep", default="")
    ap.add_argument("--attach", action="store_true", help="attach to each client once it waits, instead of starting it")
    ap.add_argument("--golden", default="")
    ap.add_argument("--replay", action="store_true", help="record each run, replay it, and require the same report byte for byte")
    a = ap.parse_args()
    if not os.path.isdir(SHARED):
        print(f"SKIP: {os.path.normpath(SHARED)} is absent: no ground truth to compare with")
        return 77
    matrix = matrix_folder(a.lang)
    tool = [sys.executable, os.path.join(matrix, "matrix.py")]
    out = a.keep or tempfile.mkdtemp(prefix="gapscope-matrix-")
    os.makedirs(out, exist_ok=True)
    record = " --record {out}.rec" if a.replay else ""
    gapscope = os.path.abspath(a.gapscope)
    under = f"{gapscope} run --quiet --report {{out}}{record} --"
    if a.attach:
        under = f"{sys.executable} -B {os.path.join(HERE, 'attached.py')} {gapscope} {{out}}{record} --"
    with open(os.path.join(matrix, "index.json"), encoding="utf-8") as f:
        rows = {r["id"]: r for r in json.load(f)["rows"]}
    table = collections.defaultdict(collections.Counter)
    kinds = collections.defaultdict(collections.Counter)
    scenarios = collections.defaultdict(collections.Counter)
    loud = collections.Counter()
    failures = false_finite = unexplained = 0
    for result in run_all(a, tool, under, out, rows):
        row = rows[result["id"]]
        language = row["language"].split()[0].lower()
        report, text = read_report(result)
        if report is None:
            print(f"WRONG {result['id']:32} {result['scenario']:8} no report: {text}")
            table[language]["wrong"] += 1
            loud["wrong"] += 1
            scenarios[result["scenario"]]["wrong"] += 1
            continue
        judged = []
        if "deadline" in a.judge:
            deadlines = list(judge_deadlines(row, result, report, result["cap"]))
            judged += deadlines
            for _, verdict, (said, _, _) in deadlines:
                scenarios[result["scenario"]][verdict] += 1
                unexplained += verdict == "undecided" and not says_why(said)
                false_finite += verdict == "wrong" and isinstance(said, dict) and said.get("bound") == "finite"
        if "retry" in a.judge:
            judged += judge_retries(row, result, report)
        if "negative" in a.judge:
            judged += judge_negative(row, report)
        for what, verdict, detail in judged:
            table[language][verdict] += 1
            if result["scenario"] != "slow":
                loud[verdict] += 1
            kinds[what if what in ("retry", "backoff", "jitter", "no finding") else "deadline"][verdict] += 1
            if verdict != "right":
                print(f"{verdict.upper():9} {result['id']:32} {result['scenario']:8} {what:9} {detail}")
        if a.replay:
            again = result["report"] + ".replayed"
            subprocess.run([a.gapscope, "replay", result["report"] + ".rec", "--report", again], check=False)
            same = os.path.exists(again) and open(again, encoding="utf-8").read() == text
            table[language]["replay same" if same else "replay differs"] += 1
            failures += not same
            if a.golden and same and judged and all(verdict == "right" for _, verdict, _ in judged):
                shutil.copy(result["report"] + ".rec", os.path.join(a.golden, f"{result['id']}.{result['scenario']}.gsr"))
    print(f"{'language':10} {'right':>6} {'undecided':>10} {'wrong':>6}  replay same/differs")
    total = collections.Counter()
    for language in sorted(table):
        t = table[language]
        total.update(t)
        print(f"{language:10} {t['right']:6} {t['undecided']:10} {t['wrong']:6}  {t['replay same']}/{t['replay differs']}")
    for what in sorted(kinds):
        t = kinds[what]
        print(f"{what:10} {t['right']:6} {t['undecided']:10} {t['wrong']:6}  {t['right'] / t.total():.1%} right")
    for scenario in sorted(scenarios):
        t = scenarios[scenario]
        print(f"{scenario:10} {t['right']:6} {t['undecided']:10} {t['wrong']:6}  {t['right'] / t.total():.1%} right")
    judged = total["right"] + total["undecided"] + total["wrong"]
    share = loud["right"] / loud.total() if loud else 1.0
    print(f"all: {judged} verdicts, {total['undecided']} undecided, {total['wrong']} wrong; {share:.1%} right apart from slow; files in {out}")
    silent, slow = scenarios["hang"] + scenarios["q"], scenarios["slow"]
    held = [
        ("verdicts, right apart from slow", share >= a.min_right and judged > 0),
        ("deadlines after silence", not silent or silent["right"] / silent.total() >= a.min_silent),
        ("wrong after healthy traffic", slow["wrong"] <= a.max_wrong_slow),
        ("undecided after healthy traffic", not slow or slow["undecided"] / slow.total() <= a.max_undecided),
        ("undecided, and says why", not unexplained),
        ("deadlines that do not exist", false_finite <= a.max_wrong_finite),
    ]
    for what, ok in held:
        if not ok:
            print(f"NOT HELD: {what}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
