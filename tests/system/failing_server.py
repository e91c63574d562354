"""A server that misbehaves as the path says, and counts what it saw: /HOW/anything.

HOW: busy (503), busy_then_good3 (the third answer of a path is good), chance (30 % are 503), later (429, Retry-After: 1), no (404), good, moved, eof, reset, hang, login (401, then good).
"""
import collections
import random
import socket
import struct
import threading
import time

LATER_S = 1  # of Retry-After
TEXT = {200: "OK", 302: "Found", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}


class FailingServer:
    """Threads of its own serve until close(). seen: {path: [moment of each attempt]}."""

    def __init__(self, seed=7):
        self.seen = collections.defaultdict(list)
        self.draw = random.Random(seed)
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def count(self, path):
        return len(self.seen.get(path, ()))

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def status_of(self, how, n):
        return {"busy": 503, "later": 429, "no": 404, "moved": 302, "login": 200 if n % 2 == 0 else 401,
                "busy_then_good3": 200 if n % 3 == 0 else 503, "chance": 503 if self.draw.random() < 0.3 else 200,
                "mostly": 503 if self.draw.random() < 0.6 else 200}.get(how, 200)

    def serve(self, s):
        held = b""
        with s:
            try:
                while True:
                    while b"\r\n\r\n" not in held:
                        more = s.recv(65536)
                        if not more:
                            return
                        held += more
                    head, _, held = held.partition(b"\r\n\r\n")
                    lines = head.decode("latin-1").split("\r\n")
                    length = next((int(x[15:]) for x in lines if x.lower().startswith("content-length:")), 0)
                    while len(held) < length:
                        held += s.recv(65536)
                    held = held[length:]
                    if not self.answer(s, lines):
                        return
            except OSError:
                pass

    def answer(self, s, lines):
        path = lines[0].split(" ")[1]
        how = path.split("/")[1]
        with self.lock:
            self.seen[path].append(time.monotonic())
            status = self.status_of(how, len(self.seen[path]))
        if how == "eof":
            return False
        if how == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if how == "hang":
            time.sleep(60)
            return False
        more = {302: "Location: /good/there\r\n", 429: f"Retry-After: {LATER_S}\r\n"}.get(status, "")
        close = any(x.lower() == "connection: close" for x in lines) or lines[0].endswith("1.0")
        body = b'{"at": 1}'
        s.sendall(f"HTTP/1.1 {status} {TEXT[status]}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n{more}"
                  f"{'Connection: close' if close else 'Connection: keep-alive'}\r\n\r\n".encode() + body)
        return not close


def closed_port():
    """A bound socket that does not listen: connects to its port are refused while it lives."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s, s.getsockname()[1]
