"""What real programs write to their logs: every kind of sink is read, what is no log is not, and numbers that only look like cards are none.

The value that a program is to log is made here, and must be in no report.
"""
import contextlib
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import sys
import threading

import gs

CARD = "4539578763621486"
PROGRAMS = gs.HERE / "programs"


def watched(top, command, name="report", **options):
    """Runs the command watched; its report. The value must not be in it."""
    report = top / f"{name}.json"
    done = gs.run([*gs.watch(report), *command], **options)
    gs.expect(done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    gs.expect(CARD.encode() not in report.read_bytes(), "the value is in the report")
    return gs.read_report(report)


def found(report, rule="data.log.credit_card"):
    return [f for f in report["findings"] if f["rule"] == rule]


def expect_sink(report, sink, count, text, level=None):
    hits = [f for f in found(report) if f.get("sink", "").endswith(sink)]
    total = sum(f["count"] for f in hits)
    print(f"  {text}: {total} in {sorted({f['sink'] for f in hits})}, of {len(found(report))} findings")
    gs.expect(total == count, f"{text}: {count} logged to {sink}, {total} found; {[(f['sink'], f['count']) for f in found(report)]}")
    if level:
        levels = {x for f in hits for x in f["evidence"]["levels"]}
        gs.expect(level in levels, f"{text}: level {level} is not in {levels}")


def compiled(top, source, *options):
    program = top / "program"
    text = top / "program.c"
    text.write_text(source, encoding="utf-8")
    gs.checked(["gcc", "-O1", "-o", program, text, *options])
    return program


@contextlib.contextmanager
def datagrams(path):
    """A Unix datagram socket that takes what comes, as a log daemon's does."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
        s.settimeout(0.2)
        got, done = [], threading.Event()

        def take():
            while not done.is_set():
                with contextlib.suppress(socket.timeout):
                    got.append(s.recv(65536))

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield got
        finally:
            done.set()
            thread.join()
            path.unlink(missing_ok=True)


def in_namespace(mounts, command):
    """The command in a mount namespace of its own, in which folder or file b lies over a for each (a, b)."""
    script = "".join(f"mount --rbind '{b}' '{a}' && " for a, b in mounts) + 'exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *[str(c) for c in command]]


SYSLOG = r"""
#include <syslog.h>
int main(void)
{
	openlog("shop", LOG_PID, LOG_USER);
	for (int i = 0; i < 3; i++)
		syslog(LOG_WARNING, "card %s declined", "CARD");
	closelog();
	return 0;
}
"""

JOURNAL = r"""
#include <systemd/sd-journal.h>
int main(void)
{
	for (int i = 0; i < 3; i++) {
		sd_journal_send("MESSAGE=card %s declined", "CARD", "PRIORITY=%i", 3, NULL);
		sd_journal_print(3, "card %s declined", "CARD");
	}
	return 0;
}
"""

FILES = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
static const char line[] = "INFO card CARD paid\n";
int main(void)
{
	int fd = open("shop.log", O_WRONLY | O_CREAT | O_APPEND, 0644);

	for (size_t i = 0; i < sizeof line - 1; i++) /* byte by byte */
		if (write(fd, line + i, 1) != 1)
			return 1;
	for (size_t cut = 1; cut < sizeof line - 1; cut++) { /* in two vectors, divided anywhere */
		struct iovec v[2] = {{(void *)line, cut}, {(void *)(line + cut), sizeof line - 1 - cut}};
		if (writev(fd, v, 2) != (ssize_t)sizeof line - 1)
			return 1;
	}
	rename("shop.log", "shop.log.1"); /* rotated: the old file first, then a new one */
	if (write(fd, line, sizeof line - 1) < 0)
		return 1;
	close(fd);
	FILE *f = fopen("shop.log", "a");
	setvbuf(f, NULL, _IOFBF, 16); /* the stream flushes in the middle of the value */
	fputs(line, f);
	fprintf(f, "WARN card %s again\n", "CARD");
	fclose(f);
	return 0;
}
"""
FILES_COUNT = 1 + len(f"INFO card {CARD} paid") + 1 + 2  # byte by byte, cut at each place, rotated, by stdio

OTHERS = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static const char line[] = "INFO card CARD paid\n";
static void put(int fd)
{
	if (write(fd, line, sizeof line - 1) < 0)
		exit(1);
}
int main(void)
{
	int pair[2];
	char name[] = "upload-XXXXXX";

	put(open("orders.db", O_RDWR | O_CREAT | O_TRUNC, 0644)); /* a database's file */
	put(mkstemp(name));                                       /* a temporary file, an upload */
	put(open("/dev/null", O_WRONLY | O_APPEND));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 1;
	put(pair[0]);
	FILE *f = fopen("export.csv", "w");
	fputs(line, f);
	fclose(f);
	return 0;
}
"""


HANDLER = f"""
import logging, logging.handlers
logging.getLogger().addHandler(logging.handlers.SysLogHandler(address="/dev/log"))
for _ in range(3): logging.error("card {CARD} declined")
"""


def sink_syslog():
    """syslog(3), and Python's handler that writes to /dev/log by itself; the socket there is ours, in a /dev of their own."""
    with gs.workdir() as top:
        program, dev = compiled(top, SYSLOG.replace("CARD", CARD)), top / "dev"
        dev.mkdir()
        for name in ("null", "urandom"):
            (dev / name).touch()
        mounts = [(dev / "null", "/dev/null"), (dev / "urandom", "/dev/urandom"), ("/dev", dev)]
        with datagrams(dev / "log") as got:
            report = watched(top, in_namespace(mounts, [program]))
            expect_sink(report, "syslog", 3, "syslog(3)", "WARN")
            report = watched(top, in_namespace(mounts, ["python3", "-c", HANDLER]), "handler")
            gs.poll_until(lambda: len(got) >= 6, f"the daemon got six messages, not {len(got)}")
            expect_sink(report, "syslog", 3, "Python's handler, by /dev/log", "ERROR")


def sink_journal():
    with gs.workdir() as top:
        program = compiled(top, JOURNAL.replace("CARD", CARD), "-lsystemd")
        folder = top / "journal"
        folder.mkdir()
        with datagrams(folder / "socket"):
            place = pathlib.Path("/run/systemd/journal")
            made = not place.exists()
            if made:
                place.mkdir(parents=True)
            try:
                report = watched(top, in_namespace([(place, folder)], [program]))
            finally:
                if made:
                    place.rmdir()
        expect_sink(report, "journal", 6, "sd_journal_send and sd_journal_print", "ERROR")


def sink_stream():
    """stdout and stderr as a journal's stream socket, a pipe and a file."""
    source = f"import sys\nfor _ in range(3): print('card {CARD}'); print('card {CARD}', file=sys.stderr)"
    with gs.workdir() as top:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            report = top / "socket.json"
            done = subprocess.run([str(c) for c in [*gs.watch(report), "python3", "-c", source]], stdout=theirs, stderr=theirs,
                                  env=gs.clean_env(), stdin=subprocess.DEVNULL, timeout=gs.LIMIT_S, check=False)
        gs.expect(done.returncode == 0, "the program failed")
        expect_sink(gs.read_report(report), "stdout", 3, "stdout, a socket")
        expect_sink(gs.read_report(report), "stderr", 3, "stderr, a socket")
        report = watched(top, ["python3", "-c", source])
        expect_sink(report, "stdout", 3, "stdout, a pipe")
        expect_sink(report, "stderr", 3, "stderr, a pipe")


def sink_files():
    with gs.workdir() as top:
        report = watched(top, [compiled(top, FILES.replace("CARD", CARD))], cwd=top)
        expect_sink(report, "shop.log", FILES_COUNT, "a log in pieces, vectors, rotated, through a small buffer", "INFO")


def no_log():
    """A terminal, a database, uploads, sockets, an export: none is a log."""
    with gs.workdir() as top:
        report = watched(top, [compiled(top, OTHERS.replace("CARD", CARD))], cwd=top)
        gs.expect(not found(report), f"taken for a log: {[f['sink'] for f in found(report)]}")
        main, side = pty.openpty()
        target = top / "terminal.json"
        run = subprocess.Popen([str(c) for c in [*gs.watch(target), "python3", "-c", f"print('card {CARD}')"]], stdin=side, stdout=side,
                               stderr=side, env=gs.clean_env())
        os.close(side)
        said = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(main, 4096):
                said += chunk
        os.close(main)
        gs.expect(run.wait(gs.LIMIT_S) == 0 and CARD.encode() in said, "the program did not print")
        report = gs.is_watched(target)
        gs.expect(not found(report), "what a terminal shows was taken for a log")
        print("  no finding for a database, uploads, /dev/null, a socket, an export and a terminal")


JAVA = """
import java.util.logging.*;
class Log {
    public static void main(String[] a) throws Exception {
        Logger l = Logger.getLogger("shop");
        FileHandler f = new FileHandler("java.log", true);
        f.setFormatter(new SimpleFormatter());
        l.addHandler(f);
        for (int i = 0; i < 3; i++) l.warning("card CARD declined");
    }
}
"""


def loggers():
    """Loggers that people use: Python's, Node's console and files, Java's."""
    python = f"""
import logging
logging.basicConfig(filename="py.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
for _ in range(3): logging.error("card %s declined", "{CARD}")
"""
    node = f"""
const fs = require('fs');
const s = fs.createWriteStream('node.log', {{flags: 'a'}});
for (let i = 0; i < 3; i++) {{ console.error('card {CARD}'); s.write(JSON.stringify({{level: 'warn', msg: 'card {CARD}'}}) + '\\n'); }}
s.end();
"""
    with gs.workdir() as top:
        expect_sink(watched(top, ["python3", "-c", python], "python", cwd=top), "py.log", 3, "Python's logging", "ERROR")
        if shutil.which("node"):
            report = watched(top, ["node", "-e", node], "node", cwd=top)
            expect_sink(report, "stderr", 3, "Node's console")
            expect_sink(report, "node.log", 3, "a stream of Node's, as pino opens it", "WARN")
        if shutil.which("javac"):
            (top / "Log.java").write_text(JAVA.replace("CARD", CARD), encoding="utf-8")
            gs.checked(["javac", "-d", top, top / "Log.java"], timeout=300)
            report = watched(top, ["java", "-cp", top, "Log"], "java", cwd=top, timeout=300)
            expect_sink(report, "java.log", 3, "java.util.logging", "WARN")


def nginx_access_log():
    gs.need("nginx")
    with gs.workdir() as top:
        port = gs.free_port()
        (top / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {top}/pid; error_log {top}/error.log;
events {{ }}
http {{ access_log {top}/access.log; client_body_temp_path {top}/a; proxy_temp_path {top}/b; fastcgi_temp_path {top}/c;
uwsgi_temp_path {top}/d; scgi_temp_path {top}/e;
server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }} }}
""", encoding="utf-8")
        report = top / "report.json"
        server = gs.Server([*gs.watch(report), "nginx", "-c", top / "nginx.conf"], port, top / "out")
        try:
            for _ in range(5):
                gs.checked(["curl", "-s", f"http://127.0.0.1:{port}/pay?card={CARD}&x=1"])
        finally:
            server.stop()
        told = gs.is_watched(report)
        expect_sink(told, "access.log", 5, "nginx's access log")
        gs.expect(not found(told, "data.plaintext.credit_card"), "over loopback it may come from a proxy that speaks TLS")


def threads_interleaved():
    """Threads that write parts of lines at once, each to its own log; and a key in PEM form over many writes."""
    source = f"""
