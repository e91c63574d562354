#!/usr/bin/env python3
"""Stands for a service in `drive`: starts the shop bare, attaches to it once it listens, and only then says where.

usage: attach_shop.py GAPSCOPE REPORT SHOP [ARG]…
"""
import signal
import subprocess
import sys

gapscope, report, *command = sys.argv[1:]
shop = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
signal.signal(signal.SIGTERM, lambda *_: shop.terminate())
line = shop.stdout.readline()
watcher = subprocess.Popen([gapscope, "attach", "--service", "shop", "--report", report, str(shop.pid)], stderr=subprocess.PIPE, text=True)
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
