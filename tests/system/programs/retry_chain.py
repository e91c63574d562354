"""Services in a row that each try three times: retry_chain.py WAY PORT_BELOW. A asks B, B asks what is below, both in this process.

WAY: B serves with threads, or with a loop that has several calls in hand.
"""
import asyncio
import http.client
import http.server
import sys
import threading
import time

WAY, BELOW = sys.argv[1], int(sys.argv[2])
TRIES = 3
PATH = "/busy/stock"


def ask(port, path, headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        c.request("GET", path, headers=headers)
        answer = c.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 599
    finally:
        c.close()


def traced(trace, span):
    return {"traceparent": f"00-{trace:032x}-{span:016x}-01"}


def tried(port, path, trace, span):
    """The status of up to TRIES attempts; each carries a span of its own, as tracing libraries do."""
    for k in range(TRIES):
        status = ask(port, path, traced(trace, span + k + 1))
        if status < 500:
            break
        time.sleep(0.02)
    return status


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, trace, span, _ = self.headers["traceparent"].split("-")
        status = tried(BELOW, PATH, int(trace, 16), 16 * int(span, 16))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def with_threads():
    front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    tried(front.server_address[1], "/order", 7, 1)
    front.shutdown()


async def ask_loop(port, path, trace, span):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = traced(trace, span)["traceparent"]
    writer.write(f"GET {path} HTTP/1.1\r\nHost: b\r\ntraceparent: {head}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read(-1)
    writer.close()
    return int(answer.split(b" ", 2)[1]) if answer else 599


async def tried_loop(port, path, trace, span):
    for k in range(TRIES):
        if await ask_loop(port, path, trace, span + k + 1) < 500:
            break
        await asyncio.sleep(0.05)


async def serve_loop(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    _, trace, span, _ = next(x for x in head.split("\r\n") if x.startswith("traceparent"))[13:].split("-")
    await tried_loop(BELOW, f"{PATH}/{trace[-1]}", int(trace, 16), 16 * int(span, 16))
    writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def with_loop():
    front = await asyncio.start_server(serve_loop, "127.0.0.1", 0)
    port = front.sockets[0].getsockname()[1]
    await asyncio.gather(*(tried_loop(port, f"/order/{trace}", trace, 1) for trace in (1, 2)))
    front.close()


{"threads": with_threads, "loop": lambda: asyncio.run(with_loop())}[WAY]()