import os, threading, subprocess
key = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], stdout=subprocess.PIPE, check=True).stdout
def work(n):
    fd = os.open(f"t{{n}}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(50):
        for part in ("INFO ca", "rd 4539", "57876362", "1486 pa", "id\\n"):
            os.write(fd, part.encode())
    for line in key.splitlines(True):
        os.write(fd, line)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
"""
    with gs.workdir() as top:
        report = watched(top, ["python3", "-c", source], cwd=top)
        for n in range(4):
            expect_sink(report, f"t{n}.log", 50, f"thread {n}")
            keys = [f for f in found(report, "data.log.private_key") if f["sink"].endswith(f"t{n}.log")]
            gs.expect(sum(f["count"] for f in keys) == 1, f"the key in t{n}.log is {len(keys)} findings")


COUNTERS = f"""
import random, time
r = random.Random(5)
def luhn(b):
    t = 0
    for i, c in enumerate(reversed(b)):
        d = int(c) * (2 if i % 2 == 0 else 1)
        t += d - 9 if d > 9 else d
    return b + str(-t % 10)
for i in range(300):
    time.sleep(0.002)
    print("INFO begun", 4539578763000000 + i, "so far")
    print("INFO seen", r.randrange(4000000000000000, 4999999999999999), "once")
    print("WARN paid with", luhn("453957%09d" % r.randrange(10**9)), flush=True)
"""


def learning():
    """A counter and random ids pass the check of a card one time in ten, and are none; the cards beside them are. Replayed alike."""
    with gs.workdir() as top:
        report, recording = top / "report.json", top / "recording"
        gs.checked([*gs.watch(report, "--record", recording), "python3", "-c", COUNTERS])
        told = gs.is_watched(report)
        cards = found(told)
        notes = [n for n in told["not_exercised"] if n.startswith("data:")]
        print(f"  {sum(f['count'] for f in cards)} cards, levels {[f['evidence']['levels'] for f in cards]}; the report says:")
        print("  " + "\n  ".join(notes))
        share = 1 - told["loss"]["lost"] / (told["loss"]["published"] + told["loss"]["lost"])
        count = sum(f["count"] for f in cards)
        gs.expect(200 * share <= count <= 300, "not every card was told, or more than the cards")
        gs.expect(all(f["evidence"]["levels"] == ["WARN"] for f in cards), "lines of others are among them")
        gs.expect(len(notes) >= 2 and all("are none" in n for n in notes), "the report does not explain what it left out")
        gs.checked([gs.GAPSCOPE, "replay", "--quiet", "--report", top / "replayed.json", recording])
        gs.expect((top / "replayed.json").read_bytes() == report.read_bytes(), "a replay tells something else")


TRACES = {
    "trace": "0af7651916cd43dd8448eb211c80319c",
}

SERVER = f"""
import http.client, http.server, sys, threading, traceback
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        sys.stdout.write("ERROR card {CARD} declined\\n"); sys.stdout.flush()
        body = b"fine, at the.shop (open 9:30)"
        if self.path.startswith("/fail"):
            try: 1 / 0
            except ZeroDivisionError: body = ("<pre>" + traceback.format_exc() + "</pre>").encode()
        self.send_response(500 if self.path.startswith("/fail") else 200)
        self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=s.serve_forever, daemon=True).start()
