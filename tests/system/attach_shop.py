#!/usr/bin/env python3
"""Stands for a service in `drive`: starts the shop bare, attaches to it once it listens, and only then says where.

usage: attach_shop.py [--child] GAPSCOPE REPORT SHOP [ARG]…      --child: what is attached to is the only child of SHOP
"""
import os
import signal
import subprocess
import sys

child = sys.argv[1] == "--child"
gapscope, report, *command = sys.argv[1 + child:]
shop = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
signal.signal(signal.SIGTERM, lambda *_: shop.terminate())
line = shop.stdout.readline()
pid = shop.pid
if child:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        pid = int(children.read())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
watcher = subprocess.Popen([gapscope, "attach", "--service", "shop", "--report", report, str(pid)], stderr=subprocess.PIPE, text=True)
said = watcher.stderr.readline()
if "watching process" not in said and "is watched by probes" not in said:
    sys.exit(f"not attached: {said}")
print(line, end="", flush=True)
for line in shop.stdout:
    print(line, end="", flush=True)
status = shop.wait()
rest = watcher.communicate(timeout=30)[1]
if watcher.returncode != 0:
    sys.exit(f"attach ended with {watcher.returncode}: {said}{rest}")
sys.exit(status)
