"""What exporting costs while the receiver is well, gone, silent, or well and ill by turns: at 20,000 spans a second no state of it costs much
more processor time or memory than a receiver that takes everything, in memory or with a queue on file; and each span is accounted for."""
import concurrent.futures
import json
import socket

import otlp

otlp.need_proto()

import receivers  # noqa: E402

from otlp import gs  # noqa: E402

DRIVER = gs.BUILD / "tests" / "system" / "otlp" / "queue_driver"
SPANS = 60000  # three seconds
MORE_KB = 8 << 10
MORE_CPU = 2.0  # times what a good receiver costs, and a little
FLAPS = [None, "503", None, "reset", "429", None, "reset-body"]
QUEUE_MB = 2


class Gone:
    """Nobody listens there."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{gs.free_port()}"

    def stop(self):
        pass


class Silent:
    """Connections are made by the kernel, and nobody reads."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def stop(self):
        self.socket.close()


KINDS = {
    "well": lambda: receivers.Http(lambda *_: None),
    "gone": Gone,
    "silent": Silent,
    "by turns": lambda: receivers.Http(lambda n, _: FLAPS[n % len(FLAPS)]),
}


def play(kind, queue):
    receiver = KINDS[kind]()
    try:
        env = gs.clean_env({"OTEL_EXPORTER_OTLP_TIMEOUT": "1000"} if kind == "silent" else {})
        out = gs.checked([DRIVER, receiver.url, queue, "steady", SPANS], env=env)
    finally:
        receiver.stop()
    cost, counts = [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]
    what = f"{kind}, {'in memory' if queue == '-' else 'queue'}"
    gs.expect(counts["produced"] == SPANS, f"{what}: {counts}")
    gs.expect(SPANS == counts["acknowledged"] + counts["rejected"] + counts["dropped"] + counts["queued"], f"{what}: {counts}")
    if kind != "by turns":
        gs.expect((counts["acknowledged"] > 0) == (kind == "well"), f"{what}: {counts}")
    return what, cost, counts


def test():
    with gs.workdir() as top:
        for on_file in (False, True):
            with concurrent.futures.ThreadPoolExecutor() as pool:
                played = list(pool.map(lambda kind: play(kind, f"{top}/{kind},{QUEUE_MB}" if on_file else "-"), KINDS))  # pylint: disable=cell-var-from-loop
            (_, well, _), *others = played
            for what, cost, counts in played:
                print(f"{what}: {cost['cpu_ms']:.0f} ms of a processor, at most {cost['peak_kb'] / 1024:.1f} MiB; {counts['acknowledged']} of {SPANS} "
                      f"spans taken, {counts['dropped']} dropped, {counts['queued']} wait", flush=True)
            for what, cost, _ in others:
                gs.expect(cost["peak_kb"] <= well["peak_kb"] + MORE_KB, f"{what} takes {cost['peak_kb']} kB, a good receiver {well['peak_kb']}")
                gs.expect(cost["cpu_ms"] <= MORE_CPU * well["cpu_ms"] + 100, f"{what} takes {cost['cpu_ms']} ms, a good receiver {well['cpu_ms']}")


otlp.main(test)
