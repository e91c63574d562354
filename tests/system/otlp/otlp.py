"""What the OTLP tests share: the test helpers of tests/system, the driver, the packages of the venv, and one form for what was sent."""
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

import gs  # noqa: E402  pylint: disable=wrong-import-position

DRIVER = gs.BUILD / "tests" / "system" / "otlp" / "otlp_driver"
VENV = ROOT / "build" / "venv" / "bin" / "python3"


def main(test):
    """Runs a test as ctest wants it: 0, 1, or 77 for skipped."""
    try:
        test()
    except gs.Failure as e:
        print("FAILED:", e)
        sys.exit(1)


def need_proto():
    """Makes sure that opentelemetry-proto can be imported: in this interpreter, or by starting over in the venv of tests/run."""
    try:
        import opentelemetry.proto.trace.v1.trace_pb2  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        if VENV.exists() and pathlib.Path(sys.prefix).resolve() != VENV.parents[1].resolve():
            os.execv(VENV, [str(VENV), "-B", *sys.argv])
        gs.skip("opentelemetry-proto is not installed (tests/run installs it into build/venv)")


def drive(requests, jsonl, url, env=None):
    """Runs the driver; returns its accounting."""
    out = gs.checked([DRIVER, requests, jsonl, url], env=gs.clean_env(env))
    return json.loads(out)


def expected(jsonl):
    """What the driver says that it sent: (resource, spans by id, metric points, findings)."""
    resource, spans, points, findings = None, {}, [], []
    for line in pathlib.Path(jsonl).read_text(encoding="utf-8").splitlines():
        (kind, value), = json.loads(line).items()
        if kind == "resource":
            resource = value
        elif kind == "span":
            gs.expect(value["span_id"] not in spans, "a span id was given twice")
            spans[value["span_id"]] = value
        elif kind == "metric":
            points.append(value)
        else:
            findings.append(value)
    return resource, spans, points, findings


def accounted(counts, signal, acknowledged):
    c = counts[signal]
    gs.expect(c["produced"] == c["acknowledged"] + c["rejected"] + c["dropped"] + c["queued"], f"{signal} do not add up: {c}")
    gs.expect(c["acknowledged"] == acknowledged, f"{signal}: {c}, expected {acknowledged} acknowledged ({counts['error']})")
