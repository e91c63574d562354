#!/usr/bin/env python3
"""Run a client, and attach gapscope to it once it waits for its peer: what it did before was not watched.

usage: attached.py GAPSCOPE REPORT [OPTION …] -- CMD [ARG]…

The peer is 127.0.0.1:$PORT. It ends as the client does; a SIGTERM goes to both.
"""
import os
import signal
import subprocess
import sys
import time

PATIENCE = 10.0


def sockets(pid):
    """The inodes of the sockets of a process and of those that it has started."""
    found = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            name = os.readlink(f"/proc/{pid}/fd/{fd}")
            if name.startswith("socket:["):
                found.add(name[8:-1])
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                for child in f.read().split():
                    found |= sockets(child)
    except OSError:
        pass  # it goes on meanwhile
    return found


def connected(pid, port):
    """Has it a TCP connection to this port, or one that is being made? A server that answers no SYN holds some of its own. A JVM's are IPv6
    sockets, to IPv4 addresses too."""
    own = sockets(pid)
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as f:
            for line in f.readlines()[1:]:
                fields = line.split()
                if int(fields[2].split(":")[1], 16) == port and fields[3] in ("01", "02") and fields[9] in own:
                    return True
    return False


def main():
    at = sys.argv.index("--")
    gapscope, report, options, command = sys.argv[1], sys.argv[2], sys.argv[3:at], sys.argv[at + 1 :]
    client = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: client.terminate())
    end = time.monotonic() + PATIENCE
    while not connected(client.pid, int(os.environ["PORT"])) and client.poll() is None and time.monotonic() < end:
        time.sleep(0.01)  # the kernel tells nobody
    watcher = None
    if client.poll() is None:
        watcher = subprocess.Popen([gapscope, "attach", "--quiet", "--report", report, *options, str(client.pid)])
    status = client.wait()
    if watcher:
        watcher.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
