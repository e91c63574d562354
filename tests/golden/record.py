#!/usr/bin/env python3
"""Make the recordings of tests/golden/deadline anew: waits.c, once for each case, against a peer that misbehaves.

  record.py BUILD [CASE…]     BUILD has gapscope and tests/golden/waits

Then look at what `replay.py --update` writes beside them: an expectation is only worth as much as the look that somebody took at it.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deadline")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
# name: (mode of waits.c, the peer, seconds until a signal, the signal)
CASES = {
    "forever_answered": ("forever", "slow", 0, 0),
    "forever_silent": ("forever", "silent", 4, signal.SIGKILL),
    "socket_timeout": ("socket_timeout", "silent", 0, 0),
    "socket_timeout_drip": ("socket_timeout", "drip", 0, 0),
    "poll_limit": ("poll_limit", "silent", 0, 0),
    "slices_killed": ("slices", "silent", 2, signal.SIGKILL),
    "remainder_drip": ("remainder", "drip", 0, 0),
    "alarm": ("alarm", "silent", 0, 0),
    "watchdog": ("watchdog", "silent", 0, 0),
    "watchdog_drip": ("watchdog", "drip", 0, 0),
    "watchdog_asleep": ("watchdog_asleep", "slow", 0, 0),
    "loop_with_timer": ("loop_with_timer", "silent", 0, 0),
    "busy": ("busy", "silent", 0, 0),
    "read_after_poll": ("read_after_poll", "slow", 0, 0),
    "greeting": ("greeting", "silent", 0, 0),
    "killed": ("killed", "silent", 3, signal.SIGTERM),
    "connect_timeout": ("connect_timeout", "full", 0, 0),
    "connect_left": ("connect_left", "full", 0, 0),
    "forever_drip": ("forever", "drip", 5, signal.SIGKILL),
    "socket_timeout_slow": ("socket_timeout", "slow", 0, 0),
    "poll_limit_slow": ("poll_limit", "slow", 0, 0),
    "poll_limit_drip": ("poll_limit", "drip", 0, 0),
    "slices_slow": ("slices", "slow", 0, 0),
    "remainder": ("remainder", "silent", 0, 0),
    "remainder_slow": ("remainder", "slow", 0, 0),
    "alarm_slow": ("alarm", "slow", 0, 0),
    "alarm_drip": ("alarm", "drip", 0, 0),
    "watchdog_slow": ("watchdog", "slow", 0, 0),
    "busy_slow": ("busy", "slow", 0, 0),
    "loop_with_timer_slow": ("loop_with_timer", "slow", 0, 0),
    "loop_with_timer_drip": ("loop_with_timer", "drip", 0, 0),
}


def serve(listener, how):
    while True:
        try:
            s, _ = listener.accept()
        except OSError:
            return
        try:
            if how == "slow":
                s.recv(4096)
                time.sleep(0.3)
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                s.close()
            elif how == "drip":
                s.recv(4096)
                s.sendall(HEAD)
                for _ in range(8):
                    time.sleep(0.4)
                    s.sendall(b"x")
            else:
                s.recv(4096)
        except OSError:
            pass
        threading.Event().wait(0.01)


def record(build, name):
    mode, how, seconds, number = CASES[name]
    listener = socket.create_server(("127.0.0.1", 0), backlog=0 if how == "full" else 8)
    port = listener.getsockname()[1]
    fillers = []
    if how == "full":  # nobody accepts, and there is no more room: the handshake is not completed
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            fillers.append(s)
        time.sleep(0.2)
    else:
        threading.Thread(target=serve, args=(listener, how), daemon=True).start()
    with tempfile.TemporaryDirectory() as tmp:
        program = shutil.copy(os.path.join(build, "tests", "golden", "waits"), os.path.join("/tmp", "waits"))
        made = os.path.join(tmp, "r.gsr")
        p = subprocess.Popen([os.path.join(build, "gapscope"), "run", "--quiet", "--service", "waits", "--report", os.path.join(tmp, "r.json"),
                              "--record", made, "--", program, mode, str(port)], start_new_session=True, stdin=subprocess.DEVNULL)
        if seconds:
            time.sleep(seconds)
            child = int(open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii").read().split()[0])
            os.kill(child, number)
        p.wait(60)
        shutil.copy(made, os.path.join(HERE, name + ".gsr"))
        os.chmod(os.path.join(HERE, name + ".gsr"), 0o644)
        os.unlink(program)
    listener.close()
    for s in fillers:
        s.close()
    print(f"{name}: {os.path.getsize(os.path.join(HERE, name + '.gsr'))} bytes")


for case in sys.argv[2:] or CASES:
    record(os.path.abspath(sys.argv[1]), case)
