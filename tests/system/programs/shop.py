"""A small shop that talks to itself in several ways; comments name the lines that findings must name. usage: shop.py talk|wait|hang|daemons|gone"""
import os
import signal
import socket
import sys
import threading

kept = []
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(64)


def answer(conn):
    while conn.recv(100):
        conn.sendall(b"ok\n")


def serve():
    while True:
        conn = server.accept()[0]
        kept.append(conn)
        threading.Thread(target=answer, args=(conn,), daemon=True).start()


def connect():
    return socket.create_connection(server.getsockname())  # connect


def charge(s):
    s.sendall(b"charge\n")
    return s.recv(  # charge
        100)


def refund(s):
    for i in range(3):
        s.sendall(b"refund\n")
        s.recv(100)  # refund


class Log:
    def write_name(self):
        print("order of jane.roe@acme-shop.io", flush=True)  # log


def in_a_thread():
    s = connect()
    s.sendall(b"thread\n")
    s.recv(100)  # thread


def talk():
    s = connect()
    for _ in range(40):
        charge(s)
        refund(s)
    t = threading.Thread(target=in_a_thread)
    t.start()
    t.join()
    Log().write_name()
    sys.stdin.readline()  # alive until its places were read


def hang(s):
    s.sendall(b"hello\n")
    s.recv(100)  # hang


def gone():
    """Over before its watcher can look: that one is asleep from before the first call of it."""
    os.kill(os.getppid(), signal.SIGSTOP)
    s = connect()
    for _ in range(3):
        charge(s)
        refund(s)
    Log().write_name()
    os._exit(0)


def chatter():
    a, b = socket.socketpair()
    while True:
        a.send(b"x")
        b.recv(1)


mode = sys.argv[1]
if mode == "wait":
    print("ready", flush=True)
    sys.stdin.readline()
if mode != "hang":
    threading.Thread(target=serve, daemon=True).start()
if mode == "daemons":  # the interpreter ends while they are in the middle of calls
    for _ in range(4):
        threading.Thread(target=chatter, daemon=True).start()
    for _ in range(20):
        charge(connect())
elif mode == "gone":
    gone()
elif mode == "hang":
    quiet = connect()
    t = threading.Thread(target=hang, args=(quiet,), daemon=True)
    t.start()
    waits_for = None
    while waits_for != hex(quiet.fileno()):  # what the kernel says of the call that it is in
        with open(f"/proc/self/task/{t.native_id}/syscall", encoding="ascii") as f:
            waits_for = (f.read().split() + [None, None])[1]
    Log().write_name()
    t.join()
else:
    talk()
