"""One client that tries again in its own way: retry_loops.py WAY PORT PATH. A way is a row of the table at the end."""
import asyncio
import http.client
import random
import sys
import threading
import time

WAY, PORT, PATH = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def ask(method="GET", path=PATH, body=None, headers=None, timeout=0.5):
    """Status of one request on a connection of its own, 0 if there was none."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=timeout)
    try:
        c.request(method, path, body, headers or {})
        answer = c.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        c.close()


def loop(attempts, delay, calls=1, pause=0.7, **request):
    """`calls` calls of up to `attempts` attempts each; delay(k) s after attempt k (0 for the first)."""
    for call in range(calls):
        if call:
            time.sleep(pause)
        for k in range(attempts):
            if 200 <= ask(**request) < 400:
                break
            if k + 1 < attempts:
                time.sleep(delay(k))


class Decorrelated:
    """Each delay is drawn between the base and three times the one before it."""

    def __init__(self, base, cap):
        self.base, self.cap, self.last = base, cap, base

    def __call__(self, k):
        self.last = min(self.cap, random.uniform(self.base, 3 * (self.base if k == 0 else self.last)))
        return self.last


def pooled():
    """Attempts over one connection that stays open."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
    for k in range(5):
        try:
            c.request("GET", PATH)
            answer = c.getresponse()
            answer.read()
            if answer.status < 500:
                return
        except (OSError, http.client.HTTPException):
            c.close()
        if k < 4:
            time.sleep(0.1 * 2**k)


def layers(inner, outer):
    for o in range(outer):
        for i in range(inner):
            if ask() == 200:
                return
            if i + 1 < inner:
                time.sleep(0.2)
        if o + 1 < outer:
            time.sleep(1)


async def ask_async(path):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head = await reader.read(4096)
        writer.close()
        return int(head.split(b" ", 2)[1]) if head else 0
    except OSError:
        return 0


async def many_tasks(n, attempts):
    """`n` tasks on one thread ask for the same, each with its own few, well-spaced attempts."""
    async def task(i):
        await asyncio.sleep(0)
        for k in range(attempts):
            if await ask_async(PATH) == 200:
                return
            if k + 1 < attempts:
                await asyncio.sleep(random.uniform(0.5, 1) * 0.2 * 2**k)
    await asyncio.gather(*(task(i) for i in range(n)))


def threads(n, work):
    them = [threading.Thread(target=work, args=(i,)) for i in range(n)]
    for t in them:
        t.start()
    for t in them:
        t.join()


def worker_fails_once(i):
    time.sleep(0.01 * i)
    ask()


def worker_backs_off(i):
    time.sleep(0.01 * i)
    loop(4, lambda k: random.uniform(0.5, 1) * 0.2 * 2**k)


def until(seconds, step):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        step(n)
        n += 1


def periodic(seconds, period, stall=0.0, **request):
    """A check that is due at fixed moments. Held up for `stall` seconds once in twenty, it makes up for what it missed at once."""
    due, end, n = time.monotonic(), time.monotonic() + seconds, 0
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        ask(**request)
        due += period
        n += 1
        if n % 20 == 0:
            time.sleep(stall)


def poll(pause):
    return lambda n: (ask(), time.sleep(pause()))


def fibonacci(k):
    return 0.1 * (1, 1, 2, 3, 5, 8, 13)[k]


WAYS = {
    "once": lambda: ask(),
    "hasty": lambda: loop(8, lambda k: 0.002),
    "two": lambda: loop(2, lambda k: 0.3),
    "fixed": lambda: loop(7, lambda k: 0.2),
    "fixed_slow": lambda: loop(4, lambda k: 1.0),
    "linear": lambda: loop(6, lambda k: 0.2 * (k + 1)),
    "fibonacci": lambda: loop(7, fibonacci),
    "doubling": lambda: loop(6, lambda k: 0.1 * 2**k),
    "tripling": lambda: loop(5, lambda k: 0.06 * 3**k),
    "capped": lambda: loop(10, lambda k: min(0.8, 0.1 * 2**k)),
    "first_at_once": lambda: loop(5, lambda k: 0 if k == 0 else 0.1 * 2**k),
    "full_jitter": lambda: loop(6, lambda k: random.uniform(0, 0.2 * 2**k), calls=6),
    "equal_jitter": lambda: loop(5, lambda k: 0.1 * 2**k * random.uniform(0.5, 1), calls=6),
    "decorrelated": lambda: loop(8, Decorrelated(0.1, 2)),
    "some_jitter": lambda: loop(8, lambda k: 0.2 * random.uniform(0.75, 1.25), calls=1),
    "drawn": lambda: loop(5, lambda k: 0.1 * 2**k * random.uniform(0.5, 1)),
    "no_jitter": lambda: loop(4, lambda k: 0.1 * 2**k, calls=7, pause=1.3),
    "forever_hasty": lambda: until(3, lambda n: ask()),
    "forever_fixed": lambda: until(7, poll(lambda: 0.2)),
    "forever_capped": lambda: until(9, lambda n: (ask(), time.sleep(random.uniform(0.5, 1) * min(0.4, 0.05 * 2**n)))),
    "post": lambda: loop(4, lambda k: 0.1 * 2**k, method="POST", body="a=1"),
    "post_key": lambda: loop(4, lambda k: 0.1 * 2**k, method="POST", body="a=1", headers={"Idempotency-Key": "17"}),
    "put": lambda: loop(4, lambda k: 0.1 * 2**k, method="PUT", body="a=1"),
    "late": lambda: loop(3, lambda k: 1.2),
    "pooled": pooled,
    "layers": lambda: layers(3, 4),
    "tasks": lambda: asyncio.run(many_tasks(40, 4)),
    "few_tasks": lambda: asyncio.run(many_tasks(6, 4)),
    "workers_once": lambda: threads(12, worker_fails_once),
    "workers": lambda: threads(8, worker_backs_off),
    # No retries, whatever the answers are:
    "poll": lambda: until(6, poll(lambda: 0.1)),
    "poll_jitter": lambda: until(8, poll(lambda: 0.15 * random.uniform(0.8, 1.2))),
    "check": lambda: periodic(8, 0.25),
    "check_late": lambda: periodic(10, 0.15, stall=1.5),
    "check_slow_start": lambda: periodic(6, 0.5),
    "pages": lambda: until(3, lambda n: ask(path=f"{PATH}?page={n}")),
    "bodies": lambda: until(3, lambda n: ask("POST", body=f'{{"job": {n}}}')),
    "lookups": lambda: until(2, lambda n: ask(path=f"{PATH}/item-{n}")),
    "same_lookup": lambda: until(3, lambda n: (ask(path=f"{PATH}/item-{n % 40}"), time.sleep(0.005))),
    "fan_out": lambda: [threads(8, lambda i: ask()) for _ in range(3)],
    "hedge": lambda: [threads(2, lambda i: (time.sleep(0.02 * i), ask())) or time.sleep(0.3) for _ in range(8)],
}
WAYS[WAY]()
