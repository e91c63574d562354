"""Receivers with faults to order, over HTTP and gRPC, that count what they took: each request's spans, points and records.

A mood is asked for before each request: None takes it, a word names a fault. Handlers run on threads of their own."""
import concurrent.futures
import gzip
import http.server
import json
import socket
import struct
import threading

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

REQUESTS = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
}
RESPONSES = {
    "traces": trace_service_pb2.ExportTraceServiceResponse,
    "metrics": metrics_service_pb2.ExportMetricsServiceResponse,
    "logs": logs_service_pb2.ExportLogsServiceResponse,
}
REJECTED = {"traces": "rejected_spans", "metrics": "rejected_data_points", "logs": "rejected_log_records"}
SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}


def points_of(metric):
    return getattr(metric, metric.WhichOneof("data")).data_points


def items_of(signal, request):
    """Spans and records, and the points of metrics, of a decoded request."""
    out = []
    for resource in next(iter(request.ListFields()))[1]:
        for scope in next(v for f, v in resource.ListFields() if f.name.startswith("scope")):
            found = next(v for f, v in scope.ListFields() if f.name in ("spans", "metrics", "log_records"))
            out += [p for m in found for p in points_of(m)] if signal == "metrics" else list(found)
    return out


class Taken:
    """What a receiver has taken, and how often it was asked."""

    def __init__(self, mood):
        self.lock = threading.Lock()
        self.mood = mood
        self.items = {signal: [] for signal in REQUESTS}
        self.asked = 0
        self.garbage = []

    def ask(self, signal):
        with self.lock:
            self.asked += 1
            return self.mood(self.asked, signal)

    def take(self, signal, body, is_json=False):
        try:
            if is_json:
                json.loads(body)
                request = from_json(signal, json.loads(body))
            else:
                request = REQUESTS[signal].FromString(body)
            found = items_of(signal, request)
        except Exception as e:  # pylint: disable=broad-except
            with self.lock:
                self.garbage.append(repr(e))
            return 0
        with self.lock:
            self.items[signal] += found
        return len(found)


def from_json(signal, value):
    """OTLP's JSON differs from protobuf's in ids: hexadecimal, where protobuf has base64."""
    import base64  # pylint: disable=import-outside-toplevel

    from google.protobuf import json_format  # pylint: disable=import-outside-toplevel

    def mend(o):
        if isinstance(o, dict):
            return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ("traceId", "spanId", "parentSpanId") else mend(v)
                    for k, v in o.items()}
        return [mend(v) for v in o] if isinstance(o, list) else o

    return json_format.ParseDict(mend(value), REQUESTS[signal]())


class Http(Taken):
    """Moods: a status ("503"), "429" with Retry-After, "reset", "reset-body", "partial", "huge", "bad-gzip", "slow"."""

    def __init__(self, mood, context=None):
        super().__init__(mood)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def reset(self):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

            def do_POST(self):
                signal = self.path.rsplit("/", 1)[1]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                is_json = self.headers["Content-Type"] == "application/json"
                mood = outer.ask(signal)
                if mood in (None, "partial", "slow"):
                    n = outer.take(signal, body, is_json)
                if mood is None:
                    self.answer(200, b"{}" if is_json else b"")
                elif mood == "partial":
                    message = RESPONSES[signal]()
                    setattr(message.partial_success, REJECTED[signal], 1)
                    name = {"traces": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}[signal]
                    text = json.dumps({"partialSuccess": {name: "1", "errorMessage": "one"}}).encode()
                    self.answer(200, text if is_json else message.SerializeToString())
                    assert n >= 1
                elif mood == "slow":
                    outer.wait.wait(30)  # until the test lets go
                    self.reset()
                elif mood == "reset":
                    self.reset()
                elif mood == "reset-body":
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b"abc")
                    self.wfile.flush()
                    self.reset()
                elif mood == "huge":
                    try:
                        self.answer(200, b"\0" * (5 << 20))
                    except OSError:
                        self.close_connection = True
                elif mood == "bad-gzip":
                    self.answer(200, b"not gzip", [("Content-Encoding", "gzip")])
                elif mood == "429":
                    self.answer(429, b"busy", [("Retry-After", "1")])
                else:
                    self.answer(int(mood), b"not a Status")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.wait = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.wait.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def rich_abort(context, code, retry_s=None):
    if retry_s is not None:
        status = status_pb2.Status(code=code.value[0], message="later")
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(int(retry_s * 1000))
        status.details.add().Pack(info)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, "no")


class Grpc(Taken):
    """Moods: a status code's name ("UNAVAILABLE"), "retry-info" (RESOURCE_EXHAUSTED with it), "partial", "huge", "slow"."""

    def __init__(self, mood, credentials=None, compression=None):
        super().__init__(mood)
        self.wait = threading.Event()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), compression=compression,
                                  options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
        for signal, service in SERVICES.items():
            handler = grpc.unary_unary_rpc_method_handler(self.handler(signal), request_deserializer=None,
                                                          response_serializer=lambda b: b)
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
        port = self.server.add_secure_port("localhost:0", credentials) if credentials else self.server.add_insecure_port("127.0.0.1:0")
        self.url = f"https://localhost:{port}" if credentials else f"http://127.0.0.1:{port}"
        self.server.start()

    def handler(self, signal):
        def export(body, context):
            mood = self.ask(signal)
            if mood in (None, "partial", "slow"):
                self.take(signal, body)
            if mood == "slow":
                self.wait.wait(30)
                context.abort(grpc.StatusCode.INTERNAL, "too late")
            if mood == "partial":
                message = RESPONSES[signal]()
                setattr(message.partial_success, REJECTED[signal], 1)
                return message.SerializeToString()
            if mood == "huge":
                return b"\0" * (5 << 20)
            if mood == "retry-info":
                rich_abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, 1)
            if mood is not None:
                rich_abort(context, grpc.StatusCode[mood])
            return b""
        return export

    def stop(self):
        self.wait.set()
        self.server.stop(None).wait()
