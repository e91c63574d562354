"""What is no retry, in real traffic; what is, when a dependency fails; and attempts counted at both ends.

GS_TRAFFIC_SECONDS sets how long the mixed traffic lasts (18 by default; 1800 at night).
"""
import collections
import http.server
import os
import random
import resource
import signal
import threading

import gs
import servers

SECONDS = int(os.environ.get("GS_TRAFFIC_SECONDS", "18"))


class Dependency:
    """An HTTP service of our own that fails a share of its requests, and counts the attempts it saw by path."""

    def __init__(self, failing):
        self.seen = collections.Counter()
        draw = random.Random(7)
        lock = threading.Lock()
        seen = self.seen

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    seen[self.path] += 1
                    status = 503 if draw.random() < failing else 200
                body = b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        class Threads(http.server.ThreadingHTTPServer):
            request_queue_size = 2048
            daemon_threads = True

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def mixed(failing, seconds, *words):
    """Findings of retry.* rules of the mixed traffic: {(rule, first part of the path)}, and the report."""
    gs.need("nginx", "wrk", "redis-server", "redis-benchmark", "curl")
    with gs.workdir() as top, Dependency(failing) as dependency:
        nginx_port, redis_port, postgres_port = gs.free_port(), gs.free_port(), gs.free_port()
        for name in ("nginx", "postgres"):
            (top / name).mkdir()
        servers.postgres_prepare(postgres_port, top / "postgres")
        servers.nginx_conf(nginx_port, top / "nginx", workers=1)
        nginx = gs.Server(servers.nginx_command(nginx_port, top / "nginx"), nginx_port, top / "nginx.log")
        redis = gs.Server(["redis-server", "--port", str(redis_port), "--save", "", "--dir", top], redis_port, top / "redis.log")
        postgres = gs.Server([*servers.AS_POSTGRES, servers.postgres_programs() / "postgres", "-D", top / "postgres" / "data"], postgres_port,
                             top / "postgres.log", cwd="/")
        try:
            servers.postgres_fill(postgres_port)
            gs.checked([*gs.watch(top / "report.json"), "/usr/bin/python3", gs.HERE / "programs" / "mixed_clients.py", dependency.port,
                        nginx_port, redis_port, postgres_port, seconds, *words], timeout=seconds + 90)
        finally:
            redis.kill()
            postgres.stop(signal.SIGINT)
            nginx.stop()
        report = gs.is_watched(top / "report.json", 1000)
        print(f"  {report['loss']['published']} records, {report['service']['client_requests']} requests, {sum(dependency.seen.values())} "
              f"at the dependency, {report['loss']['lost']} lost")
        found = {}
        for f in report["findings"]:
            if f["rule"].startswith("retry."):
                found.setdefault((f["rule"], "/" + f["operation"].partition("/")[2].partition("/")[0].partition("?")[0]), f)
                print(f"  {f['rule']} {f['severity']} {f['operation']}: {f['message']}")
        return found


def healthy_traffic():
    found = mixed(0.0, SECONDS)
    gs.expect(not found, f"findings without a fault: {sorted(found)}")


def failing_dependency():
    found = mixed(0.3, SECONDS, "retriers")
    # Runs of three hasty retries (0.8 % of the calls) are rare in a short run. The three clients together may pass the peer's budget.
    allowed = {("retry.no_backoff", "/hasty"), ("retry.non_idempotent", "/pay"), ("retry.budget", "/")}
    gs.expect(("retry.non_idempotent", "/pay") in found, "the repeated POST was not found")
    gs.expect(("retry.no_backoff", "/hasty") in found, "retries without back-off were not found")
    undeserved = sorted(k for k in found if k not in allowed)
    gs.expect(not undeserved, f"findings that nobody deserves: {undeserved}")


def compare_counts(n):
    """One run; returns how many records were lost (then there is nothing to compare)."""
    with gs.workdir() as top, Dependency(1.0) as dependency:
        gs.checked([*gs.watch(top / "report.json"), "/usr/bin/python3", gs.HERE / "programs" / "many_sequences.py", dependency.port, n])
        report = gs.is_watched(top / "report.json", 1000)
        said = {r["operation"].split(" ")[1]: r for r in report["retries"] if r["operation"].startswith("GET /op/")}
        wrong = [(p, seen, said.get(p, {}).get("max_attempts")) for p, seen in dependency.seen.items()
                 if said.get(p, {}).get("max_attempts") != seen]
        classes = collections.Counter((r["class"], r["bound"]) for r in said.values())
        lost = report["loss"]["lost"]
        print(f"  {sum(dependency.seen.values())} attempts in {len(dependency.seen)} sequences, {len(wrong)} differ; {dict(classes)}; {lost} lost")
        gs.expect(len(dependency.seen) == n and sum(dependency.seen.values()) == sum(k % 5 + 1 for k in range(n)), "the clients did otherwise")
        if not lost:
            gs.expect(not wrong, f"other counts (path, server, report): {wrong[:10]}")
            gs.expect(all(r["class"] == ("none" if r["max_attempts"] == 1 else "bounded") for r in said.values()), "other classes")
        return lost


def attempts_agree():
    """1,000 sequences at once: what the report counts is what the failing server saw."""
    n = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    for _ in range(4):
        lost = compare_counts(n)
        if not lost:
            break
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    gs.expect(not lost, f"{lost} records were lost each time: the machine is too busy to compare")


if __name__ == "__main__":
    gs.main({"healthy_traffic": healthy_traffic, "failing_dependency": failing_dependency, "attempts_agree": attempts_agree})
