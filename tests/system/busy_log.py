"""A service that logs 200,000 lines a second: what watching costs it, and that the share of its log that was read is told truly."""
import os
import subprocess

import costs
import gs

PROGRAM = gs.BUILD / "tests" / "system" / "system_busy_log"
LINE_NS = 5000  # 200,000 lines a second
LINES = int(os.environ.get("GS_LINES", "100000"))
GOAL, LIMIT = 1.05, 1.15  # of processor time; on a machine that does much else besides, a cold cache alone is some per cent
ROUNDS = 3


def line_ns(words, log, lines, work, ret_said=None):
    with open(log, "wb") as out:
        done = subprocess.run([str(w) for w in [*words, PROGRAM, lines, work]], env=gs.clean_env(), stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.PIPE, timeout=gs.LIMIT_S, check=True)
    if ret_said is not None:
        ret_said[:] = [done.stderr]
    return float(done.stderr.split()[-1])


def calibrated(log):
    """The arithmetic that makes a line take LINE_NS without gapscope."""
    fast, slow = (min(line_ns([], log, LINES // 10, work) for _ in range(3)) for work in (0, 2000))
    return max(0, int(2000 * (LINE_NS - fast) / (slow - fast)))


def busy_log():
    with gs.workdir() as top:
        log, report = top / "log", top / "report.json"
        work = calibrated(log)
        last, said = {}, []

        def measure():
            times = ([], [])
            for _ in range(ROUNDS):
                times[0].append(line_ns([], log, LINES, work) / 1000)
                times[1].append(line_ns(gs.watch(report), log, LINES, work, said) / 1000)
                last.update(gs.is_watched(report)["loss"])
            return costs.quantiles("us of CPU a line", times)

        ratio = costs.best_of(measure, GOAL)
        written, read = last["log_bytes_seen"], last["log_bytes_scanned"]
        made = log.stat().st_size + len(said[0])
        print(f"  of {made} bytes {written} were seen and {read} read ({100 * read / written:.1f} %); lost: {last['by_cause']}")
        print(f"  watching costs {(ratio - 1) * 100:.1f} % of a line, goal {(GOAL - 1) * 100:.0f} %: {'reached' if ratio <= GOAL else 'NOT REACHED'}")
        gs.expect(read <= written <= made, "more was seen than was written")
        gs.expect(last["lost"] > 0 or written == made, "bytes are missing although nothing was lost")
        gs.expect(ratio <= LIMIT, f"watching makes a line take {ratio:.3f} times as long")


def share_read():
    """With a hundredth of a processor most of a busy log is left unread: the report says so, and what was read adds up."""
    with gs.workdir() as top:
        log, report, recording = top / "log", top / "report.json", top / "recording"
        line_ns([*gs.watch(report, "--scan-cpu", "1", "--record", recording)], log, 4 * LINES, 0)
        told = gs.is_watched(report)
        loss = told["loss"]
        read, written = loss["log_bytes_scanned"], loss["log_bytes_seen"]
        said = [t for t in told["not_exercised"] if t.startswith("data: of")]
        print(f"  {100 * read / written:.1f} % of {written} bytes were read; the report: {said}")
        gs.expect(0 < read < written, "the budget left nothing out")
        gs.expect(said and f"{100 * read / written:.1f} %" in said[0], "the report does not say what share was read")
        gs.expect(str(read) in gs.checked([gs.GAPSCOPE, "report", report]).decode(), "the text does not say it")
        replayed = top / "replayed.json"
        gs.checked([gs.GAPSCOPE, "replay", "--quiet", "--report", replayed, recording])
        gs.expect(gs.read_report(replayed)["loss"]["log_bytes_scanned"] == read, "a replay tells another share")


CASES = {f.__name__: f for f in (busy_log, share_read)}

if __name__ == "__main__":
    gs.main(CASES)
