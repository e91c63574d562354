"""Spans a second and core that gapscope encodes, beside the OpenTelemetry SDK for Python encoding the like (512 spans of 12 attributes).
Asserted is the ratio within this run."""
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / "build" / "venv" / "bin" / "python3"
ENOUGH = 20  # times as fast as the SDK
TREE_ENOUGH = 2  # times as fast as protobuf-c's trees

try:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind
except ImportError:
    if VENV.exists() and pathlib.Path(sys.prefix).resolve() != VENV.parents[1].resolve():
        os.execv(VENV, [str(VENV), "-B", *sys.argv])
    print("SKIP: the OpenTelemetry SDK is not installed (tests/run installs it into build/venv)")
    sys.exit(77)

TEXTS = ["http.request.method", "url.full", "server.address", "network.peer.address", "url.scheme", "user_agent.original",
         "network.protocol.name", "code.function.name"]


def span(n):
    attributes = {k: "a value of some length" for k in TEXTS} | {f"http.response.status_code.{i}": 200 + i for i in range(4)}
    return ReadableSpan(name="GET", context=SpanContext(1, n + 1, False), kind=SpanKind.CLIENT, attributes=attributes, start_time=1000 + n,
                        end_time=2000 + n)


def sdk():
    spans = [span(n) for n in range(512)]
    best = 0
    for _ in range(5):
        start = time.process_time()
        encode_spans(spans).SerializeToString()
        best = max(best, 512 / (time.process_time() - start))
    return best


ours = json.loads(subprocess.run([sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout)
theirs = sdk()
tree = ours["protobuf_spans_per_s"] / ours["tree_spans_per_s"]
print(f"gapscope {ours['protobuf_spans_per_s'] / 1e6:.2f} M spans/s a core as protobuf, {tree:.1f} times what trees of protobuf-c give "
      f"({ours['tree_spans_per_s'] / 1e6:.2f} M), {ours['json_spans_per_s'] / 1e6:.3f} M as JSON; "
      f"the SDK for Python {theirs / 1e6:.3f} M: {ours['protobuf_spans_per_s'] / theirs:.0f} times")
sys.exit(0 if ours["protobuf_spans_per_s"] >= ENOUGH * theirs and tree >= TREE_ENOUGH else 1)
