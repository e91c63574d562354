#!/usr/bin/env python3
"""Make the recordings of tests/golden/retry anew: tries.c, once for each case, against a peer that fails in one way.

  record_tries.py BUILD [CASE…]     BUILD has gapscope and tests/golden/tries

Then look at what `replay.py --update` writes beside them: an expectation is only worth as much as the look that somebody took at it.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "retry")
ANSWERS = {
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "later": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "no": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "moved": b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
    "who": b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "good": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}
# name: (mode of tries.c, what the peer does: an answer, eof, refuse, third_good (each third request), some_bad (each fourth fails),
# most_bad (three of four fail, the first ones too), slow (503 after 50 ms), who_then_good (401, then good))
CASES = {
    "once": ("once", "busy"),
    "none": ("hasty", "busy"),
    "none_eof": ("hasty", "eof"),
    "none_refuse": ("hasty", "refuse"),
    "unbounded": ("forever", "busy"),
    "constant": ("constant", "busy"),
    "linear": ("linear", "busy"),
    "exponential": ("doubling", "busy"),
    "exponential_eof": ("doubling", "eof"),
    "exponential_refuse": ("doubling", "refuse"),
    "exponential_capped": ("capped", "busy"),
    "exponential_drawn": ("drawn", "busy"),
    "first_at_once": ("at_once_first", "busy"),
    "nested": ("nested", "busy"),
    "recovers": ("doubling", "third_good"),
    "post": ("post", "eof"),
    "post_with_key": ("post_with_key", "eof"),
    "retry_after": ("doubling", "later"),
    "not_retryable": ("doubling", "no"),
    "no_pages": ("pages", "some_bad"),
    "no_poll": ("poll", "some_bad"),
    "no_fan_out": ("fan_out", "busy"),
    "no_cron": ("cron", "good"),
    "no_check": ("poll", "most_bad"),
    "no_workers": ("workers", "busy"),
    "calls": ("calls", "busy"),
    "calls_drawn": ("outage", "busy"),
    "no_redirect": ("once", "moved"),
    "no_hedge": ("hedge", "slow"),
    "no_login": ("login", "who_then_good"),
    "no_addresses": ("addresses", "good"),
    "no_second_connect": ("second_connect", "good"),
    "second_connect_refuse": ("second_connect", "refuse"),
    "reconnects": ("careful", "refuse"),
    "calls_numbered": ("numbered", "busy"),
}


def serve(listener, how):
    n = 0
    while True:
        try:
            s, _ = listener.accept()
        except OSError:
            return
        n += 1
        with s:
            s.recv(4096)
            if how == "third_good":
                s.sendall(ANSWERS["good" if n == 3 else "busy"])
            elif how == "some_bad":
                s.sendall(ANSWERS["busy" if n % 4 == 0 else "good"])
            elif how == "most_bad":
                s.sendall(ANSWERS["good" if n % 4 == 0 else "busy"])
            elif how == "slow":
                time.sleep(0.05)
                s.sendall(ANSWERS["busy"])
            elif how == "who_then_good":
                s.sendall(ANSWERS["who" if n % 2 else "good"])
            elif how in ANSWERS:
                s.sendall(ANSWERS[how])


def two_addresses(tmp):
    """What goes before a command that is to find two addresses of the name "payments", the first of which refuses. Needs root."""
    hosts = os.path.join(tmp, "hosts")
    with open(hosts, "w", encoding="utf-8") as f:
        f.write("127.0.0.1 localhost payments\n::1 payments\n")
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]


def record(build, name):
    mode, how = CASES[name]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    if how == "refuse":
        listener.close()
    else:
        threading.Thread(target=serve, args=(listener, how), daemon=True).start()
    os.makedirs(HERE, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        program = shutil.copy(os.path.join(build, "tests", "golden", "tries"), os.path.join("/tmp", "tries"))
        made, kept = os.path.join(tmp, "r.gsr"), os.path.join(HERE, name + ".gsr")
        names = two_addresses(tmp) if mode == "addresses" else []
        subprocess.run([*names, os.path.join(build, "gapscope"), "run", "--quiet", "--service", "tries", "--report", os.path.join(tmp, "r.json"),
                        "--record", made, "--", program, mode, str(port)], check=False, stdin=subprocess.DEVNULL, timeout=60)
        shutil.copy(made, kept)
        os.chmod(kept, 0o644)
        os.unlink(program)
    if how != "refuse":
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    print(f"{name}: {os.path.getsize(kept)} bytes")


for case in sys.argv[2:] or CASES:
    record(os.path.abspath(sys.argv[1]), case)
