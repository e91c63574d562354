"""Leaks of resources: programs that leak one thing each are told by the right rule, and programs and servers that keep pools and caches are not.

What runs for so long that a leak shows (GAPSCOPE_NIGHTLY=1: ten minutes for what must not be told) is started all at once.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import gs
import servers

LEAKS = gs.HERE / "programs" / "leaks.py"
IN_C = str(gs.BUILD / "tests" / "system" / "system_resources")
NIGHTLY = os.environ.get("GAPSCOPE_NIGHTLY") == "1"
RATE = 10

# Kind of leak: seconds that it takes, rule, and a text of its evidence or message.
LEAKING = {
    "fd_read": (24, "resource.fd.leak", "leaks.py"),
    "fd_write": (20, "resource.fd.leak", "files opened by"),
    "fd_names": (20, "resource.fd.leak", "files opened by"),
    "fd_socket": (20, "resource.fd.leak", "TCP sockets to 127.0.0.1:"),
    "fd_pipe": (20, "resource.fd.leak", "pipe ends"),
    "fd_dup": (24, "resource.fd.leak", "/dev/null"),
    "fd_eventfd": (24, "resource.fd.leak", "eventfd"),
    "close_wait": (34, "resource.close_wait", "CLOSE_WAIT"),
    "threads": (40, "resource.thread.growth", "threads"),
    "processes": (40, "resource.process.growth", "processes"),
    "churn": (24, "resource.connection.churn", "connections for"),
    "backlog": (12, "resource.backlog.overflow", "dropped"),
}
# The same of a program in C (resources.c), which names what takes it; its repaired twin leaks nothing.
LEAKING_IN_C = {
    "read": ("resource.fd.leak", "take_read"),
    "stream": ("resource.fd.leak", "take_stream"),
    "write": ("resource.fd.leak", "take_write"),
    "pipe": ("resource.fd.leak", "take_pipe"),
    "eventfd": ("resource.fd.leak", "take_eventfd"),
    "epoll": ("resource.fd.leak", "take_epoll"),
    "timer": ("resource.fd.leak", "take_timer"),
    "copy": ("resource.fd.leak", "take_copy"),
    "socket": ("resource.fd.leak", "take_socket"),
    "accepted": ("resource.close_wait", "take_accepted"),
    "churn": ("resource.connection.churn", "take_churn"),
    "thread": ("resource.thread.growth", "take_thread"),
    "child": ("resource.process.growth", "take_child"),
    "zombie": ("resource.process.growth", "take_zombie"),
    "backlog": ("resource.backlog.overflow", "listens"),
}
SECONDS_IN_C = 40
# What else is true of a program: it is told as well.
ALSO = {"backlog": {"resource.fd.leak"}, "accepted": {"resource.fd.leak"}, "socket": {"resource.thread.growth"},
        "close_wait": {"resource.fd.leak", "resource.connection.churn"}}
CALM = ("ok_pool", "ok_idle_pool", "ok_cache", "ok_read_cache", "ok_threadpool", "ok_workers", "ok_keep_alive", "ok_deferred")


def resource_findings(path):
    return [f for f in gs.read_report(path)["findings"] if f["rule"].startswith("resource.")]


def play_all(kinds, folder):
    """Runs leaks.py of each kind under watch, at the same time. Kinds: name → seconds."""
    running = {}
    for kind, seconds in kinds.items():
        words = gs.watch(folder / f"{kind}.json", "--record", str(folder / f"{kind}.gsr"))
        running[kind] = subprocess.Popen([*words, sys.executable, LEAKS, kind, str(RATE), str(seconds)],
                                         env=gs.clean_env({"TMPDIR": str(folder)}),
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for kind, process in running.items():
        err = process.communicate(timeout=kinds[kind] + gs.LIMIT_S)[1]
        gs.expect(process.returncode == 0, f"{kind} ended with {process.returncode}: {err.decode()[-500:]}")


def resources_leak():
    with gs.workdir() as folder:
        play_all({kind: plan[0] for kind, plan in LEAKING.items()}, folder)
        for kind, (_, rule, text) in LEAKING.items():
            found = resource_findings(folder / f"{kind}.json")
            told = [f for f in found if f["rule"] == rule and text in f["message"]]
            print(f"  {kind}: " + ("; ".join(f["message"] for f in told) or "nothing"))
            gs.expect(told, f"{kind} is not told as {rule}: {json.dumps(found)[:500]}")
            others = {f["rule"] for f in found} - {rule} - ALSO.get(kind, set())
            gs.expect(not others, f"{kind} is told as {others}, too")
            gs.expect(told[0]["count"] >= 3 and told[0]["remedy"], "a finding without a count or a remedy")
            again = folder / f"{kind}-again.json"
            gs.checked([gs.GAPSCOPE, "replay", "--report", again, folder / f"{kind}.gsr"])
            gs.expect(again.read_bytes() == (folder / f"{kind}.json").read_bytes(), f"{kind}: the replay's report is another one")


def play_in_c(plans, folder):
    """Runs resources.c for each kind and way (leak or ok), at the same time; what was found of each."""
    reports = {plan: folder / f"{'-'.join(plan)}.json" for plan in plans}
    running = {plan: subprocess.Popen([*gs.watch(report), IN_C, *plan, str(RATE), str(SECONDS_IN_C)], env=gs.clean_env(),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for plan, report in reports.items()}
    for plan, process in running.items():
        gs.expect(process.wait(SECONDS_IN_C + gs.LIMIT_S) == 0, f"{plan} ended with {process.returncode}")
    return {plan: resource_findings(report) for plan, report in reports.items()}


def resources_in_c():
    """Each kind of leak is told with its call site, and of its repaired twin nothing is. A machine that is too busy makes no even growth: once more."""
    left = list(LEAKING_IN_C)
    with gs.workdir() as folder:
        for attempt in range(3):
            plans = [(kind, how) for kind in left for how in (("leak", "ok") if attempt == 0 else ("leak",))]
            for (kind, how), found in play_in_c(plans, folder).items():
                rule, function = LEAKING_IN_C[kind]
                print(f"  {kind}, {how}: " + ("; ".join(f["message"] for f in found) or "nothing"))
                if how == "ok":
                    gs.expect(not found, f"{kind} is repaired: {json.dumps(found)[:800]}")
                    continue
                others = {f["rule"] for f in found} - {rule} - ALSO.get(kind, set())
                gs.expect(not others, f"{kind} is told as {others}, too")
                if any(f["rule"] == rule and any(function in place for place in f["call_site"]["stack"]) for f in found):
                    left.remove(kind)
            if not left:
                return
    gs.expect(False, f"not told by rule and call site: {left}")


def resources_calm():
    with gs.workdir() as folder:
        play_all({kind: 600 if NIGHTLY else 45 for kind in CALM}, folder)
        for kind in CALM:
            found = resource_findings(folder / f"{kind}.json")
            gs.expect(not found, f"{kind} does not leak: {json.dumps(found)[:800]}")
        print(f"  {len(CALM)} programs with pools and caches: no finding")


def serve(command, port, load, folder, name, how=signal.SIGTERM):
    """A server under watch and under steady load; what is told of its resources."""
    report = folder / f"{name}.json"
    with subprocess.Popen([*gs.watch(report), *map(str, command)], env=gs.clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            gs.poll_until(lambda: gs.listening(port) or server.poll() is not None, f"{name} does not listen")
            end = time.monotonic() + (600 if NIGHTLY else 25)
            while time.monotonic() < end:
                gs.checked(load)
        finally:
            server.send_signal(how)
            server.wait(gs.LIMIT_S)
    events = gs.is_watched(report)["service"]["events"]
    found = resource_findings(report)
    gs.expect(not found, f"{name} does not leak: {json.dumps(found)[:800]}")
    print(f"  {name}: {events} events, no finding")


def resources_servers():
    gs.need("nginx", "redis-server", "redis-benchmark", "wrk", "node", "curl")
    failures = []

    def caught(*args):
        try:
            serve(*args)
        except (gs.Failure, subprocess.SubprocessError, OSError) as e:
            failures.append(f"{args[4]}: {e}")

    with gs.workdir() as folder:
        nginx, redis, node, python = (gs.free_port() for _ in range(4))
        servers.nginx_conf(nginx, folder)
        script = folder / "app.js"
        script.write_text(f"require('http').createServer((q, s) => s.end('ok\\n')).listen({node}, '127.0.0.1');\n")
        plans = [
            (servers.nginx_command(nginx, folder), nginx, ["wrk", "-t1", "-c20", "-d2s", f"http://127.0.0.1:{nginx}/index.html"], folder, "nginx"),
            (["redis-server", "--port", redis, "--bind", "127.0.0.1", "--dir", folder, "--save", ""], redis,
             ["redis-benchmark", "-q", "-p", redis, "-n", "2000", "-c", "20", "-t", "get,set"], folder, "redis"),
            (["node", script], node, ["wrk", "-t1", "-c10", "-d2s", f"http://127.0.0.1:{node}/"], folder, "node"),
            ([sys.executable, "-m", "http.server", python, "--bind", "127.0.0.1", "--directory", folder / "html"], python,
             ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{python}/[1-40]"], folder, "python"),
        ]
        threads = [threading.Thread(target=caught, args=p) for p in plans]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    gs.expect(not failures, "; ".join(failures))


@contextlib.contextmanager
def limited_group(limit_bytes):
    """A control group of the kernel's with so much memory, of either version: the file that takes the numbers of its processes."""
    ways = (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"))
    made = None
    for root, limit in ways:
        group = pathlib.Path(root) / f"gapscope-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / limit).exists():
            (group / limit).write_text(str(limit_bytes))
            made = group
            break
        group.rmdir()
    if made is None:
        gs.skip("no control group with a limit of memory can be made", can_run_here=False)
    try:
        yield made / "cgroup.procs"
    finally:
        gs.poll_until(lambda: not (made / "cgroup.procs").read_text(), "the end of the group's processes")
        made.rmdir()


def memory_limit():
    """A program that grows towards the limit of its control group: both that it is near, and when it will be there."""
    limit, seconds = 256 << 20, 26
    program = "import time\nheld, begun = [], time.monotonic()\n" \
              f"while (t := time.monotonic() - begun) < {seconds}:\n" \
              f"    if len(held) < t * {0.8 * (limit >> 20) / seconds}:\n        held.append(bytearray(b'x') * (1 << 20))\n    time.sleep(0.02)\n"
    with gs.workdir() as folder, limited_group(limit) as processes:
        (folder / "c.yaml").write_text("detectors:\n  memory: {seconds: 6, near: 45}\n")
        gs.checked([*gs.watch(folder / "r.json", "--config", folder / "c.yaml"), "sh", "-c", f'echo $$ >{processes} && exec "$0" -c "$1"',
                    sys.executable, program])
        found = [f for f in resource_findings(folder / "r.json") if f["rule"] == "resource.memory.limit"]
        for f in found:
            print(f"  {f['operation']}: {f['message']}")
        gs.expect({f["operation"] for f in found} == {"near", "growing"}, f"told: {found}")
        gs.expect(len({f["fingerprint"] for f in found}) == len(found), "a baseline would take one of them for the other")
        for f in found:
            gs.expect(f["evidence"]["limit_bytes"] == limit, f"another limit: {f['evidence']}")
        left = [f["evidence"] for f in found if "limit_reached_in_s" in f["evidence"]]
        rate = left[0]["mib_a_minute"] / (0.8 * (limit >> 20) * 60 / seconds)
        gs.expect(0.6 < rate < 1.6, f"grows by {rate:.2f} of the true rate")


def process_metrics():
    """process.* of a session agree with what /proc says of a program of known size."""
    program = "import threading, time, os\nheld = [os.open('/dev/null', os.O_RDONLY) for _ in range(40)]\n" \
              "body = bytearray(b'x' * (64 << 20))\n[threading.Thread(target=time.sleep, args=(9,), daemon=True).start() for _ in range(6)]\n" \
              "end = time.monotonic() + 5\nwhile time.monotonic() < end:\n    sum(range(1000))\nos._exit(0)\n"
    with gs.workdir() as folder:
        lines = folder / "metrics.jsonl"
        env = gs.clean_env({"OTEL_METRIC_EXPORT_INTERVAL": "500"})
        gs.checked([*gs.watch(folder / "r.json", "--export", f"jsonl:{lines}"), sys.executable, "-c", program], env=env)
        largest = {}
        for line in pathlib.Path(lines).read_text(encoding="utf-8").splitlines():
            m = json.loads(line).get("metric")
            if m and m["name"].startswith("process.") and "value" in m:
                key = (m["name"], m["attributes"].get("cpu.mode"))
                largest[key] = max(largest.get(key, 0), m["value"])
        print("  " + ", ".join(f"{k[0]}{' ' + k[1] if k[1] else ''} {v:g}" for k, v in sorted(largest.items(), key=str)))
        gs.expect(64 << 20 <= largest["process.memory.usage", None] < 400 << 20, "resident memory is not that of the program")
        gs.expect(largest["process.memory.virtual", None] > largest["process.memory.usage", None], "less is mapped than is resident")
        gs.expect(largest["process.thread.count", None] == 7, "seven threads ran")
        gs.expect(43 <= largest["process.unix.file_descriptor.count", None] <= 50, "forty descriptors and a few were open")
        gs.expect(largest["process.cpu.time", "user"] > 0.1, "it did nothing but count")


gs.main({f.__name__: f for f in (resources_leak, resources_in_c, resources_calm, resources_servers, process_metrics, memory_limit)})
