"""A program that does one thing so many times a second for so long: leaks.py KIND RATE SECONDS. Kinds that leak, and kinds that only look so."""
import http.client
import os
import queue
import socket
import sys
import tempfile
import threading
import time

kept = []
folder = tempfile.mkdtemp(prefix="gapscope-leaks-")


def serve(leave_open=False):
    """A server in a process of its own, so that it is another's: answers each line, and closes when its client does. Gives its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    if os.fork() == 0:
        parent = os.getppid()

        def answer(conn):
            while conn.recv(100):
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            if not leave_open:
                conn.close()

        def accept():
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)
    listener.close()
    return port


def ask(conn):
    conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    conn.recv(100)


def connect(port):
    conn = socket.create_connection(("127.0.0.1", port), timeout=5)
    ask(conn)
    return conn


# -- what leaks --


def fd_read(_):
    kept.append(os.open(__file__, os.O_RDONLY))


def fd_write():
    def step(i):
        kept.append(os.open(os.path.join(folder, "out"), os.O_WRONLY | os.O_CREAT))

    return step


def fd_names():
    def step(i):
        kept.append(os.open(os.path.join(folder, f"upload-{i}"), os.O_WRONLY | os.O_CREAT))

    return step


def fd_socket():
    port = serve()
    return lambda i: kept.append(connect(port))


def fd_pipe():
    return lambda i: kept.append(os.pipe())


def fd_dup():
    return lambda i: kept.append(os.dup(0))


def fd_eventfd():
    return lambda i: kept.append(os.eventfd(0))


def close_wait():
    """Serves clients of its own making, and forgets to close what they have closed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    if os.fork() == 0:
        parent = os.getppid()
        while os.getppid() == parent:
            connect(port).close()
            time.sleep(0.5)
        os._exit(0)

    def step(i):
        conn, _ = listener.accept()
        conn.recv(100)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        kept.append(conn)

    return step


def threads():
    def step(i):
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    return step


def processes():
    def step(i):
        if os.fork() == 0:
            parent = os.getppid()
            while os.getppid() == parent:
                time.sleep(0.5)
            os._exit(0)

    return step


def churn():
    port = serve()

    def step(i):
        conn = http.client.HTTPConnection("127.0.0.1", port)
        conn.request("GET", "/")
        conn.getresponse().read()
        conn.close()

    return step


def backlog():
    """Listens with a short queue, and accepts nobody."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    port = listener.getsockname()[1]

    def step(i):
        conn = socket.socket()
        conn.setblocking(False)
        conn.connect_ex(("127.0.0.1", port))
        kept.append(conn)

    kept.append(listener)
    return step


# -- what only looks like it --


def ok_pool():
    """Grows by a connection each twentieth request up to ten, and uses all in turn."""
    port = serve()

    def step(i):
        if i % 20 == 0 and len(kept) < 10:
            kept.append(connect(port))
        else:
            ask(kept[i % len(kept)])

    return step


def ok_idle_pool():
    """Opens twenty connections at the start, and uses one."""
    port = serve()
    kept.extend(connect(port) for _ in range(20))
    return lambda i: ask(kept[0])


def ok_cache():
    """Holds the forty files used last."""

    def step(i):
        kept.append(os.open(os.path.join(folder, f"part-{i}"), os.O_RDWR | os.O_CREAT))
        if len(kept) > 40:
            os.close(kept.pop(0))

    return step


def ok_read_cache():
    """Opens sixty files for reading, one after the other, and keeps them."""
    for i in range(60):
        with open(os.path.join(folder, f"page-{i}"), "w", encoding="utf-8"):
            pass

    def step(i):
        if i % 4 == 0 and len(kept) < 60:
            kept.append(os.open(os.path.join(folder, f"page-{len(kept)}"), os.O_RDONLY))

    return step


def ok_threadpool():
    """A thread for each task up to 32, as executors do."""
    tasks = queue.SimpleQueue()

    def work():
        while True:
            tasks.get()

    def step(i):
        if len(kept) < 32 and i % 8 == 0:
            kept.append(threading.Thread(target=work, daemon=True))
            kept[-1].start()
        tasks.put(i)

    return step


def ok_workers():
    """Forks up to twelve workers."""

    def step(i):
        if len(kept) < 12 and i % 20 == 0:
            processes()(i)
            kept.append(i)

    return step


def ok_keep_alive():
    """Many requests on a connection, a new one each fifty."""
    port = serve()

    def step(i):
        if i % 50 == 0:
            if kept:
                kept.pop().close()
            kept.append(connect(port))
        ask(kept[0])

    return step


def ok_deferred():
    """Is told of a connection once there is something to read: the kernel counts a drop for each, as if its queue were full."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
    port = listener.getsockname()[1]

    def step(i):
        conn = socket.create_connection(("127.0.0.1", port), timeout=5)
        conn.sendall(b"x")
        listener.accept()[0].close()
        conn.close()

    return step


def main():
    kind, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    step = fd_read if kind == "fd_read" else globals()[kind]()
    begun = time.monotonic()
    i = 0
    while time.monotonic() - begun < seconds:
        step(i)
        i += 1
        time.sleep(max(0, begun + i / rate - time.monotonic()))
    sys.stdout.flush()
    os._exit(0)


main()
