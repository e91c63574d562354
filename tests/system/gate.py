#!/usr/bin/env python3
"""The gate's promise: a canary that dropped a timeout, logs an e-mail or retries without a bound fails with that rule, an identical one passes, and no traffic is
inconclusive. Stable and canary (canary.py) run side by side, under the same load, with a dependency that fails now and then.

GS_GATE_ROUNDS: how often an identical canary is judged (default 3).
"""
import contextlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import xml.etree.ElementTree

from gs import GAPSCOPE, HERE, Server, clean_env, expect, free_port, main, poll_until, run, workdir

STAGE_S = 6
ROUNDS = int(os.environ.get("GS_GATE_ROUNDS", "3"))


class Dependency(http.server.ThreadingHTTPServer):
    """Answers 200; one order of thirty it fails first: thirty times for one that does not give up. So the stable service's retries, two for
    such an order, stay clear of the share at which retry.budget begins, on slow machines too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.handler())
        self.failed = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def fails(self, path):
        if int(path.rsplit("/", 1)[1]) % 30 != 7:
            return False
        with self.lock:
            self.failed[path] = self.failed.get(path, 0) + 1
            return self.failed[path] <= 30

    def handler(dependency):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(503 if dependency.fails(self.path) else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        return Handler


class Load:
    """Orders at a steady pace until it is stopped; each service gets orders of its own numbers."""

    def __init__(self, ports):
        self.over = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.drive, args=(port, n), daemon=True) for port in ports for n in range(3)]
        for t in self.threads:
            t.start()

    def drive(self, port, n):
        count = n
        while not self.over.is_set():
            count += 3
            try:
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                c.request("GET", f"/order/{port}{count}")
                c.getresponse().read()
                c.close()
            except OSError as e:
                if not self.over.is_set():
                    self.errors.append(str(e))
            self.over.wait(0.02)

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join(30)
        expect(not self.errors, f"requests failed: {self.errors[:3]}")


@contextlib.contextmanager
def services(top, kind):
    """A stable service and one of this kind, with their dependency; their ports."""
    dependency = Dependency()
    started = []
    try:
        for name in ("stable", kind):
            port = free_port()
            started.append(Server([sys.executable, HERE / "canary.py", name, port, dependency.server_port], port,
                                  top / f"{len(started)}.log"))
        yield started
    except BaseException:
        for server in started:
            print(f"-- the log of {server.process.args}:", "\n".join(line for line in server.tail().splitlines() if "order=" not in line))
        raise
    finally:
        for server in started:
            server.kill()
        dependency.shutdown()
        dependency.server_close()


def judge(top, stable, canary, load=True, stage=STAGE_S):
    """The gate's exit status and its verdict."""
    drive = Load([int(s.process.args[-2]) for s in (stable, canary)]) if load else None
    try:
        done = run([GAPSCOPE, "gate", "--duration", stage, "--stable", stable.process.pid, "--json", top / "verdict.json", "--junit",
                    top / "verdict.xml", "--sarif", top / "verdict.sarif", canary.process.pid])
    finally:
        if drive:
            drive.stop()
    print(done.stdout.decode())
    expect(done.returncode in (0, 1, 3), f"status {done.returncode}: {done.stderr.decode()}")
    verdict = json.loads((top / "verdict.json").read_text())
    expect({"pass": 0, "fail": 1, "inconclusive": 3}[verdict["verdict"]] == done.returncode, "status and verdict differ")
    suite = xml.etree.ElementTree.parse(top / "verdict.xml").getroot()
    expect(int(suite.get("tests")) == len(verdict["checks"]), "JUnit has other checks than the verdict")
    sarif = json.loads((top / "verdict.sarif").read_text())
    expect(sarif["version"] == "2.1.0" and all("baselineState" in r for r in sarif["runs"][0]["results"]), "SARIF without baseline states")
    for server in (stable, canary):
        expect(server.process.poll() is None, "a service did not survive its gate")
    return verdict


def failing(kind, rule):
    with workdir() as top, services(top, kind) as (stable, canary):
        verdict = judge(top, stable, canary)
        expect(verdict["verdict"] == "fail", f"{kind}: {verdict['verdict']}")
        failed = {f["rule"] for f in verdict["findings"] if f["gate"] == "failed"}
        expect(rule in failed, f"{rule} is not among {failed}")
        print(f"{kind}: fails with {', '.join(sorted(failed))}; {verdict['requests']} requests, {verdict['events_lost']} records lost")


