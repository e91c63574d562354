"""Waits and attempts that are no fault: each of programs/quiet_clients.py stays without a finding, and its faulty twins do not."""
import concurrent.futures
import http.server
import threading
import time

import gs

LATE_S = 3.5
CONFIG = "detectors:\n  deadline: {warn_seconds: 1, error_seconds: 2}\n"
HTTP = ("pooled", "pooled_watched", "long_poll", "events", "acceptor", "cancel", "other_address", "same_socket")
REDIS = ("subscriber", "queue_worker")
FAULTY = {"slow_page": "deadline.response.missing", "silent": "deadline.response.missing"}


class Handler(http.server.BaseHTTPRequestHandler):
    """/good/… at once, /late/… after a while, /events/… bit by bit."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        stream = self.path.startswith("/events/")
        if self.path.startswith("/late/"):
            time.sleep(LATE_S)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "text/plain")
        if stream:
            self.close_connection = True
            self.end_headers()
            for n in range(3):
                self.wfile.write(f"data: {n}\n\n".encode())
                time.sleep(LATE_S / 2)
            return
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Web(http.server.ThreadingHTTPServer):
    """Clients leave as they like."""
    daemon_threads = True

    def handle_error(self, *_):
        pass


def findings(way, port, top):
    report = top / f"{way}.json"
    gs.checked([*gs.watch(report, "--config", top / "config.yaml"), "/usr/bin/python3", gs.HERE / "programs" / "quiet_clients.py", way, port])
    return [(f["rule"], f.get("message", "")) for f in gs.is_watched(report, 5)["findings"] if f["rule"].startswith(("deadline.", "retry."))]


def speak(port):
    """What the subscriber and the worker wait for."""
    time.sleep(LATE_S)
    for n in range(200):
        told = gs.checked(["redis-cli", "-p", port, "PUBLISH", "news", "last"]).strip()
        if told != b"0":
            break
        time.sleep(0.1)
    gs.checked(["redis-cli", "-p", port, "RPUSH", "jobs", "last"])


def quiet():
    """By-design waits, pooled connections, accept loops, cancel requests, other addresses: silence; their twins: findings."""
    gs.need("redis-server", "redis-cli")
    with gs.workdir() as top:
        (top / "config.yaml").write_text(CONFIG)
        web = Web(("127.0.0.1", 0), Handler)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        port = gs.free_port()
        redis = gs.Server(["redis-server", "--port", str(port), "--save", "", "--enable-debug-command", "yes", "--dir", top], port, top / "redis.log")
        try:
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                told = {way: pool.submit(findings, way, port, top) for way in REDIS}
                speaker = pool.submit(speak, port)
                told.update({way: pool.submit(findings, way, web.server_address[1], top) for way in (*HTTP, "slow_page")})
                results = {way: x.result() for way, x in told.items()}
                speaker.result()
            results["silent"] = findings("silent", port, top)  # alone: it holds up the server
        finally:
            redis.kill()
            web.shutdown()
        for way, found in sorted(results.items()):
            print(f"  {way}: {found or 'quiet'}")
        loud = {way: found for way, found in results.items() if found and way not in FAULTY}
        gs.expect(not loud, f"findings that nobody deserves: {loud}")
        for way, rule in FAULTY.items():
            gs.expect(rule in [r for r, _ in results[way]], f"{way} was not found")


if __name__ == "__main__":
    gs.main({"quiet": quiet})
