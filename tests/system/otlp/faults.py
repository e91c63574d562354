"""Each fault that a receiver can have, over each protocol: what it costs, and that produced = acknowledged + rejected + dropped + queued at
the end of it. A fault befalls the first request; later ones are taken."""
import otlp

otlp.need_proto()

import receivers  # noqa: E402

from otlp import gs  # noqa: E402

REQUESTS = 40  # the spans are one batch
# fault → what becomes of the spans of the first batch: "taken" at the second try, "dropped", "rejected" in part
HTTP = {"503": "taken", "502": "taken", "504": "taken", "429": "taken", "reset": "taken", "reset-body": "taken", "400": "dropped",
        "401": "dropped", "404": "dropped", "413": "dropped", "500": "dropped", "huge": "dropped", "bad-gzip": "dropped",
        "partial": "rejected"}
GRPC = {"UNAVAILABLE": "taken", "CANCELLED": "taken", "DEADLINE_EXCEEDED": "taken", "ABORTED": "taken", "OUT_OF_RANGE": "taken",
        "DATA_LOSS": "taken", "retry-info": "taken", "RESOURCE_EXHAUSTED": "dropped", "INVALID_ARGUMENT": "dropped",
        "INTERNAL": "dropped", "UNIMPLEMENTED": "dropped", "UNAUTHENTICATED": "dropped", "huge": "dropped", "partial": "rejected"}


def once(fault):
    """The first request for spans meets the fault."""
    seen = []

    def mood(_, signal):
        if signal != "traces" or seen:
            return None
        seen.append(signal)
        return fault
    return mood


def check(protocol, receiver, fate, env=None):
    try:
        with gs.workdir() as top:
            counts = otlp.drive(REQUESTS, top / "sent.jsonl", receiver.url, {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, **(env or {})})
            _, spans, points, findings = otlp.expected(top / "sent.jsonl")
    finally:
        receiver.stop()
    gs.expect(not receiver.garbage, f"garbage was sent: {receiver.garbage}")
    got = {signal: len(items) for signal, items in receiver.items.items()}
    c = counts["spans"]
    gs.expect(c["produced"] == len(spans) == c["acknowledged"] + c["rejected"] + c["dropped"] + c["queued"], f"spans do not add up: {c}")
    otlp.accounted(counts, "metrics", len(points))
    otlp.accounted(counts, "logs", len(findings))
    gs.expect(got["metrics"] == len(points) and got["logs"] == len(findings), f"other signals were disturbed: {got}")
    if fate == "taken":
        gs.expect(c["acknowledged"] == len(spans) == got["traces"], f"{c}, {got}: a fault that passes cost spans ({counts['error']})")
    elif fate == "dropped":
        gs.expect(c["dropped"] == len(spans) and got["traces"] == 0, f"{c}, {got}: what is final was sent again")
        gs.expect(counts["error"] != "", "it is not said why spans were dropped")
    else:
        gs.expect(c["rejected"] == 1 and c["acknowledged"] == len(spans) - 1, f"{c}: a partial success is counted otherwise")
        gs.expect(got["traces"] == len(spans), "a partial success was sent again")


def slow(protocol, kind):
    """A receiver that never answers costs what was to be sent to it, at its time limit, and no more."""
    receiver = kind(lambda _, signal: "slow" if signal == "traces" else None)
    try:
        with gs.workdir() as top:
            counts = otlp.drive(REQUESTS, top / "sent.jsonl", receiver.url,
                                {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "700"})
    finally:
        receiver.stop()
    c = counts["spans"]
    gs.expect(c["dropped"] == c["produced"] > 0, f"{protocol}: {c}")
    gs.expect(counts["metrics"]["acknowledged"] == counts["metrics"]["produced"], "a slow receiver of spans held back metrics")


def test():
    n = 0
    for protocol in ("http/protobuf", "http/json"):
        for fault, fate in HTTP.items():
            check(protocol, receivers.Http(once(fault)), fate)
            n += 1
        slow(protocol, receivers.Http)
    for fault, fate in GRPC.items():
        check("grpc", receivers.Grpc(once(fault)), fate)
        n += 1
    slow("grpc", receivers.Grpc)
    for protocol, receiver in (("http/protobuf", receivers.Http(once(None))), ("http/json", receivers.Http(once(None))),
                               ("grpc", receivers.Grpc(once(None), compression=receivers.grpc.Compression.Gzip))):
        check(protocol, receiver, "taken", {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
    print(f"{n + 3} faults, each accounted to the item")


otlp.main(test)
