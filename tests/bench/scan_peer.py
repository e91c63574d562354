#!/usr/bin/env python3
"""How fast `gapscope scan` reads a log, beside a public scanner of secrets, gitleaks, on the same file. Both as programs, with their start.

usage: scan_peer.py GAPSCOPE

gitleaks is built by Go (CACHE of tests/system/gs.py). The file is made of the corpora's real logs where they are, else of lines made here.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import gs  # noqa: E402
from scan_corpora import corpora, table  # noqa: E402

PEER = "github.com/zricethezav/gitleaks/v8@v8.18.4"
BYTES = 4_000_000
ROUNDS = 3
TIMES_FASTER = 10


def gitleaks():
    binary = gs.CACHE / "bin" / "gitleaks"
    if not binary.exists():
        go = gs.go_program("how fast a public scanner reads is NOT measured")
        env = gs.clean_env({"GOBIN": str(gs.CACHE / "bin"), "GOFLAGS": "-buildvcs=false", "PATH": f"{pathlib.Path(go).parent}:{os.environ['PATH']}"})
        print("building gitleaks", flush=True)
        gs.checked([go, "install", PEER], env=env, timeout=1000)
    return binary


def log_lines():
    folder, keep = corpora(None)
    if folder is None:
        line = '2026-03-01T12:%02d:07.%03dZ INFO [main] http - "GET /v1/orders/%d HTTP/1.1" 200 512 took=%dms trace=%016x\n'
        return "".join(line % (i % 60, i % 1000, i, i % 97, i * 2654435761) for i in range(50000)).encode()[:BYTES]
    real = pathlib.Path(folder) / "logs_real"
    share = BYTES // len(list(real.iterdir()))
    text = b"".join(f.read_bytes()[:share].rpartition(b"\n")[0] + b"\n" for f in sorted(real.iterdir()))
    if keep is not None:
        keep.cleanup()
    return text


def measure(words):
    """The best round's seconds: of the clock, and of processors."""
    best = (1e9, 1e9)
    for _ in range(ROUNDS):
        start = time.monotonic()
        process = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        gs.expect(process.returncode in (0, 1), f"{words[0]} ended with {process.returncode}")
        best = min(best, (time.monotonic() - start, used.ru_utime + used.ru_stime), key=lambda t: t[1])
    return best


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    peer = gitleaks()
    with tempfile.TemporaryDirectory(prefix="gapscope-peer-") as top:
        log = pathlib.Path(top) / "log"
        text = log_lines()
        log.write_bytes(text)
        rows = {"gapscope scan": measure([sys.argv[1], "scan", "--json", log]),
                "gitleaks detect": measure([peer, "detect", "--no-git", "--no-banner", "--source", top, "--report-path", "/dev/null"])}
    mb = len(text) / 1e6
    table(f"reading {mb:.1f} MB of log lines", ("program", "MB/s by the clock", "MB/s of a processor"),
          [(name, f"{mb / clock:.1f}", f"{mb / cpu:.1f}") for name, (clock, cpu) in rows.items()])
    times = rows["gitleaks detect"][1] / rows["gapscope scan"][1]
    print(f"\ngapscope needs {times:.0f} times less processor time (at least {TIMES_FASTER})")
    sys.exit(0 if times >= TIMES_FASTER else 1)


if __name__ == "__main__":
    main()
