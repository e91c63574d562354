"""Clients of many habits in one service, for SECONDS. None of the first kind retries; those of the second do, if asked to.

  mixed_clients.py HTTP_PORT NGINX_PORT REDIS_PORT POSTGRES_PORT SECONDS [retriers]

Pages are crawled one after the other, a status is polled, checks come with a fixed period, a cron-like loop starts curl, wrk,
redis-benchmark and pgbench load their servers. Retriers: `hasty` without back-off, `payer` with back-off but a POST without a key, `polite` as it should be.
"""
import http.client
import random
import subprocess
import sys
import threading
import time

HTTP, NGINX, REDIS, POSTGRES, SECONDS = (int(x) for x in sys.argv[1:6])
END = time.monotonic() + SECONDS


def ask(method, path, body=None):
    """Status of one request on a connection of its own, 599 if it broke."""
    c = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=5)
    try:
        c.request(method, path, body)
        answer = c.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 599
    finally:
        c.close()


def crawler():
    page = 0
    while time.monotonic() < END:
        ask("GET", f"/items?page={page}")
        page += 1
        time.sleep(0.02)


def poller():
    while time.monotonic() < END:
        ask("GET", "/status")
        time.sleep(0.25)


def check(k):
    due = time.monotonic() + 0.05 * k
    while due < END:
        time.sleep(max(0.0, due - time.monotonic()))
        ask("GET", f"/health/{k}")
        due += 0.4  # rounds that a busy machine made it miss are made up for, one at once after the other


def cron():
    while time.monotonic() < END:
        subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "5", f"http://127.0.0.1:{HTTP}/nightly"], check=False)
        time.sleep(1)


def loads():
    while time.monotonic() < END - 2:
        subprocess.run(["wrk", "-t1", "-c8", "-d1s", f"http://127.0.0.1:{NGINX}/index.html"], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(["redis-benchmark", "-q", "-p", str(REDIS), "-n", "3000", "-c", "10", "-t", "get,set"], check=False,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["pgbench", "-n", "-c", "4", "-T", "1", "-h", "127.0.0.1", "-p", str(POSTGRES), "-U", "postgres", "postgres"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def retrier(method, path, attempts, delay, pause=0.1):
    n = 0
    while time.monotonic() < END:
        n += 1
        for k in range(attempts):
            if ask(method, f"{path}/{n}", "{}" if method == "POST" else None) < 500:
                break
            if k + 1 < attempts:
                time.sleep(delay(k))
        time.sleep(pause)


def backoff(k):
    return random.uniform(0.5, 1) * 0.1 * 2 ** k


tasks = [threading.Thread(target=t) for t in (crawler, poller, cron, loads)]
tasks += [threading.Thread(target=check, args=(k,)) for k in range(4)]
if "retriers" in sys.argv[6:]:
    tasks.append(threading.Thread(target=retrier, args=("GET", "/hasty", 12, lambda k: 0.001, 0.03)))
    tasks.append(threading.Thread(target=retrier, args=("POST", "/pay", 4, backoff)))
    tasks.append(threading.Thread(target=retrier, args=("GET", "/polite", 4, backoff)))
for t in tasks:
    t.start()
for t in tasks:
    t.join()
