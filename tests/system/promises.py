"""Promises of a whole run: a replay gives the same report, no call goes unaccounted, and the agent's death does not touch the service."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import gs

EXACTLY = gs.BUILD / "tests" / "system" / "system_exactly"
PROGRAMS = gs.HERE / "programs"


def replay_is_the_same():
    commands = {
        "sockets": [EXACTLY, "2000", "4"],
        "python http": ["python3", "-W", "ignore", PROGRAMS / "app.py", "http"],
        "python asyncio": ["python3", "-W", "ignore", PROGRAMS / "app.py", "asyncio"],
        "python subprocess": ["python3", "-W", "ignore", PROGRAMS / "app.py", "subprocess"],
        "bash": ["bash", PROGRAMS / "pipes.sh"],
        "a log with personal data": ["sh", "-c", "for i in 1 2 3; do echo \"user jane.doe$i@gmail.com password=hunter2$i\"; done; echo x >&2"],
    }
    with gs.workdir() as top:
        for name, command in commands.items():
            live, again, twice = top / "live.json", top / "again.json", top / "twice.json"
            gs.run([gs.GAPSCOPE, "run", "--quiet", "--report", live, "--record", top / "recording", "--", *command], cwd=top)
            gs.is_watched(live)
            for report in (again, twice):
                gs.checked([gs.GAPSCOPE, "replay", top / "recording", "--report", report])
            same = live.read_bytes() == again.read_bytes() == twice.read_bytes()
            print(f"  {name}: {live.stat().st_size} bytes of report, {(top / 'recording').stat().st_size} of recording, same: {same}")
            if not same:
                print(subprocess.run(["diff", live, again], stdout=subprocess.PIPE, check=False).stdout.decode()[:3000])
            gs.expect(same, f"{name}: the replay's report differs")
            gs.expect(b"hunter2" not in (top / "recording").read_bytes(), "a password is in the recording")
            gs.expect(b"jane.doe" not in (top / "recording").read_bytes() + live.read_bytes(), "an address is in the recording or report")


def calls(top, pings, threads, *options):
    report = top / "r.json"
    gs.checked([gs.GAPSCOPE, "run", "--quiet", "--report", report, *options, "--", EXACTLY, pings, threads])
    loss = gs.read_report(report)["loss"]
    gs.expect(sum(loss["by_cause"].values()) == loss["lost"], f"causes do not add up: {loss}")
    return loss["published"], loss["lost"]


def conservation():
    """Published + lost = calls, at saturation, with rings that are large enough, too small, and too few."""
    with gs.workdir() as top:
        for pings, threads, options in ((200000, 4, ()), (200000, 4, ("--ring-size", "4096")), (100000, 8, ("--no-stacks",)),
                                        (20000, 32, ("--rings", "8"))):
            few = sum(calls(top, 0, threads, *options))
            published, lost = calls(top, pings, threads, *options)
            made = 2 * pings * threads
            print(f"  {threads} threads {options}: {made} calls = {published + lost - few} (published {published}, lost {lost}, "
                  f"beside them {few})")
            # A thread that finds no ring free has no record of its start and its exit: which ones do is chance.
            slack = 2 * threads if "--rings" in options else 0
            gs.expect(abs(published + lost - few - made) <= slack, f"{published + lost - few - made:+} calls")


def run_to_kill(top, *options):
    """A service at full speed under watch; returns gapscope's process and a function that ends the service by itself."""
    stop, pid = top / "stop", top / "pid"
    words = [*gs.watch(top / "r.json", *options), "sh", "-c", f"echo $$ >{pid}; exec {EXACTLY} 0 2 {stop} >{top}/out; "]
    agent = subprocess.Popen([str(w) for w in words], env=gs.clean_env(), stdin=subprocess.DEVNULL)
    gs.poll_until(lambda: pid.exists() and pid.read_text().strip(), "the service runs")
    service = int(pid.read_text())
    gs.poll_until(lambda: b"exactly" in pathlib.Path(f"/proc/{service}/cmdline").read_bytes(), "the service is itself")
    return agent, service, stop


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def agent_killed():
    """kill -9 of gapscope under load: the service goes on at full speed and ends well."""
    with gs.workdir() as top:
        agent, service, stop = run_to_kill(top)
        start = cpu_ticks(service)
        gs.poll_until(lambda: cpu_ticks(service) > start + 20, "the service works")
        agent.kill()
        agent.wait()
        start = cpu_ticks(service)
        gs.poll_until(lambda: cpu_ticks(service) > start + 100, "the service works on after the agent's death")
        gs.expect(alive(service), "the service died with the agent")
        stop.touch()
        gs.poll_until(lambda: not alive(service), "the service ends by itself")
        gs.expect((top / "out").read_text() == "all done\n", "the service did not end well")
        leftovers = [p.name for p in pathlib.Path("/dev/shm").iterdir() if "gapscope" in p.name]
        gs.expect(not leftovers, f"left behind: {leftovers}")
        print("  the service outlived its agent and ended well")


