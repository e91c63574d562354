"""What is said of a service's memory, by finding, metric and span, as a real Collector has it: a leak by the route that makes it, exact totals,
and what each request took. Part of collector.py.
"""
import json
import socket
import statistics
import time

from otlp import gs

HELD = "gapscope.heap.held"
ROUNDS = 400  # at least
SIZES = {"GET /leak": 8000, "GET /fine": 8000}
BUFFER = 20_000_000


def ask(conn, target):
    conn.sendall(f"GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
    text = b""
    while not text.endswith(b"\r\n\r\nok"):
        more = conn.recv(4096)
        gs.expect(more, "the service closed the connection")
        text += more


def drive(port, seen):
    """Leaks all the time, until it is seen; rounds of requests that were made."""
    rounds = 0
    with socket.create_connection(("127.0.0.1", port), timeout=gs.LIMIT_S) as conn:
        ask(conn, f"/buffer?n={BUFFER}")
        end = time.monotonic() + gs.LIMIT_S
        while rounds < ROUNDS or not seen():
            gs.expect(time.monotonic() < end, "what is held has not arrived")
            for _ in range(50):
                ask(conn, "/leak")
                ask(conn, "/fine")
                time.sleep(0.005)  # the load's pace
            rounds += 50
    return rounds


def heap_metrics(points):
    """The largest value that arrived, by metric."""
    largest = {}
    for metric, point in points:
        if metric["name"].startswith("gapscope.heap."):
            largest[metric["name"]] = max(largest.get(metric["name"], 0), float(point.get("asInt", point.get("asDouble", 0))))
    return largest


def held_now(collector, decoded):
    try:
        return heap_metrics(decoded(collector.out)[2]).get(HELD, 0)
    except json.JSONDecodeError:  # a line that is being written
        return 0


def check(collector, decoded, top):
    gs.need("gcc")
    least = 0.7 * ROUNDS * SIZES["GET /leak"]
    program, port = top / "leak_http", gs.free_port()
    gs.checked(["gcc", "-g", "-O1", "-fno-builtin", "-fno-optimize-sibling-calls", "-o", program, gs.HERE / "programs" / "leak_http.c"])
    words = gs.watch(top / "report.json", "--alloc", "--alloc-mean", "16384", "--export", f"otlp:{collector.url('http/protobuf')}")
    try:
        service = gs.Server([*words, program, port], port, top / "service.log", env=gs.clean_env({"OTEL_METRIC_EXPORT_INTERVAL": "300"}))
        try:
            # while it runs: when it has ended it holds nothing
            rounds = drive(port, lambda: held_now(collector, decoded) > least)
        finally:
            status = service.stop()
        gs.expect(status == 0, f"the service ended with {status}: {service.tail()}")
    finally:
        collector.server.stop()
    leaked = int(service.tail().split()[-1])
    gs.expect(leaked == rounds * SIZES["GET /leak"], f"it leaked {leaked}")
    report = gs.is_watched(top / "report.json")
    _, spans, points, logs = decoded(collector.out)
    told = [f for f in report["findings"] if f["rule"] in ("resource.heap.never_freed", "resource.heap.growth")]
    gs.expect([(f["operation"], f["call_site"]["function"]) for f in told] == [("GET /leak", "leak_order")], f"told: {told}")
    chosen = [f for f in report["findings"] if f["rule"] == "resource.heap.request_size"]
    gs.expect([f["operation"] for f in chosen] == ["GET /buffer"], f"told: {chosen}")
    arrived = {a["value"]["stringValue"] for log in logs for a in log["attributes"] if a["key"] == "gapscope.fingerprint"}
    gs.expect({f["fingerprint"] for f in told + chosen} <= arrived, "a finding did not arrive")
    last = heap_metrics(points)
    gs.expect(last["gapscope.heap.allocated"] == report["heap"]["asked_bytes"], f"{last} and {report['heap']['asked_bytes']}")
    gs.expect(least < last[HELD] < 1.3 * leaked, f"{last[HELD]} bytes are held of {leaked} that leaked")
    for name, size in SIZES.items():
        each = [int(next((a["value"]["intValue"] for a in s["attributes"] if a["key"] == "gapscope.request.allocated_bytes"), 0))
                for s in spans if s["name"] == "GET" and any(a["value"].get("stringValue") == name[4:] for a in s["attributes"])]
        mean = statistics.fmean(each)
        print(f"  {name}: {len(each)} spans with {mean:.0f} bytes each on average, of {size}")
        gs.expect(len(each) == rounds and 0.7 < mean / size < 1.3, f"{name}: {mean:.0f} bytes by span")
    print(f"allocations: {told[0]['message']}; {chosen[0]['message']}; the collector has {last}")
