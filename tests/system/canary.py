#!/usr/bin/env python3
"""A service with one dependency, stable and as the canaries that a hurried change makes of it.

usage: canary.py KIND PORT DEPENDENCY_PORT     KIND: stable, no_timeout, logs_email, retries, pooled

Serves GET /order/N: asks the dependency, gives up after 2 s, tries at most three times with exponential back-off and jitter.
"""
import http.client
import http.server
import random
import select
import sys
import time

idle = []  # connections, of a service that keeps them
kind, port, dependency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def ask_without_timeout(path):
    c = http.client.HTTPConnection("127.0.0.1", dependency)
    return answer_of(c, path)


def ask_with_timeout(path):
    c = http.client.HTTPConnection("127.0.0.1", dependency, timeout=2)
    return answer_of(c, path)


def ask_on_old_one(path):
    """On a connection that is there already, if it is still good: what is closed is noticed when it is taken."""
    c = idle.pop() if idle else http.client.HTTPConnection("127.0.0.1", dependency, timeout=2)
    if c.sock and select.select([c.sock], [], [], 0)[0]:
        c.close()
    try:
        c.request("GET", path)
        response = c.getresponse()
        response.read()
        idle.append(c)
        return response.status
    except (OSError, http.client.HTTPException):
        c.close()
        return 504


def answer_of(connection, path):
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return 504
    finally:
        connection.close()


def stock(path):
    ask = {"no_timeout": ask_without_timeout, "pooled": ask_on_old_one}.get(kind, ask_with_timeout)
    attempt = 0
    while True:
        status = ask(path)
        attempt += 1
        if status == 200 or (kind != "retries" and attempt == 3):
            return status
        time.sleep(0.005 if kind == "retries" else 0.08 * 2**attempt * random.uniform(0.6, 1.4))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if kind == "logs_email":
            print(f"level=info order={self.path} customer=jane.roe@contoso.com", flush=True)
        else:
            print(f"level=info order={self.path}", flush=True)
        status = stock(self.path)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


Server(("127.0.0.1", port), Handler).serve_forever()
