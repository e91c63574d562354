"""Clients that are none of the known ones, against a server that misbehaves and counts: what the report says is what they did.

A row: the way of programs/retry_loops.py, what the server does, and what must be said. By default one of each kind; all of them with
GS_RETRY_CLIENTS=all.
"""
import concurrent.futures
import os
import subprocess

import failing_server
import gs

EXP, LIN, CON, IRR, NONE = "exponential", "linear", "constant", "irregular", "none"
NOTHING = frozenset()


def row(way, how, shapes=(), rules=NOTHING, may=NOTHING, kind="counted", also=False, processes=1):
    """processes: of one service, side by side. kind: counted (class and bound are the server's count), unbounded, calls (that many attempts each), silent (no finding at all)."""
    return {"way": way, "how": how, "shapes": shapes, "rules": set(rules), "may": set(may), "kind": kind, "also": also,
            "processes": processes}


# `also`: only where all are asked for. A constant pace may be told as information, as no_backoff.
ROWS = [row("once", how, also=how != "eof") for how in ("busy", "eof", "refuse", "hang")]
for HOW in ("busy", "eof", "refuse"):
    A = {"also": HOW != "busy"}
    ROWS += [
        row("hasty", HOW, [NONE], ["no_backoff"], **A),
        row("fixed", HOW, [CON], may=["no_backoff"], **A),
        row("linear", HOW, [LIN], **A),
        row("fibonacci", HOW, [EXP, IRR], **A),
        row("doubling", HOW, [EXP], **A),
        row("tripling", HOW, [EXP], also=True),
        row("capped", HOW, [EXP], **A),
        row("first_at_once", HOW, [EXP], **A),
        row("equal_jitter", HOW, [EXP], kind="calls", **A),
        row("no_jitter", HOW, [EXP], ["no_jitter"], kind="calls", **A),
        row("layers", HOW, [CON, IRR], ["amplification"], may=["no_backoff"], **A),
        row("forever_hasty", HOW, [NONE], ["unbounded", "no_backoff"], may=["budget"], kind="unbounded", **A),
        row("forever_fixed", HOW, [CON], ["unbounded"], may=["no_backoff"], kind="unbounded", **A),
        row("forever_capped", HOW, [EXP, IRR], ["unbounded"], kind="unbounded", also=True),
        row("workers_once", HOW, kind="silent", **A),
        row("workers", HOW, kind="silent", **A),
    ]
ROWS += [
    row("tasks", "busy", kind="silent"),
    row("pooled", "busy", [EXP]),
    row("doubling", "reset", [EXP], also=True),
    row("doubling", "hang", [EXP], also=True),
    row("post", "busy", [EXP], ["non_idempotent"]),
    row("post", "eof", [EXP], ["non_idempotent"]),
    row("post_key", "eof", [EXP]),
    row("put", "eof", [EXP], also=True),
    row("doubling", "later", [EXP], ["ignores_retry_after"]),
    row("late", "later", [CON]),
    row("doubling", "no", rules=["not_retryable"], kind="silent"),
    row("once", "moved", kind="silent"),
    row("two", "login", kind="silent"),
]
for WAY in ("poll", "poll_jitter", "check", "check_late", "check_slow_start", "pages", "bodies", "lookups", "same_lookup", "fan_out", "hedge"):
    ROWS += [row(WAY, how, kind="silent", also=how == "good" and WAY != "poll") for how in ("good", "mostly")]
ROWS += [row("lookups", "no", kind="silent"), row("same_lookup", "no", kind="silent"), row("pages", "busy", kind="silent"),
         row("bodies", "busy", kind="silent")]
# Processes of one service that fail together: each makes attempts of its own, and those of all are compared.
SIDE = {"processes": 6}
ROWS += [
    row("doubling", "busy", [EXP], ["no_jitter"], may=["budget"], **SIDE),
    row("drawn", "busy", [EXP], may=["budget"], **SIDE),
    row("hasty", "eof", [NONE], ["no_backoff"], may=["budget"], **SIDE),
    row("doubling", "refuse", [EXP], may=["no_jitter"], also=True, **SIDE),
    row("once", "busy", kind="silent", **SIDE),
    row("poll_jitter", "mostly", kind="silent", also=True, **SIDE),
    row("check", "mostly", kind="silent", **SIDE),
]
CALLS = {"equal_jitter": 6, "no_jitter": 7}


