#!/usr/bin/env python3
"""Proof mode on a service that runs: what is held flows again within a second after the agent is gone, however it went; the share of requests
that feel a fault stays within the budget, as their client counts it; a dry run touches nothing; and the verdict says what was proven.
The same of programs that the shim cannot enter.
"""
import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import container
from gate import Dependency
from ebpf import need_probes
from gs import (BUILD, GAPSCOPE, HERE, Server, checked, clean_env, expect, free_port, go_program, main, need, poll_until, read_report, run,
                skip, workdir)

AGAIN_S = 1.0  # promised
TRIES = 3      # of a time on a busy machine, the best counts


class Sound(Dependency):
    """Answers everything with 200, and counts."""

    def __init__(self):
        self.served = 0
        super().__init__()

    def fails(self, path):
        with self.lock:
            self.served += 1
        return False

    def handle_error(self, *_):
        """A service that gives up resets its connection: nothing to be said."""


def order(port, number):
    """The status and how long it took."""
    start = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        c.request("GET", f"/order/{number}")
        status = c.getresponse().status
    finally:
        c.close()
    return status, time.monotonic() - start


class Load:
    """Orders at a steady pace, three at a time; what came of each is kept."""

    def __init__(self, port):
        self.port, self.seen, self.over = port, [], threading.Event()
        self.threads = [threading.Thread(target=self.drive, daemon=True) for _ in range(3)]
        for t in self.threads:
            t.start()

    def drive(self):
        while not self.over.wait(0.02):
            self.seen.append(order(self.port, len(self.seen)))

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join(60)
        return self.seen


@contextlib.contextmanager
def service(top, *command):
    """A service with its dependency: a kind of canary.py, or a program and its first arguments."""
    dependency = Sound()
    port = free_port()
    words = command if len(command) > 1 else [sys.executable, HERE / "canary.py", *command]
    server = Server([*words, port, dependency.server_port], port, top / "service.log")
    server.port = port
    try:
        yield server, dependency
    finally:
        server.kill()
        dependency.shutdown()
        dependency.server_close()


def held_until(how, *command):
    """A service whose call is stalled; the agent gets the signal; seconds until the call is answered, and the next one."""
    with workdir() as top, service(top, *command) as (server, dependency):
        agent = subprocess.Popen([GAPSCOPE, "attach", "--quiet", "--prove", "faults=stall,share=100,errors=100,learn=0,hold=600", "--report",
                                  str(top / "r.json"), str(server.process.pid)], env=clean_env())
        done = []

        def call():
            while not done or done[-1][1] < 1:  # until one was held
                done.append(order(server.port, len(done)))

        caller = threading.Thread(target=call, daemon=True)
        try:
            caller.start()
            served = [-1]

            def held():  # the dependency has answered, and the service has not got it
                was, served[0] = served[0], dependency.served
                time.sleep(1)
                return served[0] == was and was > 0 and len(done) < was

            poll_until(held, "a call is held")
            agent.send_signal(how)
            start = time.monotonic()
            caller.join(60)
            again = time.monotonic() - start
            expect(not caller.is_alive(), f"signal {how}: the call that was held is not answered")
            status, next_one = order(server.port, 1000)
            expect(done[-1][0] == 200 and status == 200, f"signal {how}: {done[-1]} and {status}")
            agent.wait(60)
            expect(server.process.poll() is None, "the service did not survive")
            return max(again, next_one)
        finally:
            if agent.poll() is None:
                agent.kill()


def flows_again(signals, *command):
    for how in signals:
        times = []
        while len(times) < TRIES and (not times or min(times) > AGAIN_S):
            times.append(held_until(how, *command))
        print(f"{how.name}: traffic flows again after {min(times):.3f} s ({len(times)} tries)")
        expect(min(times) <= AGAIN_S, f"{how.name}: only after {times} s")


def killed():
    flows_again((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), "no_timeout")


