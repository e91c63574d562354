"""Under full load, with everything at its default: each request that the client counted is a span, one that was not sampled, or lost and
counted; and the service keeps its throughput. GS_LOAD is how many times the load of a default run (the nightly run sets 10)."""
import collections
import json
import os
import pathlib
import re
import signal
import statistics
import time

import costs
import gs
import servers

SIZE = int(os.environ.get("GS_LOAD", "1"))
# Throughput with and without; between goal and limit other programs on the machine may be the cause. Service, client and agent are three busy
# programs: where they share two processors, what the agent uses is taken from the other two, and no more than that shows in the ratio.
PROCESSORS = len(os.sched_getaffinity(0))
GOAL, LIMIT = 0.95, 0.80 if PROCESSORS > 2 else 0.60
CPU_GOAL, MEMORY_GOAL_KB = 15.0, 48 * 1024  # of one processor, at 20,000 requests a second
CPU_LIMIT, MEMORY_LIMIT_KB = 40.0, 160 * 1024  # processors differ
RATE = 20000
BUSY_RATE = RATE / 4  # where nginx does not come to so many, others use the machine, and what looking costs is shared by few requests
ROUNDS = 5 + SIZE // 2


class Watched:
    """A server under gapscope, its spans in a file; `counts()` when it has ended."""

    def __init__(self, top, command, port, spans=True, before=(), **options):
        self.top, self.spans = top, top / "spans.jsonl"
        export = ["--export", f"jsonl:{self.spans}"] if spans else []
        self.server = gs.Server([*before, *gs.watch(top / "report.json", *export), *command], port, top / "server.log", **options)

    def agent_ns(self):
        tasks = pathlib.Path(f"/proc/{self.server.process.pid}/task")
        return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks.iterdir())

    def agent_kb(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+)", status).group(1))

    def counts(self):
        """Server spans by name, and the report's losses."""
        report = gs.is_watched(self.top / "report.json")
        names = collections.Counter()
        with open(self.spans, encoding="utf-8") as lines:
            for line in lines:
                span = json.loads(line).get("span")
                if span and span["kind"] == "server":
                    names[span["name"]] += 1
        gs.expect(sum(names.values()) == report["service"]["server_requests"], "the report counts other requests than there are spans")
        return names, report["loss"]


def conserved(what, sent, spans, loss):
    """sent = spans + lost. A lost record may have held any number of requests, so lost ones are known by records only."""
    print(f"  {what}: sent {sent}, spans {spans}, records lost {loss['lost']} of {loss['published'] + loss['lost']}, "
          f"requests whose end was lost {loss.get('requests_unseen', 0)}")
    gs.expect(spans == sent if loss["lost"] == 0 else spans <= sent, f"{what}: {sent} requests, {spans} spans, {loss['lost']} records lost")


def load_nginx():
    """h2load and wrk against nginx. What wrk was waiting for when its time was over, nginx may have answered: nginx's own log decides."""
    gs.need("nginx", "wrk", "h2load")
    with gs.workdir() as top:
        port = gs.free_port()
        servers.nginx_conf(port, top, workers=2)
        watched = Watched(top, servers.nginx_command(port, top), port)
        page, n = f"http://127.0.0.1:{port}/index.html", 20000 * SIZE
        try:
            text = gs.checked(["h2load", "--h1", "-n", str(n), "-c", "16", page], timeout=300).decode()
            gs.expect(f"{n} succeeded" in text, text)
            wrk = gs.checked(["wrk", "-t2", "-c32", f"-d{2 * SIZE}s", page]).decode()
        finally:
            watched.server.stop()
        done = int(re.search(r"(\d+) requests in", wrk).group(1))
        with open(top / "access.log", encoding="utf-8") as log:
            served = sum(1 for _ in log)
        names, loss = watched.counts()
        print(f"  h2load made {n}, wrk {done}, nginx answered {served}")
        conserved("nginx", served, names["GET"], loss)
        gs.expect(n + done <= served <= n + done + 32, "nginx answered others than were sent")


def load_redis():
    gs.need("redis-server", "redis-benchmark")
    for depth, n in (("1", 20000 * SIZE), ("16", 100000 * SIZE)):
        with gs.workdir() as top:
            port = gs.free_port()
            watched = Watched(top, ["redis-server", "--port", port, "--save", "", "--dir", top], port)
            try:
                gs.checked(["redis-benchmark", "-p", port, "-P", depth, "-c", "32", "-n", n, "-t", "set,get", "-q"], timeout=600)
            finally:
                watched.server.stop()
            names, loss = watched.counts()
            gs.expect(names["SET"] <= n and names["GET"] <= n, f"more spans than commands: {names}")
            conserved(f"redis-benchmark -P {depth}", 2 * n, names["SET"] + names["GET"], loss)


