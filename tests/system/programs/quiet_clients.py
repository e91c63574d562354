"""Clients that wait long and are right to: quiet_clients.py WAY PORT. A way is a function below; `silent` and `slow_page` are those that are not."""
import http.client
import socket
import struct
import sys
import threading
import time

WAY, PORT = sys.argv[1], int(sys.argv[2])
IDLE = 3.5


def connection(timeout=5.0):
    s = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    s.settimeout(timeout)
    return s


def pooled():
    """A connection that is kept between requests, each of which is bounded."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    for n in range(3):
        if n:
            time.sleep(IDLE / 2)
        c.request("GET", f"/good/{n}")
        c.getresponse().read()


def pooled_watched():
    """The same, with an event loop that looks at the idle connection for as long as it takes."""
    import asyncio

    async def main():
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", PORT), 5)
        for n in range(3):
            if n:
                await asyncio.sleep(IDLE / 2)
            writer.write(f"GET /good/{n} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            await asyncio.wait_for(reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])), 5)
        writer.close()
    asyncio.run(main())


def long_poll():
    """Asks the server to answer when there is something to tell, again and again, and would wait for ever."""
    c = http.client.HTTPConnection("127.0.0.1", PORT)
    c.sock = connection(None)
    for n in range(2):
        c.request("GET", f"/late/events?index={n}&wait=60s")
        c.getresponse().read()


def slow_page():
    """Waits just as long for an answer that nobody said would be late."""
    c = http.client.HTTPConnection("127.0.0.1", PORT)
    c.sock = connection(None)
    c.request("GET", "/late/page")
    c.getresponse().read()


def events():
    """Server-sent events, minutes apart."""
    c = http.client.HTTPConnection("127.0.0.1", PORT)
    c.sock = connection(None)
    c.request("GET", "/events/all", headers={"Accept": "text/event-stream"})
    answer = c.getresponse()
    while answer.readline():
        pass


def subscriber():
    """Redis: a subscriber that listens for as long as there is something."""
    s = connection(None)
    s.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n")
    while b"last" not in s.recv(4096):
        pass


def queue_worker():
    """Redis: jobs are taken as they come."""
    s = connection(None)
    while True:
        s.sendall(b"*3\r\n$5\r\nBLPOP\r\n$4\r\njobs\r\n$1\r\n0\r\n")
        if b"last" in s.recv(4096):
            break


def silent():
    """Redis: a command that takes long, and no limit for its answer."""
    s = connection(None)
    s.sendall(b"*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$3\r\n3.5\r\n")
    s.recv(4096)


def acceptor():
    """A service that nobody calls for a while."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Timer(IDLE, lambda: socket.create_connection(server.getsockname(), timeout=5).close()).start()
        server.accept()[0].close()


def cancel():
    """PostgreSQL's cancel request: a connection of its own, 16 bytes, no answer."""
    for _ in range(3):
        s = connection()
        s.sendall(struct.pack("!IIII", 16, 80877102, 4711, 4712))
        s.close()
        time.sleep(0.3)


def other_address():
    """A name with two addresses, of which the first one (::1) refuses, time after time."""
    for _ in range(8):
        s = socket.create_connection(("localhost", PORT), timeout=5)
        s.sendall(b"GET /good/x HTTP/1.0\r\n\r\n")
        s.recv(4096)
        s.close()
        time.sleep(0.2)


def same_socket():
    """connect() again on one socket, as Ruby's timeouts do: it asks how the first one ended."""
    for _ in range(5):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", PORT))
        time.sleep(0.05)
        s.connect_ex(("127.0.0.1", PORT))
        s.settimeout(5)
        s.sendall(b"GET /good/x HTTP/1.0\r\n\r\n")
        s.recv(4096)
        s.close()


globals()[WAY]()