def judge(one, report, seen):
    """What is wrong with the report, in words."""
    found = {f["rule"].removeprefix("retry.") for f in report["findings"] if f["rule"].startswith("retry.")}
    wrong = [f"missed {sorted(one['rules'] - found)}"] if one["rules"] - found else []
    if found - one["rules"] - one["may"]:
        wrong.append(f"undeserved {sorted(found - one['rules'] - one['may'])}")
    if one["kind"] == "silent":
        return wrong
    rows = [r for r in report["retries"] if r["operation"] != "connect" or one["how"] == "refuse"]
    r = max(rows, key=lambda x: x["max_attempts"], default=None)
    if r is None:
        return wrong + ["no row"]
    attempts = max((len(v) for v in seen.values()), default=0) // (CALLS.get(one["way"], 1) * one["processes"])
    said = (r["class"], r["bound"])
    if one["kind"] == "unbounded":
        wanted = [("unbounded", None)]
    elif attempts == 0:  # refused: nobody counts
        wanted = [said] if r["class"] in ("none", "bounded") else ["none or bounded"]
    else:
        wanted = [("none", None) if attempts == 1 else ("bounded", attempts)]
    if said not in wanted:
        wrong.append(f"{said} instead of {wanted[0]}")
    if one["shapes"] and r["backoff"] not in one["shapes"]:
        wrong.append(f"{r['backoff']} instead of {' or '.join(one['shapes'])}")
    return wrong


def measure(one):
    with gs.workdir() as top, failing_server.FailingServer() as server:
        held, port = failing_server.closed_port() if one["how"] == "refuse" else (None, server.port)
        client = ["/usr/bin/python3", gs.HERE / "programs" / "retry_loops.py", one["way"], port, f"/{one['how']}/x"]
        side = ["sh", "-c", 'for i in $(seq "$0"); do "$@" & done; wait', one["processes"]] if one["processes"] > 1 else []
        gs.checked([*gs.watch(top / "report.json"), *side, *client])
        if held:
            held.close()
        return judge(one, gs.is_watched(top / "report.json"), server.seen)


class HeldUp(Exception):
    """The machine lengthened the client's delays: this run shows nothing."""


def in_words(measure_one, one):
    """(what is wrong, whether the run counts)"""
    try:
        return measure_one(one), True
    except HeldUp:
        return ["held up by the machine"], False
    except (gs.Failure, subprocess.TimeoutExpired) as why:
        return [str(why)[-300:]], True


def each_in_five_tries(rows, measure_one, name, at_once=10):
    """measure_one(row) says what is wrong, in words. A busy machine lengthens delays: each row may be tried five times, most are right at once."""
    left, counted, first = rows, 0, 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for again in range(5):
            results = list(pool.map(lambda one: in_words(measure_one, one), left))
            for one, (wrong, _) in zip(left, results):
                if wrong:
                    print(f"  {name(one)}: {'; '.join(wrong)}")
            if again == 0:
                counted, first = sum(counts for _, counts in results), sum(not wrong for wrong, _ in results)
            failed = [counts for wrong, counts in results if wrong]
            left = [one for one, (wrong, _) in zip(left, results) if wrong]
            print(f"  {len(rows) - len(left)} of {len(rows)} right after {again + 1} tries")
            if not left:
                break
    gs.expect(first >= 0.8 * counted, f"only {first} of {counted} were right at once")
    gs.expect(not any(failed), f"wrong each time: {[name(one) for one, counts in zip(left, failed) if counts]}")
    gs.expect(len(left) < 0.5 * len(rows), "the machine is too busy to tell")


def clients():
    each_in_five_tries([x for x in ROWS if not x["also"] or os.environ.get("GS_RETRY_CLIENTS") == "all"], measure,
                       lambda x: f"{x['way']} {x['how']} ({x['processes']})")


if __name__ == "__main__":
    gs.main({"retry_clients": clients})
