"""One run, three accounts: what Prometheus scraped, what the file exporter wrote as OTLP, and what the service's client counted, agree.
promtool objects to nothing but names that the semantic conventions chose, and the OpenMetrics page is one by the reference parser."""
import http.client
import json
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import otlp

otlp.need_proto()

from prometheus_client.openmetrics.parser import text_string_to_metric_families  # noqa: E402

from otlp import gs  # noqa: E402

REQUESTS = 120
SERVICE = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""
PROMETHEUS = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: gapscope
    static_configs:
      - targets: ["127.0.0.1:%d"]
"""


def asked(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for n in range(REQUESTS):
        c.request("GET", "/gone" if n % 4 == 0 else "/")
        c.getresponse().read()
    c.close()


def page(port, accept):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as r:
        return r.headers["Content-Type"], r.read().decode()


def query(port, text):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(text)}", timeout=10) as r:
        return {s["metric"].get("http_response_status_code", ""): float(s["value"][1]) for s in json.load(r)["data"]["result"]}


def scraped_by_prometheus(top, target):
    """What a Prometheus has once it has seen every request."""
    port = gs.free_port()
    (top / "prometheus.yml").write_text(PROMETHEUS % target, encoding="utf-8")
    server = gs.Server(["prometheus", f"--config.file={top}/prometheus.yml", f"--storage.tsdb.path={top}/tsdb",
                        f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage"], port, top / "prometheus.log")
    def ready():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=10) as r:
                return r.status == 200
        except urllib.error.HTTPError:
            return False

    try:
        gs.poll_until(ready, "Prometheus is ready")
        name = "http_server_request_duration_seconds_count"
        end = time.monotonic() + 60
        while sum(query(port, name).values()) < REQUESTS:
            gs.expect(time.monotonic() < end, f"Prometheus has {query(port, name)} of {REQUESTS} requests")
            time.sleep(0.2)  # it scrapes once a second, and tells nobody
        return query(port, name), query(port, "gapscope_records_published_total")
    finally:
        server.stop()


def written(path):
    """Counts by status of the last collection in the file exporter's lines."""
    last = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        for entry in json.loads(line).get("resourceMetrics", []):
            for m in entry["scopeMetrics"][0]["metrics"]:
                if m["name"] == "http.server.request.duration":
                    last = {next(a["value"]["intValue"] for a in p["attributes"] if a["key"] == "http.response.status_code"): int(p["count"])
                            for p in m["histogram"]["dataPoints"]}
    return last


def points_written(path, name):
    """Points of a metric in each collection, by what its attributes say."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        for entry in json.loads(line).get("resourceMetrics", []):
            for m in entry["scopeMetrics"][0]["metrics"]:
                if m["name"] == name:
                    data, = (v for k, v in m.items() if k in ("sum", "exponentialHistogram"))
                    gs.expect(data["aggregationTemporality"] == 1, f"{name} is not told as deltas")
                    yield from ((tuple(sorted(str(a["value"]) for a in p["attributes"])), p) for p in data["dataPoints"])


def sampled_in_deltas(top):
    """A quarter of the traces, metrics as deltas, durations as exponential histograms: each request is a span or counted as left out, the
    deltas add up to what the client did, and none overlaps another."""
    port, out = gs.free_port(), top / "deltas.jsonl"
    env = gs.clean_env({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_METRIC_EXPORT_INTERVAL": "200",
                        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"})
    server = gs.Server([*gs.watch(top / "deltas.json", "--histograms", "exponential", "--export", f"file:{out}"), sys.executable,
                        top / "service.py", port], port, top / "deltas.log", env=env)
    try:
        asked(port)
        gs.poll_until(out.exists, "the first metrics are written")
        asked(port)
    finally:
        server.stop()
    got = sum(len(scope["spans"]) for line in out.read_text(encoding="utf-8").splitlines()
              for entry in json.loads(line).get("resourceSpans", []) for scope in entry["scopeSpans"])
    left_out = sum(int(p["asInt"]) for words, p in points_written(out, "otel.sdk.span.started") if any("DROP" in w for w in words))
    gs.expect(got + left_out == 2 * REQUESTS and 0 < got < 2 * REQUESTS, f"{got} spans and {left_out} left out, of {2 * REQUESTS} requests")
    counted, ends, parts = 0, {}, 0
    for words, p in points_written(out, "http.server.request.duration"):
        counted += int(p["count"])
        parts += 1
        gs.expect(int(p["count"]) == int(p.get("zeroCount", 0)) + sum(int(n) for n in p["positive"]["bucketCounts"]), f"{p} does not add up")
        gs.expect(int(p["startTimeUnixNano"]) >= ends.get(words, 0), "a delta begins before the one before ended")
        ends[words] = int(p["timeUnixNano"])
    gs.expect(counted == 2 * REQUESTS, f"the deltas hold {counted} of {2 * REQUESTS} requests")
    print(f"{2 * REQUESTS} requests: {got} spans, {left_out} counted as left out; {parts} exponential deltas hold all")


# process.thread.count and process.unix.file_descriptor.count, as OpenTelemetry's rules for Prometheus write them: promtool would have them end
# in something else.
CONVENTION = [["process_thread_count"], ["process_unix_file_descriptor_count"]]


def test():
    gs.need("prometheus", "promtool")
    with gs.workdir() as top:
        port, metrics = gs.free_port(), gs.free_port()
        (top / "service.py").write_text(SERVICE, encoding="utf-8")
        server = gs.Server([*gs.watch(top / "report.json", "--export", f"prometheus:{metrics}", "--export", f"file:{top}/otlp.jsonl"),
                            sys.executable, top / "service.py", port], port, top / "service.log")
        try:
            asked(port)
            counts, published = scraped_by_prometheus(top, metrics)
            kind, text = page(metrics, "text/plain")
            gs.expect(kind.startswith("text/plain; version=0.0.4"), kind)
            lint = gs.run(["promtool", "check", "metrics"], input=text.encode())
            kind, openmetrics = page(metrics, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
            gs.expect(kind.startswith("application/openmetrics-text; version=1.0.0"), kind)
        finally:
            server.stop()
        want = {"404": REQUESTS // 4, "200": REQUESTS - REQUESTS // 4}
        gs.expect(counts == want, f"Prometheus has {counts}, the client counted {want}")
        gs.expect(written(top / "otlp.jsonl") == want, f"the file has {written(top / 'otlp.jsonl')}, the client counted {want}")
        gs.expect(sum(published.values()) > REQUESTS, f"{published}")
        objections = [line for line in lint.stderr.decode().splitlines() if line.split()[:1] not in CONVENTION]
        gs.expect(not objections, f"promtool: {objections}")
        families = {f.name: f for f in text_string_to_metric_families(openmetrics)}
        gs.expect(any(s.exemplar for s in families["http_server_request_duration_seconds"].samples), "no exemplar")
        sampled_in_deltas(top)
        gs.expect(all("otel_sdk_exporter_span_exported" != f or families[f].samples for f in families), "exporters say nothing of themselves")
    print(f"{REQUESTS} requests: Prometheus, the OTLP file and the client agree; {len(families)} families")


otlp.main(test)