def agent_stopped():
    """SIGSTOP of gapscope: rings fill, the service goes on; after SIGCONT the account still balances."""
    with gs.workdir() as top:
        agent, service, stop = run_to_kill(top, "--ring-size", "4096")
        agent.send_signal(signal.SIGSTOP)
        start = cpu_ticks(service)
        gs.poll_until(lambda: cpu_ticks(service) > start + 50, "the service works on while the agent stands")
        agent.send_signal(signal.SIGCONT)
        stop.touch()
        gs.expect(agent.wait(gs.LIMIT_S) == 0, "gapscope did not end with the service's status")
        loss = gs.is_watched(top / "r.json")["loss"]
        print(f"  {loss}")
        gs.expect(loss["lost"] > 0, "a stopped agent must have lost records")


def report_on_signal():
    """SIGTERM and SIGINT reach the service, the report is there within 2 s even if the service takes longer; the status is the service's."""
    for how in (signal.SIGTERM, signal.SIGINT):
        with gs.workdir() as top:
            report, ready = top / "r.json", top / "ready"
            trap = f"trap 'sleep 3; exit 21' {how.name[3:]}; echo x >{ready}; while :; do sleep 0.05; done"
            agent = subprocess.Popen([*gs.watch(report), "bash", "-c", trap], env=gs.clean_env(), stdin=subprocess.DEVNULL)
            gs.poll_until(ready.exists, "the service runs")
            agent.send_signal(how)
            sent = time.monotonic()
            gs.poll_until(report.exists, "the report is written", limit=10)
            took = time.monotonic() - sent
            gs.read_report(report)
            gs.expect(agent.poll() is None, "gapscope ended before its service")
            status = agent.wait(gs.LIMIT_S)
            print(f"  {how.name}: report after {took:.2f} s, status {status}")
            gs.expect(took < 2, f"the report took {took:.2f} s")
            gs.expect(status == 21, f"status {status}, not the service's 21")
            gs.is_watched(report)


def static_program():
    """A static program cannot be watched by the shim: it runs the same, and the report says so, and whether the kernel's probes saw it."""
    gs.need("gcc")
    with gs.workdir() as top:
        (top / "s.c").write_text("#include <stdio.h>\nint main(void) { puts(\"static\"); return 12; }\n")
        gs.checked(["gcc", "-static", "-o", top / "s", top / "s.c"])
        done = gs.run([gs.GAPSCOPE, "run", "--report", top / "r.json", "--", top / "s"])
        gs.expect(done.returncode == 12 and done.stdout == b"static\n", f"it ran otherwise: {done}")
        gs.expect(b"static" in done.stderr, f"nobody says that it was not watched: {done.stderr}")
        report = gs.read_report(top / "r.json")
        print("  ", done.stderr.decode().strip(), "|", report["not_exercised"])
        probed = b"watched by probes" in done.stderr
        gs.expect((report["loss"]["published"] > 0) == probed and report["not_exercised"], "the report does not say what was seen")
        if os.getuid() == 0:
            gs.expect(probed, "root can load probes")
            plain = gs.run(["setpriv", "--bounding-set", "-bpf,-perfmon,-sys_admin", gs.GAPSCOPE, "run", "--report", top / "r.json", "--", top / "s"])
            print("  ", plain.stderr.decode().strip())
            gs.expect(plain.returncode == 12 and b"CAP_BPF" in plain.stderr, f"it does not say what is missing: {plain}")
            gs.expect(gs.read_report(top / "r.json")["loss"]["published"] == 0, "nothing was seen")


def other_user():
    """A program that the service starts as another user is watched too, though that user may not open the agent's /proc entry."""
    gs.need("runuser")
    if os.getuid() != 0:
        gs.skip("only root can start programs as another user", can_run_here=False)
    with gs.workdir() as top:
        # Where anybody can read it: the build may lie in a folder of root's alone.
        (top / "preload").mkdir()
        shutil.copy(gs.GAPSCOPE, top / "gapscope")
        shutil.copy(gs.BUILD / "preload" / "libgapscope.so", top / "preload" / "libgapscope.so")
        shutil.copy(EXACTLY, top / "exactly")
        report = top / "r.json"
        gs.checked([top / "gapscope", "run", "--quiet", "--report", report, "--", "runuser", "-u", "nobody", "--", top / "exactly", "5000", "1"])
        read = gs.read_report(report)
        print(f"  {read['loss']['published']} records; {read['not_exercised']}")
        gs.expect(read["loss"]["published"] + read["loss"]["lost"] > 10000, "the other user's program was not watched")
        (top / "preload" / "libgapscope.so").chmod(0o700)
        gs.checked([top / "gapscope", "run", "--quiet", "--report", report, "--", "sh", "-c", f"runuser -u nobody -- {top}/exactly 10 1"])
        read = gs.read_report(report)
        print(f"  library unreadable: {read['not_exercised']}")
        gs.expect(any(f"{top}/exactly ran unwatched" in text for text in read["not_exercised"]), "nobody says that a program ran unwatched")


CASES = {f.__name__: f for f in (replay_is_the_same, conservation, agent_killed, agent_stopped, report_on_signal, static_program,
                                  other_user)}

if __name__ == "__main__":
    gs.main(CASES)