for path in ("/good", "/fail", "/fail"):
    c = http.client.HTTPConnection(*s.server_address, timeout=30)
    c.request("GET", path, headers={{"traceparent": "00-{TRACES['trace']}-b7ad6b7169203331-01",
                                    "Authorization": "Bearer 8f7d6s5a4f3d2s1aQwErTyUiOp1234"}})
    c.getresponse().read(); c.close()
s.shutdown()
"""


def in_requests():
    """A line that is logged inside of a request names its trace; a token in clear HTTP and a stack trace in an answer are told."""
    with gs.workdir() as top:
        report = watched(top, ["python3", "-c", SERVER])
        card, = found(report)
        print(f"  card: trace {card.get('trace_id')}, {card['count']} times")
        gs.expect(card["trace_id"] == TRACES["trace"], "the finding names another trace")
        trace, = found(report, "data.response.stacktrace")
        gs.expect(trace["count"] == 2 and trace["operation"] == "GET /fail" and trace["evidence"]["language"] == "Python",
                  f"stack traces: {json.dumps(trace['evidence'])}")
        sides = [(f["evidence"]["direction"], f["severity"]) for f in found(report, "data.plaintext.bearer_token")]
        gs.expect(sides == [("sent", "info")], f"tokens in the clear: {sides}")
        gs.expect("8f7d6s5a4f3d2s1a" not in (top / "report.json").read_text(encoding="utf-8"), "the token is in the report")


CASES = {f.__name__: f for f in (sink_syslog, sink_journal, sink_stream, sink_files, no_log, loggers, nginx_access_log, threads_interleaved,
                                 learning, in_requests)}

if __name__ == "__main__":
    sys.exit(gs.main(CASES))
