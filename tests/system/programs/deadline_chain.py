"""A service whose callers, calls and clients all meet a deadline, or the lack of one. usage: deadline_chain.py careless|careful BACKEND

Careless: it calls on after its own caller has gone, may wait longer than its caller said, reads a drip without an end, and lets a silent
client hold a thread. Careful: the same traffic, and none of that.
"""
import http.client
import http.server
import socket
import sys
import threading
import time

CAREFUL = sys.argv[1] == "careful"
BACKEND = int(sys.argv[2])
TRACE = "00-{}-00f067aa0ba902b7-01"


def fetch(port, path, timeout, headers=None):
    call = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        call.request("GET", path, headers=headers or {})
        return call.getresponse().read()
    except OSError:
        return b""
    finally:
        call.close()


def charge():
    return fetch(BACKEND, "/slow", 1.2 if CAREFUL else None, {"traceparent": TRACE.format("a" * 32).replace("00f0", "11f0")})


def quote():
    call = http.client.HTTPConnection("127.0.0.1", BACKEND, timeout=2 if CAREFUL else 8)
    call.request("GET", "/quick")
    said = call.getresponse().read()
    call.close()
    return said


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 3 if CAREFUL else None

    def do_GET(self):
        said = charge() if self.path == "/charge" else quote()
        self.send_response(200 if said else 504)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # its caller has gone


def download():
    s = socket.create_connection(("127.0.0.1", BACKEND), timeout=1.5)
    s.sendall(b"GET /drip HTTP/1.1\r\nHost: backend\r\n\r\n")
    end = time.monotonic() + 3
    try:
        while True:
            if CAREFUL:
                s.settimeout(max(end - time.monotonic(), 0.01))
            if not s.recv(4096):
                break
    except OSError:
        pass
    s.close()


def silent_client(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.settimeout(7)
        try:
            s.recv(1)
        except OSError:
            pass


def impatient_caller(port):
    fetch(port, "/charge", 1.5, {"traceparent": TRACE.format("a" * 32)})


def caller_that_says_so(port):
    for _ in range(3):
        fetch(port, "/quote", 3, {"grpc-timeout": "3S"})


front = Server(("127.0.0.1", 0), Front)
port = front.server_address[1]
threading.Thread(target=front.serve_forever, daemon=True).start()
caller_that_says_so(port)
others = [threading.Thread(target=f, args=a) for f, a in ((impatient_caller, (port,)), (download, ()), (silent_client, (port,)))]
for t in others:
    t.start()
for t in others:
    t.join()