def load_postgres():
    """pgbench against postgres: five statements and two of the transaction's own."""
    programs = servers.postgres_programs()
    n = 200 * SIZE
    with gs.workdir() as top:
        port = gs.free_port()
        base, reports, laid = top / "base", top / "reports", top / "laid"
        for folder in (base, reports, laid):
            folder.mkdir()
            folder.chmod(0o777)
        servers.lay_gapscope(laid)
        servers.postgres_prepare(port, base)
        watched = Watched(reports, [programs / "postgres", "-D", base / "data"], port, before=servers.AS_POSTGRES, cwd="/")
        try:
            tool = servers.postgres_fill(port)
            text = gs.checked([programs / "pgbench", "-n", "-c", "8", "-t", str(n), *tool, "postgres"], timeout=600).decode()
            gs.expect(f"{8 * n}/{8 * n}" in text, text)
        finally:
            watched.server.stop(signal.SIGINT)  # its clients are sent away
        names, loss = watched.counts()
        found = sum(names[k] for k in ("UPDATE pgbench_accounts", "SELECT pgbench_accounts", "UPDATE pgbench_tellers",
                                       "UPDATE pgbench_branches", "INSERT pgbench_history"))
        conserved("pgbench", 5 * 8 * n, found, loss)


def agent_cost():
    """What the agent uses of processor and memory while nginx answers wrk, reckoned for 20,000 requests a second."""
    gs.need("nginx", "wrk")
    best, memory, rate = None, 0, 0
    for _ in range(3):
        with gs.workdir() as top:
            port = gs.free_port()
            servers.nginx_conf(port, top, workers=1)
            watched = Watched(top, servers.nginx_command(port, top), port, spans=False)
            try:
                page = f"http://127.0.0.1:{port}/index.html"
                gs.checked(["wrk", "-t1", "-c16", "-d1s", page])  # names its call sites
                before = watched.agent_ns()
                n = int(re.search(r"(\d+) requests in", gs.checked(["wrk", "-t1", "-c16", "-d4s", page]).decode()).group(1))
                time.sleep(0.3)  # the agent reads what is left: it belongs to the measurement
                used = watched.agent_ns() - before
                memory = max(memory, watched.agent_kb())
            finally:
                watched.server.stop()
            loss = gs.is_watched(top / "report.json")["loss"]
            percent = used / n * RATE / 1e7
            print(f"  {n / 4:.0f} requests/s: {used / n / 1000:.2f} us each, {percent:.1f} % of a processor at {RATE}/s; "
                  f"{loss['lost']} of {loss['published'] + loss['lost']} records lost", flush=True)
            best = percent if best is None else min(best, percent)
            rate = max(rate, n / 4)
        if best <= CPU_GOAL:
            break
    print(f"  agent: {best:.1f} % (goal {CPU_GOAL} %), {memory / 1024:.1f} MiB (goal {MEMORY_GOAL_KB // 1024} MiB): "
          f"{'reached' if best <= CPU_GOAL and memory <= MEMORY_GOAL_KB else 'NOT REACHED'}; {costs.machine()}")
    gs.expect(best <= CPU_LIMIT or rate < BUSY_RATE, f"the agent needs {best:.1f} % of a processor")
    gs.expect(memory <= MEMORY_LIMIT_KB, f"the agent needs {memory} KiB")


def throughput(name, start, drive):
    """Bare and watched in turns on the same load; the better of two ratios: of the medians, and of the best rounds."""
    with gs.workdir() as top:
        up = []
        try:
            for mode in ("bare", "watched"):
                folder = top / mode
                folder.mkdir()
                port = gs.free_port()
                words = [*(gs.watch(top / "r.json") if mode == "watched" else []), *start(port, folder)]
                up.append((port, gs.Server(words, port, top / f"{mode}.log")))

            def measure():
                rates = ([], [])
                for port, _ in up:
                    drive(port)
                for _ in range(ROUNDS):
                    for i, (port, _) in enumerate(up):
                        rates[i].append(drive(port))
                bare, watched = (statistics.median(r) for r in rates)
                ratio = max(watched / bare, max(rates[1]) / max(rates[0]))
                print(f"  {name}: bare median {bare:.0f}/s, best {max(rates[0]):.0f}/s; watched {watched:.0f}/s, {max(rates[1]):.0f}/s; "
                      f"ratio {ratio:.3f}", flush=True)
                return -ratio  # best_of looks for the lowest

            ratio = -costs.best_of(measure, -GOAL)
        finally:
            for _, server in up:
                server.stop()
    print(f"  {name}: {ratio:.3f} of the throughput, goal {GOAL}: {'reached' if ratio >= GOAL else 'NOT REACHED'}; {costs.machine()}")
    gs.expect(ratio >= LIMIT, f"{name}: only {ratio:.3f} of the throughput")


def throughput_nginx():
    gs.need("nginx", "wrk")

    def start(port, folder):
        servers.nginx_conf(port, folder, workers=1)
        return servers.nginx_command(port, folder)

    def drive(port):
        text = gs.checked(["wrk", "-t1", "-c16", "-d1s", f"http://127.0.0.1:{port}/index.html"]).decode()
        return float(re.search(r"Requests/sec: +([\d.]+)", text).group(1))

    throughput("nginx", start, drive)


def throughput_redis():
    gs.need("redis-server", "redis-benchmark")

    def start(port, folder):
        return ["redis-server", "--port", port, "--save", "", "--dir", folder]

    for depth, n in (("1", 30000), ("16", 300000)):
        def drive(port, depth=depth, n=n):
            text = gs.checked(["redis-benchmark", "-p", port, "-P", depth, "-c", "32", "-n", n, "-t", "set", "--csv"]).decode()
            return float(text.splitlines()[-1].split(",")[1].strip('"'))

        throughput(f"redis -P {depth}", start, drive)


CASES = {f.__name__: f for f in (load_nginx, load_redis, load_postgres, agent_cost, throughput_nginx, throughput_redis)}

if __name__ == "__main__":
    gs.main(CASES)