def budget(*command, faults="stall+503", seconds=20):
    share = 20
    with workdir() as top, service(top, *command or ["stable"]) as (server, _):
        load = Load(server.port)
        try:
            run([GAPSCOPE, "gate", "--quiet", "--prove", "--faults", faults, "--prove-share", share, "--prove-learn", 3, "--prove-hold", 10,
                 "--prove-errors", 100, "--duration", seconds, "--json", top / "v.json", "--report", top / "r.json", server.process.pid])
        finally:
            seen = load.stop()
        report, verdict = read_report(top / "r.json"), json.loads((top / "v.json").read_text())
        felt = sum(1 for status, seconds in seen if status != 200 or seconds > 0.5)
        print(f"{felt} of {len(seen)} orders felt a fault ({felt / len(seen):.1%}, {share} % allowed): "
              f"{[(p['fault'], p['outcome'], p['affected'], p['text']) for p in report['proofs']]}")
        expect(0 < felt <= len(seen) * share / 100, f"{felt} of {len(seen)}")
        proof = {p["fault"]: p for p in report["proofs"]}
        expect(abs(proof["stall"]["seconds"] - 2) <= 0.3, f"the service gives up after 2 s: {proof['stall']}")
        expect(verdict["proofs"] == report["proofs"], "the verdict does not say what was proven")
        bound = report["deadlines"][0]["phase"]["response"]
        expect(bound["bound"] == "finite" and bound["confidence"] == "proven", f"the deadline is not proven: {bound}")


def pooled():
    """A service that asks on connections that it had before: they are ended while they rest, so that it connects again."""
    budget("pooled", faults="stall", seconds=10)


RESOLVES = """
import socket, sys, time
for _ in range(int(sys.argv[1])):
    start = time.monotonic()
    socket.getaddrinfo("localhost", 80)
    print(time.monotonic() - start, flush=True)
    time.sleep(0.05)
"""


def names():
    """Look-ups of names take longer, and no longer than the agent lives."""
    with workdir() as top:
        done = run([GAPSCOPE, "gate", "--quiet", "--prove", "--faults", "dns", "--prove-hold", 1, "--report", top / "r.json", "--", sys.executable, "-c",
                    RESOLVES, 40])
        proof, = (p for p in read_report(top / "r.json")["proofs"] if p["fault"] == "dns")
        took = [float(line) for line in done.stdout.decode().splitlines() if line.replace(".", "").replace("e-", "").isdigit()]
        print(f"{len(took)} look-ups, {max(took):.2f} s at most; {proof['outcome']}, {proof['affected']} affected: {proof['text']}")
        expect(len(took) == 40 and max(took) >= 1 and proof["outcome"] == "waited" and 0 < proof["affected"] < 40, f"{took} {proof}")
        program = subprocess.Popen([sys.executable, "-c", RESOLVES, "100000"], stdout=subprocess.PIPE)
        lines, seen, agent = [], [-1], None
        try:
            threading.Thread(target=lambda: lines.extend(float(line) for line in program.stdout), daemon=True).start()
            poll_until(lambda: lines, "the program is up")
            agent = subprocess.Popen([GAPSCOPE, "attach", "--quiet", "--prove", "faults=dns,share=100,errors=100,learn=0,hold=600",
                                      str(program.pid)], env=clean_env())

            def held():  # no look-up has ended for a while
                was, seen[0] = seen[0], len(lines)
                time.sleep(1)
                return len(lines) == was and was > 0

            poll_until(held, "a look-up is held")
            agent.kill()
            start, before = time.monotonic(), len(lines)
            poll_until(lambda: len(lines) > before, "it goes on")
            print(f"SIGKILL: look-ups go on after {time.monotonic() - start:.2f} s; the one that was held took {lines[before]:.2f} s")
            poll_until(lambda: len(lines) > before + 5, "the next ones do, too")
            expect(max(lines[before + 1:before + 5]) < max(1, lines[before]), f"{lines[before:before + 5]}")
        finally:
            program.kill()
            if agent and agent.poll() is None:
                agent.kill()


