#!/usr/bin/env python3
"""`gapscope top` and the gate's progress, on a terminal of ours: what they show there, that they follow its size, and that they leave it as it was."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from gate import Load, services
from gs import GAPSCOPE, clean_env, expect, main, poll_until, run, workdir
from serve import TOKEN, daemon, port_of


class Terminal:
    """A program on a pseudo-terminal; what it wrote, and the lines that are to be seen now."""

    def __init__(self, command, columns=80, rows=24):
        self.master, slave = pty.openpty()
        self.size(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen([str(c) for c in command], stdin=slave, stdout=slave, stderr=slave, env=clean_env({"TERM": "xterm"}),
                                        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        self.slave, self.text = slave, ""

    def size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.05):
        while select.select([self.master], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self.text += os.read(self.master, 65536).decode(errors="replace")
                continue
            break

    def says(self, pattern):
        self.read()
        return re.search(pattern, self.text)

    def last_screen(self):
        """Lines of the last whole screen."""
        whole = self.text.split("\033[H")[1:]
        whole = [w for w in whole if "\033[J" in w]
        return [re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", line).rstrip("\r") for line in whole[-1].split("\033[J")[0].rstrip("\n").split("\n")] if whole else []

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        expect(self.process.poll() is not None, "it does not end")
        self.read()
        expect(termios.tcgetattr(self.slave) == self.before, "the terminal is another one than before")
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def terminal(*arguments, **options):
    t = Terminal(*arguments, **options)
    try:
        yield t
    finally:
        t.close()


def daemon_on_terminal():
    with workdir() as top, services(top, "no_timeout") as (stable, canary):
        (top / "token").write_text(TOKEN + "\n")
        rules = [f"{{service: stable, port: {port_of(stable)}}}", f"{{service: canary, port: {port_of(canary)}}}"]
        with daemon(top, rules, f"token_file: {top}/token\n") as d:
            load = Load([port_of(stable), port_of(canary)])
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            poll_until(lambda: "deadline.response.missing" in d.ask("/api/v1/findings?service=canary", headers=bearer)[1], "the finding")
            where = f"127.0.0.1:{d.port}"
            done = run([GAPSCOPE, "top", where])
            expect(done.returncode == 2 and b"token" in done.stderr, f"without a token: {done.returncode} {done.stderr.decode()}")
            command = [GAPSCOPE, "top", "--token-file", top / "token", "--interval", "1", where]
            done = run(command)
            text = done.stdout.decode()
            expect(done.returncode == 0 and "stable" in text and "canary" in text and "\033" not in text, f"one look: {text} {done.stderr.decode()}")
            with terminal(command) as t:
                poll_until(lambda: t.says("> stable") and any(re.search(r"watching +(pass|fail|\?) +\d+ .* [0-9.]+ +\d+$", line) for line in t.last_screen()), "a rate")
                t.type(b"j")
                poll_until(lambda: t.read() or any("deadline.response.missing" in line for line in t.last_screen()), "the finding of the chosen service")
                expect(any(line.startswith("> canary") for line in t.last_screen()), "the choice did not move")
                lines = t.last_screen()
                expect(len(lines) < 24 and max(map(len, lines)) <= 80, f"{len(lines)} lines of {max(map(len, lines))} columns")
                print("\n".join(lines))
                t.size(40, 10)
                poll_until(lambda: t.read() or (len(t.last_screen()) < 10 and max(map(len, t.last_screen())) <= 40), "the smaller size")
                t.type(b"\033[A")
                poll_until(lambda: t.read() or any(line.startswith("> stable") for line in t.last_screen()), "the way back")
                d.stop()
                poll_until(lambda: t.says("(?i)connect"), "word that the daemon is gone")
                t.type(b"q")
                expect(t.end() == 0 and "\033[?1049l" in t.text, "q does not leave the screen")
            with terminal([GAPSCOPE, "top", where]) as t:
                expect(t.end() == 2, "no daemon is fine")
            load.stop()


def report_on_terminal():
    """A session's report while it is written; Ctrl-C and SIGTERM end it."""
    with workdir() as top:
        report = top / "r.json"
        session = subprocess.Popen([GAPSCOPE, "run", "--quiet", "--report", report, "--report-every", "1", "--", sys.executable, "-c",
                                    "import time\nwhile True: print('user jane.roe@contoso.com paid', flush=True); time.sleep(0.02)"],
                                   stdout=open(top / "log", "wb"), env=clean_env())
        try:
            poll_until(lambda: report.exists() and report.stat().st_size > 0, "the first report")
            for end in (b"\x03", None):
                with terminal([GAPSCOPE, "top", "--interval", "1", report]) as t:
                    poll_until(lambda: t.says("data.log.email"), "the finding")
                    if end:
                        t.type(end)
                    else:
                        t.process.send_signal(signal.SIGTERM)
                    expect(t.end() == 0, "it is not ended")
        finally:
            session.terminate()
            session.wait(30)
        done = run([GAPSCOPE, "top", top / "nothing.json"])
        expect(done.returncode == 2 and b"nothing.json" in done.stderr, "a report that is not there is fine")


def gate_on_terminal():
    """A gate on a terminal says what was seen and what a verdict still needs; without one it writes nothing."""
    with workdir() as top, services(top, "stable") as (stable, canary):
        command = [GAPSCOPE, "gate", "--duration", "6", "--stable", stable.process.pid, canary.process.pid]
        load = Load([port_of(stable), port_of(canary)])
        with terminal(command, columns=100) as t:
            poll_until(lambda: t.says(r"\d+ of 20 requests"), "how many requests were seen")
            poll_until(lambda: t.says(r"a verdict needs no more"), "that enough was seen")
            expect(t.end() in (0, 1, 3), "the gate broke")
            longest = max(len(re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", part)) for part in t.text.split("\r") if "gapscope:" in part)
            expect(longest < 100, f"a line of progress has {longest} columns")
            print("\n".join(sorted({re.sub(r"\033\[K", "", p) for p in re.findall(r"\rgapscope: [^\r\n]*", t.text)})[-3:]))
        done = run(command)
        expect(not done.stderr, f"progress without a terminal: {done.stderr.decode()[:300]}")
        load.stop()
        with terminal([GAPSCOPE, "gate", "--duration", "3", canary.process.pid], columns=100) as t:
            poll_until(lambda: t.says(r"still missing: .*requests"), "that requests are missing")
            expect(t.end() == 3, "no traffic is no verdict")


CASES = {"top_daemon": daemon_on_terminal, "top_report": report_on_terminal, "gate_progress": gate_on_terminal}

if __name__ == "__main__":
    main(CASES)
