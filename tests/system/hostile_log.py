"""Logs made to hurt whoever reads them: no line's end in a gigabyte, NULs, bytes that are no UTF-8, a million matches in one line. Reading
them costs a bounded time a byte (against a common log of the same size, in the same run) and a bounded memory, stored and live."""
import os
import resource
import subprocess
import sys
import threading

import gs

FULL = os.environ.get("GS_LINES") is not None  # tests/run nightly
BYTES = (1000 if FULL else 100) * 1_000_000
MATCHES = 1_000_000
SLOWER = 100  # times the common log's time; a line of matches alone is all work
MEMORY_KB = 100_000  # resident, of gapscope or of the program that it watches, whichever is larger

COMMON = b'2026-03-01T12:00:07.123Z INFO [main] http - "GET /v1/orders/17 HTTP/1.1" 200 512 took=12ms user=4711\n'


def blocks(unit, n):
    """n bytes of a unit over and over, in blocks."""
    block = unit * (1 + (1 << 20) // len(unit))
    while n > 0:
        yield block[:n]
        n -= len(block)


LINES = {
    "one line of letters": lambda n: blocks(b"a", n),
    "one line of words": lambda n: blocks(b"lorem ipsum ", n),
    "one line of NULs": lambda n: blocks(b"\0", n),
    "invalid UTF-8": lambda n: blocks(bytes(range(0x80, 0x100)) + b"\xc0\xaf\xed\xa0\x80\xf8", n),
    "one line of digits": lambda n: blocks(b"4111 1111 ", n),
    "keys without values": lambda n: blocks(b"password=", n),
    "quotes that never end": lambda n: blocks(b"password='a ", n),
    "private keys without an end": lambda n: blocks(b"-----BEGIN " b"PRIVATE KEY-----\\n#AAAA", n),
    "addresses in another writing": lambda n: blocks(b"a=u%40acme.io&", n),
    "colours": lambda n: blocks(b"\x1b[31mpassword\x1b[0m=", n),
    "base64 of texts": lambda n: blocks(b"eyJ-eyJhIjox", n),
    "UTF-16": lambda n: blocks("token = straße 4711, ".encode("utf-16-le"), n),
}


def feed(words, chunks):
    """(seconds of processor time, most memory in KB, bytes of output, status) of a program that is given these bytes."""
    process = subprocess.Popen([str(w) for w in words], env=gs.clean_env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out = [0]

    def count():
        while block := process.stdout.read(1 << 16):
            out[0] += block.count(b"\n")

    reader = threading.Thread(target=count)
    reader.start()
    for chunk in chunks:
        process.stdin.write(chunk)
    process.stdin.close()
    reader.join()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return used.ru_utime + used.ru_stime, used.ru_maxrss, out[0], process.returncode


def hostile_scan():
    words = [gs.GAPSCOPE, "scan", "--json", "-"]
    small = BYTES // 10
    common = min(feed(words, blocks(COMMON, small))[0] for _ in range(3)) / small
    print(f"  a common log: {common * 1e9:.2f} ns a byte")
    for name, make in LINES.items():
        n = BYTES if name.startswith("one line of letters") else small
        seconds, memory, found, status = feed(words, make(n))
        print(f"  {name}: {n / 1e6:.0f} MB, {seconds / n * 1e9:.2f} ns a byte, {memory} KB, {found} matches")
        gs.expect(status in (0, 1), f"{name}: status {status}")
        gs.expect(memory < MEMORY_KB, f"{name}: {memory} KB")
        gs.expect(seconds / n < SLOWER * common, f"{name}: {seconds / n / common:.0f} times as slow as a common log")
    address = b"u%07d@acme.io,"
    chunks = (b"".join(address % i for i in range(first, first + 10000)) for first in range(0, MATCHES, 10000))
    seconds, memory, found, status = feed(words, chunks)
    size = MATCHES * len(address % 0)
    print(f"  {MATCHES} addresses in a line: {size / 1e6:.0f} MB, {seconds / size * 1e9:.2f} ns a byte, {memory} KB, {found} matches")
    gs.expect(found == MATCHES and status == 1, f"{found} of {MATCHES} were found")
    gs.expect(memory < MEMORY_KB, f"{memory} KB")
    gs.expect(seconds / size < SLOWER * common, f"{seconds / size / common:.0f} times as slow as a common log")


# A service that logs what comes in, in writes of 64 KiB, and a line with a password behind it.
SERVICE = """
import os, sys
while block := sys.stdin.buffer.read(1 << 16):
    os.write(1, block)
os.write(1, b"\\nlogin failed, password=%s\\n" % sys.argv[1].encode())
"""


def hostile_live():
    """The same under `gapscope run`: the program gets through, the report is there and honest about what was read, nobody grows."""
    n = BYTES // 10
    secret = "Kx7v" + "eqWm2zzT"  # in two parts: no file of the tree holds the shape of a secret
    with gs.workdir() as top:
        for name, make in LINES.items():
            report = top / "report.json"
            words = [*gs.watch(report), sys.executable, "-c", SERVICE, secret]
            seconds, memory, _, status = feed(words, make(n))
            told = gs.is_watched(report)
            loss = told["loss"]
            rules = sorted(f["rule"] for f in told["findings"] if f["rule"].startswith("data.log"))
            print(f"  {name}: {n / 1e6:.0f} MB, {seconds:.2f} s, {memory} KB, {loss['log_bytes_scanned']} of {loss['log_bytes_seen']} bytes read, "
                  f"lost {loss['lost']}, {rules}")
            gs.expect(status == 0, f"{name}: status {status}")
            gs.expect(memory < MEMORY_KB, f"{name}: {memory} KB")
            gs.expect(loss["log_bytes_scanned"] <= loss["log_bytes_seen"] <= n + 64, f"{name}: more was read than was written")
            gs.expect(secret not in report.read_text(encoding="utf-8"), "the report holds the password")
            # the line behind it is read like any other, when what it stands in was read at all
            if loss["log_bytes_scanned"] == loss["log_bytes_seen"] and loss["lost"] == 0:
                gs.expect("data.log.password" in rules, f"{name}: the password behind it was not found")


CASES = {f.__name__: f for f in (hostile_scan, hostile_live)}

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gs.main(CASES)
