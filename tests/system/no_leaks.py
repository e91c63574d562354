"""Nothing that a service logs or sends is kept as it was, nor encoded: planted secrets are in no file, no exported byte, no format of the
report, no durable queue, and not in the agent's memory, of which a core dump is taken at the end.

GS_SECRETS says how many are planted (1000; 10000 in the long run).
"""
import base64
import contextlib
import gzip
import http.server
import json
import os
import pathlib
import random
import re
import string
import subprocess
import threading

import gs
from serve import daemon

ALNUM = string.ascii_letters + string.digits
CORE_FROM = 10000  # planted: then a core dump is taken, too, a gigabyte of what was just read from /proc
PIECE = 12  # of a value: this many of its characters in a row are a leak


def luhn(body):
    total = 0
    for i, c in enumerate(reversed(body)):
        d = int(c) * (2 if i % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return body + str(-total % 10)


def plant(count):
    """Pairs of a line and the value in it."""
    r = random.Random(20261121)

    def word(n, letters=ALNUM):
        return "".join(r.choice(letters) for _ in range(n - 2)) + r.choice(string.digits) + r.choice(string.ascii_lowercase)

    kinds = [
        lambda: (v := "Pw" + word(16), f"INFO login ok password={v} user=7"),
        lambda: (v := luhn("455673" + word(11, string.digits)[:9].translate(str.maketrans(string.ascii_lowercase, "7" * 26))), f"card {v} paid"),
        lambda: (v := word(14).lower() + "@gmail.com", f"WARN mail to {v} bounced"),
        lambda: (v := word(40), f"Authorization: Bearer {v}"),
        lambda: (v := "sk_" + "live_" + word(28), f"stripe said no to {v} again"),
        lambda: (v := "eyJhbGciOiJIUzI1NiJ9." + word(30) + "." + word(43), f"token {v} expired"),
        lambda: (v := word(32), f'{{"api_key":"{v}","n":1}}'),
        lambda: (v := "Db" + word(18), f"connect postgres://app:{v}@db.internal/shop"),
    ]
    return [kinds[i % len(kinds)]() for i in range(count)]


def parts_of(path):
    """What of a sparse file was ever written: reading the rest through a mapping would fill it."""
    at, fd = 0, os.open(path, os.O_RDONLY)
    with contextlib.suppress(OSError):  # ENXIO behind the last of it
        while True:
            at = os.lseek(fd, at, os.SEEK_DATA)
            end = os.lseek(fd, at, os.SEEK_HOLE)
            yield os.pread(fd, end - at, at)
            at = end
    os.close(fd)


def memory_of(pid):
    """Everything readable that a core dump would have: anonymous and shared mappings, stacks, data of libraries."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            if "memfd:" in line:
                for part in parts_of(f"/proc/{pid}/map_files/{span}"):
                    yield line.strip(), part
                continue
            low, high = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(low)
                yield line.strip(), mem.read(high - low)
            except (OSError, ValueError, OverflowError):
                continue


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Collector.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def pieces_of(values):
    """Every PIECE characters in a row of a value, with the line that it came in."""
    pieces = {}
    for line, value in values:
        raw = value.encode()
        for at in range(0, len(raw) - PIECE + 1):
            # letters without the sign are no address: the first half of one that two calls divide looks like any word
            if b"@" not in raw or b"@" in raw[at:at + PIECE]:
                pieces.setdefault(raw[at:at + PIECE], line)
    # what all of a kind share is no secret
    for common in (b"eyJhbGciOiJIUzI1NiJ9.", b"@gmail.com"):
        for at in range(0, len(common) - PIECE + 1):
            pieces.pop(common[at:at + PIECE], None)
    return pieces


def middle(text):
    return text[len(text) // 2 - PIECE // 2:len(text) // 2 + PIECE // 2]


def encoded_pieces(values):
    """A piece of each value as somebody might have encoded it: in hexadecimal, base64 at each of its three alignments, percent."""
    pieces = {}
    for line, value in values:
        raw = value.encode()
        forms = [raw.hex().encode(), raw.hex().upper().encode()]
        forms += [base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)]
        forms += ["".join(f"%{b:02x}" for b in raw).encode(), raw.replace(b"@", b"%40")] if b"@" in raw else []
        for form in forms:
            pieces.setdefault(middle(form), f"{line} (encoded)")
    return pieces


def leaks(pieces, places):
    """Places that hold a piece, with its line and what stands around it."""
    found = []
    for name, data in places:
        for run in re.finditer(rb"[0-9A-Za-z@._+/%%]{%d,}" % PIECE, data):
            text = run.group()
            hit = next((text[at:at + PIECE] for at in range(len(text) - PIECE + 1) if text[at:at + PIECE] in pieces), None)
            if hit:
                found.append((name, pieces[hit], data[max(0, run.start() - 40):run.end() + 40]))
                break
    return found


def planted_secrets():
    count = int(os.environ.get("GS_SECRETS", "1000"))
    planted = [(line, value) for value, line in plant(count)]
    pieces = pieces_of(planted)
    everywhere = pieces | encoded_pieces(planted)
    if count >= CORE_FROM:
        gs.need("gcore")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with gs.workdir() as top:
        values, ready, out = top / "values", pathlib.Path("/tmp") / f"gs-ready-{os.getpid()}", top / "kept"
        out.mkdir()
        temporary = top / "temporary"
        temporary.mkdir()
        values.write_text("\n".join(line for line, _ in planted), encoding="utf-8")
        command = [gs.GAPSCOPE, "run", "--report", out / "report.json", "--record", out / "recording", "--export",
                   f"jsonl:{out / 'events.jsonl'}", "--export", f"otlp:http://127.0.0.1:{server.server_address[1]}",
                   "--export", f"otlp:http://127.0.0.1:{gs.free_port()}", "--export", f"queue:{out / 'queue'}",
                   "--export", f"file:{out / 'collector.json'}", "--",
                   "python3", gs.HERE / "programs" / "leaky.py", values, ready]
        with open(top / "log", "wb") as log, open(top / "agent", "wb") as agent:
            run = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=log, stderr=agent,
                                   env=gs.clean_env({"TMPDIR": str(temporary)}))
            try:
                gs.poll_until(lambda: ready.exists() or run.poll() is not None, "the service has logged everything")
                gs.expect(run.poll() is None, "the service ended early: " + (top / "agent").read_text(errors="replace")[-2000:])
                # all that was written is read when a second memory image in a row has nothing left in it
                gs.poll_until(lambda: not leaks(pieces, memory_of(run.pid)), "the agent's memory holds no value")
                if count >= CORE_FROM:
                    gs.checked(["gcore", "-o", out / "core", run.pid], timeout=600)
            except gs.Failure:
                for name, line, hit in leaks(pieces, memory_of(run.pid))[:10]:
                    print(f"  memory {name}: {hit!r} of {line!r}")
                raise
            finally:
                ready.unlink(missing_ok=True)
                run.stdin.close()
                status = run.wait(gs.LIMIT_S)
        gs.expect(status == 0, f"status {status}")
        server.shutdown()
        report = gs.read_report(out / "report.json")
        rules = sorted({f["rule"] for f in report["findings"] if f["rule"].startswith("data.log")})
        print(f"  {count} planted, records {report['loss']['published']}, lost {report['loss']['by_cause']}, rules: {', '.join(rules)}")
        for rule in ("password", "credit_card", "email", "bearer_token", "stripe_key", "jwt", "api_key", "url_credentials"):
            gs.expect(f"data.log.{rule}" in rules, f"no finding of {rule}")
        for form in ("text", "html", "sarif", "junit", "json"):
            (out / f"report.{form}").write_bytes(gs.checked([gs.GAPSCOPE, "report", "--format", form, out / "report.json"]))
        gs.checked([gs.GAPSCOPE, "replay", "--quiet", "--report", out / "replayed.json", out / "recording"])
        left = [p for folder in (out, temporary) for p in sorted(folder.rglob("*")) if p.is_file()]
        for kind in (*["core"] * (count >= CORE_FROM), "queue", "recording", "replayed.json", "collector.json"):
            gs.expect(any(kind in str(p) for p in left), f"there is no {kind} to look into")
        places = [(p.name, p.read_bytes()) for p in left]
        # the service's own stderr and the agent's words share one file: only lines of the agent's count
        words = b"\n".join(x for x in (top / "agent").read_bytes().split(b"\n") if x.startswith(b"gapscope"))
        places += [("agent's words", words), ("OTLP", b"".join(Collector.bodies))]
        gs.expect(Collector.bodies, "nothing was exported")
        print("  " + ", ".join(f"{name} {len(data)} bytes" for name, data in places))
        found = leaks(everywhere, places)
        for name, line, hit in found[:10]:
            print(f"  {name}: {hit!r} of {line!r}")
        gs.expect(not found, f"values are in {sorted({f[0] for f in found})}")


def served_secrets():
    """The same of the daemon: its answers, its words, its history and what it writes on the way, its memory and its sessions'."""
    planted = [(line, value) for value, line in plant(int(os.environ.get("GS_SECRETS", "1000")) // 10)]
    pieces = pieces_of(planted)
    with gs.workdir() as top:
        values, ready, history, port = top / "values", top / "ready", top / "kept" / "history.db", gs.free_port()
        history.parent.mkdir()
        values.write_text("\n".join(line for line, _ in planted), encoding="utf-8")
        with open(top / "log", "wb") as log:
            service = subprocess.Popen(["python3", str(gs.HERE / "programs" / "leaky.py"), str(values), str(ready), str(port)], stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            with daemon(top, [f"{{service: leaky, port: {port}}}"], f"history: {history}\n") as d:
                gs.poll_until(lambda: d.service("leaky")["report"], "the first report")
                service.stdin.write(b"go\n")
                service.stdin.flush()
                gs.poll_until(lambda: ready.exists() or service.poll() is not None, "the service has logged everything")
                gs.expect(service.poll() is None, "the service ended early")

                def told():
                    rules = {f["rule"] for f in d.service("leaky")["report"]["findings"]}
                    return {"data.log.password", "data.log.credit_card", "data.log.email", "data.log.jwt"} <= rules

                gs.poll_until(told, "the findings in the interface")
                sessions = d.sessions()
                gs.expect(sessions, "nobody watches")

                def in_memory():
                    return [m for pid in [*sessions, d.process.pid] for m in leaks(pieces, memory_of(pid))]

                gs.poll_until(lambda: not in_memory(), "the daemon's and its session's memory hold no value")
                rings = [part for part in memory_of(service.pid) if "memfd:" in part[0]]
                gs.expect(rings, "the service maps no ring")
                gs.expect(not leaks(pieces, rings), "the service's rings hold a value")
                answers = [(path, d.ask(path)[1].encode()) for path in ("/", "/metrics", "/api/v1/services", "/api/v1/services/leaky", "/api/v1/findings", "/gate/argo?service=leaky")]
                files = [(str(p), p.read_bytes()) for p in d.folder.rglob("*") if p.is_file()]
                gs.expect(files, "the session writes nothing")
                service.stdin.close()
                service.wait(gs.LIMIT_S)
                gs.poll_until(lambda: json.loads(d.ask("/api/v1/history?service=leaky")[1])["sessions"], "the session in the history")
                answers.append(("history", d.ask("/api/v1/history?service=leaky")[1].encode()))
                kept = [(p.name, p.read_bytes()) for p in history.parent.iterdir()]
                d.stop()
            kept += [(p.name, p.read_bytes()) for p in history.parent.iterdir()] + [("words", d.log.read_bytes())]
        finally:
            service.kill()
            service.wait()
        gs.expect(any(name.startswith("history.db") and data for name, data in kept), "there is no history to look into")
        places = answers + files + kept
        print("  " + ", ".join(f"{os.path.basename(name) or name} {len(data)} bytes" for name, data in places))
        found = leaks(pieces | encoded_pieces(planted), places)
        for name, line, hit in found[:10]:
            print(f"  {name}: {hit!r} of {line!r}")
        gs.expect(not found, f"values are in {sorted({f[0] for f in found})}")


CASES = {"planted_secrets": planted_secrets, "served_secrets": served_secrets}

if __name__ == "__main__":
    gs.main(CASES)
