"""What is sent, decoded strictly: the published Python messages refuse what the Collector lets pass (bad UTF-8, zero ids, unknown fields).
The receiver has its moods (503, 429 with Retry-After, a reset), and still each item arrives once."""
import http.server
import socket
import struct
import threading

import otlp

otlp.need_proto()

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2  # noqa: E402
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: E402

from otlp import gs  # noqa: E402

REQUESTS = 700
MESSAGES = {
    "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
    "/v1/metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
}
# what the first requests to each path meet; later ones are taken
MOODS = {"/v1/traces": ["503", "reset"], "/v1/metrics": ["429"], "/v1/logs": ["400"]}


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what it takes in `taken`, by path."""
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    taken = {path: [] for path in MESSAGES}
    refused = {path: 0 for path in MESSAGES}

    def answer(self, status, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            mood = MOODS[self.path].pop(0) if MOODS[self.path] else None
            if mood is None:
                self.taken[self.path].append(body)
            else:
                self.refused[self.path] += 1
        if mood == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif mood:
            self.answer(int(mood), [("Retry-After", "1")] if mood == "429" else ())
        else:
            self.answer(200)

    def log_message(self, *_):
        pass


def known_fields_only(message):
    """Parsing and serialising again gives the same length: nothing was unknown to the specification."""
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            values = value if not hasattr(value, "ListFields") else [value]
            for v in values:
                known_fields_only(v)
    size = message.ByteSize()
    message.DiscardUnknownFields()
    gs.expect(message.ByteSize() == size, f"{message.DESCRIPTOR.name} has a field that is not in the specification")


def items(path):
    out = []
    for body in Receiver.taken[path]:
        request = MESSAGES[path].FromString(body)
        known_fields_only(request)
        gs.expect(body == request.SerializeToString(deterministic=True) or len(body) == request.ByteSize(), "not what was meant")
        for resource in next(iter(request.ListFields()))[1]:
            attributes = [a.key for a in resource.resource.attributes]
            gs.expect(len(set(attributes)) == len(attributes), "a resource attribute is there twice")
            gs.expect({"service.name", "service.instance.id", "telemetry.sdk.name"} <= set(attributes), "the resource lacks what it must have")
            scopes = next(v for f, v in resource.ListFields() if f.name.startswith("scope"))
            for scope in scopes:
                found = next(v for f, v in scope.ListFields() if f.name in ("spans", "metrics", "log_records"))
                gs.expect(len(found) > 0, "an empty envelope")
                out += found
    return out


def check_span(span):
    gs.expect(len(span.trace_id) == 16 and any(span.trace_id), "a zero or short trace id")
    gs.expect(len(span.span_id) == 8 and any(span.span_id), "a zero or short span id")
    gs.expect(len(span.parent_span_id) in (0, 8), "a short parent id")
    gs.expect(span.end_time_unix_nano >= span.start_time_unix_nano > 0, "times out of order")
    gs.expect(span.flags & 0x100, "it is not said whether the parent is remote")
    keys = [a.key for a in span.attributes]
    gs.expect(len(keys) == len(set(keys)), "an attribute is there twice")
    text = span.SerializeToString()
    for secret in (b"4111111111111111", b"token=secret"):
        gs.expect(secret not in text, "a query value left the agent")


def test():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with gs.workdir() as top:
            counts = otlp.drive(REQUESTS, top / "sent.jsonl", f"http://127.0.0.1:{server.server_address[1]}")
            _, spans, points, findings = otlp.expected(top / "sent.jsonl")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    print(counts)
    got = items("/v1/traces")
    for span in got:
        check_span(span)
    gs.expect(sorted(s.span_id.hex() for s in got) == sorted(spans), "not each span once")
    otlp.accounted(counts, "spans", len(spans))
    otlp.accounted(counts, "metrics", len(points))
    # the first batch of findings was refused with a 400, which is final
    otlp.accounted(counts, "logs", len(items("/v1/logs")))
    gs.expect(counts["logs"]["dropped"] > 0 and counts["logs"]["produced"] == len(findings), f"findings are not accounted: {counts['logs']}")
    gs.expect(Receiver.refused == {"/v1/traces": 2, "/v1/metrics": 1, "/v1/logs": 1}, f"refused: {Receiver.refused}")
    print(f"{len(got)} spans, {len(points)} points and {len(findings)} findings, each once or counted as dropped")


otlp.main(test)