def of_go():
    """A Go service that runs: the kernel leads its connections, and lets go of them with the agent."""
    need_probes()
    with workdir() as top:
        go = go_program("that faults reach Go programs, and are undone there, is NOT tested")
        program = top / "order"
        checked([go, "build", "-o", program, HERE / "programs" / "order.go"], env=clean_env({"CGO_ENABLED": "0", "GO111MODULE": "off"}), timeout=280)
        budget(program, "bounded", faults="stall", seconds=10)
        flows_again((signal.SIGKILL,), program, "endless")


CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1


def inside(pid, function):
    """Runs it on a thread of its own that is in the network of this process; what it returns."""
    out = []

    def enter():
        network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            out.append(function() if ctypes.CDLL(None).setns(network, CLONE_NEWNET) == 0 else None)
        finally:
            os.close(network)

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    thread.join(120)
    expect(out and out[0] is not None, "what happens in there did not end well")
    return out[0]


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    return True


@contextlib.contextmanager
def contained(kind):
    """A service with its dependency in a container: a network, processes and mounts of its own. Its process, port, and the dependency."""
    port = free_port()
    script = f"mount -t tmpfs none {shlex.quote(str(BUILD / 'preload'))} && read asks && exec \"$0\" \"$@\" $asks"
    unshare = subprocess.Popen(["unshare", "--net", *container.INSIDE[1:], script, sys.executable, HERE / "canary.py", kind, str(port)], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dependency = None
    try:
        poll_until(lambda: os.readlink(f"/proc/{unshare.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "a network of its own")
        inside(unshare.pid, loopback_up)
        dependency = inside(unshare.pid, Sound)
        unshare.stdin.write(b"%d\n" % dependency.server_port)
        unshare.stdin.close()
        pid = container.first_process(unshare)

        def answers():
            with contextlib.suppress(OSError):
                return order(port, 0)[0] == 200
            return False

        poll_until(lambda: inside(pid, answers), "the service answers")
        yield pid, port, dependency
    finally:
        unshare.kill()
        unshare.wait()
        if dependency:
            dependency.shutdown()
            dependency.server_close()


def of_container():
    """The relay goes into the service's network; what it holds flows again after kill -9 there, too."""
    need("unshare")
    if os.geteuid() != 0:
        skip("only root can make a network", can_run_here=False)
    with workdir() as top:
        with contained("stable") as (pid, port, _):
            gate = subprocess.Popen([GAPSCOPE, "gate", "--quiet", "--prove", "--faults", "stall", "--prove-share", "100", "--prove-errors", "100", "--prove-learn",
                                     "0", "--duration", "9", "--report", str(top / "r.json"), str(pid)], env=clean_env(), stdout=subprocess.DEVNULL)

            def drive():
                statuses = []
                while gate.poll() is None:
                    statuses.append(order(port, len(statuses))[0])
                return statuses

            try:
                statuses = inside(pid, drive)
            finally:
                gate.kill()
                gate.wait()
            proof = next(p for p in read_report(top / "r.json")["proofs"] if p["outcome"] == "gave_up")
            print(f"in a container: {proof['text']}; {len(statuses)} orders, {statuses.count(504)} without an answer")
            expect(abs(proof["seconds"] - 2) <= 0.3 and 504 in statuses, f"it gives up after 2 s: {proof}")
        with contained("no_timeout") as (pid, port, dependency):
            agent = subprocess.Popen([GAPSCOPE, "attach", "--quiet", "--prove", "faults=stall,share=100,errors=100,learn=0,hold=600", str(pid)], env=clean_env())
            done = []

            def call():
                while not done or done[-1][1] < 1:  # until one was held
                    done.append(order(port, len(done)))
                done.append(order(port, 1000))
                return done

            caller = threading.Thread(target=inside, args=(pid, call), daemon=True)
            try:
                caller.start()
                served = [-1]

                def held():
                    was, served[0] = served[0], dependency.served
                    time.sleep(1)
                    return served[0] == was > len(done) + 1

                poll_until(held, "a call is held")
                agent.kill()
                start = time.monotonic()
                caller.join(60)
                print(f"in a container, SIGKILL: traffic flows again after {time.monotonic() - start:.3f} s")
                expect(not caller.is_alive() and [status for status, _ in done[-2:]] == [200, 200], f"{done[-2:]}")
            finally:
                agent.kill()
                agent.wait()


def of_static():
    """A static program that the gate starts: from its first connection on."""
    need_probes()
    need("gcc")
    with workdir() as top:
        dependency = Sound()
        program = top / "asks"
        checked(["gcc", "-static", "-O2", "-o", program, HERE / "programs" / "asks.c"])
        try:
            for fault, wanted in (("stall", "gave_up"), ("refuse", "attempts"), ("503", "attempts")):
                run([GAPSCOPE, "gate", "--quiet", "--prove", "--faults", fault, "--prove-hold", 20, "--report", top / "r.json", "--", program,
                     dependency.server_port])
                proof, = read_report(top / "r.json")["proofs"]
                print(f"{fault}: {proof['outcome']}, {proof['affected']} connections, {proof['text']}")
                expect(proof["outcome"] == wanted and proof["affected"] == 3, f"{proof}")
                expect(wanted == "attempts" and proof["attempts"] == 3 or wanted == "gave_up" and 0.9 < proof["seconds"] < 2, f"{proof}")
        finally:
            dependency.shutdown()
            dependency.server_close()


def errors_stop():
    """Too many of the service's answers fail: all faults end, and the gate says so."""
    with workdir() as top, service(top, "stable") as (server, _):
        load = Load(server.port)
        try:
            run([GAPSCOPE, "gate", "--quiet", "--prove", "--faults", "503+reset", "--prove-share", 100, "--prove-learn", 1, "--prove-errors", 10,
                 "--json", top / "v.json", server.process.pid])
        finally:
            seen = load.stop()
        verdict = json.loads((top / "v.json").read_text())
        failed = sum(status != 200 for status, _ in seen)
        print(f"{failed} of {len(seen)} orders failed: {[c['text'] for c in verdict['checks'] if c['check'] == 'proof']}")
        expect(verdict["verdict"] in ("inconclusive", "fail"), f"it is {verdict['verdict']}")
        expect(any("too many answers" in c["text"] for c in verdict["checks"]), "the gate does not say why the faults ended")


def dry_run():
    with workdir() as top, service(top, "stable") as (server, dependency):
        load = Load(server.port)
        try:
            done = run([GAPSCOPE, "gate", "--prove", "--dry-run", "--duration", 3, "--report", top / "r.json", server.process.pid])
        finally:
            seen = load.stop()
        text = done.stdout.decode()
        print(text)
        expect(all(status == 200 for status, _ in seen) and dependency.served == len(seen), "a dry run changed what was answered")
        proofs = read_report(top / "r.json")["proofs"]
        expect(proofs and all(p["outcome"] == "planned" and p["affected"] == 0 for p in proofs), f"{proofs}")
        expect(f"would withhold the answers of 127.0.0.1:{dependency.server_port}" in text, "it does not say what it would do")


def refused_words():
    for words, text in ((["--dry-run", "1"], "--prove"), (["--prove", "--faults", "thunder", "--", "true"], "no fault"),
                        (["--prove", "--prove-share", "0", "1"], "prove-share"), (["--prove", "/dev/null"], "")):
        done = run([GAPSCOPE, "gate", *words])
        expect(done.returncode == 2 and text in done.stderr.decode(), f"{words}: {done.returncode} {done.stderr.decode()}")


CASES = {"prove_killed": killed, "prove_budget": budget, "prove_errors_stop": errors_stop, "prove_dry_run": dry_run, "prove_of_go": of_go,
         "prove_pooled": pooled, "prove_names": names,
         "prove_of_static": of_static, "prove_of_container": of_container,
         "prove_refused_words": refused_words}

if __name__ == "__main__":
    main(CASES)