def no_timeout():
    failing("no_timeout", "deadline.response.missing")


def logs_email():
    failing("logs_email", "data.log.email")


def retries():
    failing("retries", "retry.unbounded")


def identical():
    verdicts = []
    with workdir() as top, services(top, "stable") as (stable, canary):
        for _ in range(ROUNDS):
            verdicts.append(judge(top, stable, canary)["verdict"])
    print(f"{verdicts.count('pass')} of {ROUNDS} identical canaries passed")
    expect(verdicts.count("pass") == ROUNDS, f"an identical canary: {verdicts}")


def no_traffic():
    with workdir() as top, services(top, "stable") as (stable, canary):
        verdict = judge(top, stable, canary, load=False, stage=2)
        expect(verdict["verdict"] == "inconclusive", f"no traffic: {verdict['verdict']}")


def started_and_recorded():
    """A program that the gate starts; its report as the next gate's baseline; a program that fails; bad input."""
    with workdir() as top:
        log = [sys.executable, "-c", "import sys, time; [print('user jane.roe@contoso.com paid', flush=True) for _ in range(9)]; "
               "time.sleep(1); sys.exit(int(sys.argv[1]))"]  # a line of a script is known by name while its program lives
        policy = top / "policy.yaml"
        policy.write_text("evidence: {requests: 0}\n")
        gate = [GAPSCOPE, "gate", "--policy", policy]
        done = run([*gate, "--report", top / "before.json", "--", *log, "0"])
        expect(done.returncode == 1 and b"data.log.email" in done.stdout, f"status {done.returncode}: {done.stdout.decode()}")
        expect(done.stdout.count(b"paid") == 9, "the program's output is not there whole")
        done = run([*gate, "--baseline", top / "before.json", "--", *log, "0"])
        expect(done.returncode == 0, f"a known finding fails: {done.stdout.decode()}")
        run([*gate, "--alloc", "--report", top / "allocated.json", "--", *log, "0"])
        expect("heap" in json.loads((top / "allocated.json").read_text()), "allocations were not sampled")
        done = run([*gate, "--baseline", top / "before.json", "--", *log, "3"])
        expect(done.returncode == 1 and b"status 3" in done.stdout, f"a failing program: {done.stdout.decode()}")
        expect(run([*gate, "--baseline", top / "before.json", top / "before.json"]).returncode == 0, "a report beside itself does not pass")
        for words, text in ((["gate"], "name what to judge"), (["gate", "/nonexistent"], "/nonexistent"),
                            (["gate", "--policy", "/nonexistent", "1"], "/nonexistent"), (["gate", "99999999"], "99999999"),
                            (["gate", "--", "/nonexistent"], "/nonexistent"), (["gate", "--alloc", top / "before.json"], "--alloc"), (["gate", "--stable", "x", "1"], "--stable")):
            done = run([GAPSCOPE, *words])
            expect(done.returncode == 2 and text in done.stderr.decode(), f"{words}: {done.returncode} {done.stderr.decode()}")


def interrupted():
    """A gate that is told to end early judges what it saw, and leaves the service alone."""
    with workdir() as top, services(top, "stable") as (stable, canary):
        gate = subprocess.Popen([GAPSCOPE, "gate", "--duration", "300", "--json", str(top / "v.json"), str(canary.process.pid)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env({"TMPDIR": str(top)}))
        poll_until(lambda: list(top.glob("gapscope-gate-*/service.json")), "the session's first report")
        gate.terminate()
        out, err = gate.communicate(timeout=60)
        expect(gate.returncode == 3, f"status {gate.returncode}: {out.decode()} {err.decode()}")
        expect(canary.process.poll() is None and stable.process.poll() is None, "a service did not survive")


CASES = {"gate_no_timeout": no_timeout, "gate_logs_email": logs_email, "gate_retries": retries, "gate_identical": identical,
         "gate_no_traffic": no_traffic, "gate_started_and_recorded": started_and_recorded, "gate_interrupted": interrupted}

if __name__ == "__main__":
    main(CASES)
