"""One client whose retries are a library's: retry_library.py LIBRARY PORT PATH. What the library is set to is asked of the library itself and printed:
{"attempts": of one call, "calls": n, "delays": [[least, most] s, …]}. A library is a row of the table at the end.
"""
import asyncio
import json
import sys

import requests

NAME, PORT, PATH = sys.argv[1], int(sys.argv[2]), sys.argv[3]
URL = f"http://127.0.0.1:{PORT}{PATH}"
SAMPLES = 300


def tell(attempts, delay, calls=1):
    """delay(k): what the library would wait after the k-th attempt (from 1 on), drawn anew each time."""
    drawn = [[delay(k) for _ in range(SAMPLES)] for k in range(1, attempts)]
    print(json.dumps({"attempts": attempts, "calls": calls, "delays": [[min(d), max(d)] for d in drawn]}), flush=True)


def ask(method="GET", **more):
    requests.request(method, URL, timeout=5, **more).raise_for_status()


def quietly(call, calls=1):
    for _ in range(calls):
        try:
            call()
        except Exception as gave_up:  # whatever the library says then
            print(type(gave_up).__name__, file=sys.stderr)


def by_tenacity(attempts, wait, calls=1, **request):
    import tenacity
    retrying = tenacity.Retrying(stop=tenacity.stop_after_attempt(attempts), wait=wait(tenacity))

    def delay(k):
        state = tenacity.RetryCallState(retrying, None, (), {})
        state.attempt_number = k
        return float(retrying.wait(state))

    tell(retrying.stop.max_attempt_number, delay, calls)
    quietly(lambda: retrying.copy()(ask, **request), calls)


def by_backoff(wait, **options):
    import backoff
    jitter = options.get("jitter", backoff.full_jitter)
    words = {k: v for k, v in options.items() if k not in ("jitter", "max_tries")}

    def delay(k):
        values = wait(backoff)(**words)
        next(values)  # it has to be begun
        value = [next(values) for _ in range(k)][-1]
        return float(jitter(value) if jitter else value)

    tell(options["max_tries"], delay)
    quietly(backoff.on_exception(wait(backoff), requests.RequestException, **options)(ask))


def urllib3_delay(urllib3, retry):
    def delay(k):
        state = retry
        for _ in range(k):
            state = state.increment("GET", PATH, response=urllib3.HTTPResponse(status=503))
        return float(state.get_backoff_time())

    return delay


def by_urllib3(call, calls=1, **options):
    import urllib3
    retry = urllib3.Retry(status_forcelist=[503, 429], **options)
    tell(retry.total + 1, urllib3_delay(urllib3, retry), calls)
    quietly(call(urllib3, retry), calls)


def pool(urllib3, retry):
    manager = urllib3.PoolManager()
    return lambda: manager.request("GET", URL, retries=retry)


def session(_, retry):
    own = requests.Session()
    own.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
    return lambda: own.get(URL, timeout=5)


def by_aiohttp(wait):
    import aiohttp
    import aiohttp_retry
    options = wait(aiohttp_retry)

    def delay(k):
        fresh = wait(aiohttp_retry)  # some count how often they are asked
        return float([fresh.get_timeout(i) for i in range(1, k + 1)][-1])

    tell(options.attempts, delay)

    async def call():
        async with aiohttp.ClientSession() as session, aiohttp_retry.RetryClient(session, retry_options=options) as client:
            async with client.get(URL) as answer:
                await answer.read()

    quietly(lambda: asyncio.run(call()))


def layers():
    """tenacity's three around urllib3's four."""
    import tenacity
    import urllib3
    inner = urllib3.Retry(total=3, status_forcelist=[503], backoff_factor=0.1)
    inside = urllib3_delay(urllib3, inner)
    outer = tenacity.Retrying(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(0.9))
    round_of = inner.total + 1
    tell(outer.stop.max_attempt_number * round_of, lambda k: inside(k % round_of) if k % round_of else outer.wait.wait_fixed)
    quietly(lambda: outer(pool(urllib3, inner)))


LIBRARIES = {
    "tenacity_none": lambda: by_tenacity(6, lambda t: t.wait_none()),
    "tenacity_5ms": lambda: by_tenacity(12, lambda t: t.wait_fixed(0.005)),
    "tenacity_fixed": lambda: by_tenacity(6, lambda t: t.wait_fixed(0.3)),
    "tenacity_fixed_and_random": lambda: by_tenacity(10, lambda t: t.wait_fixed(0.3) + t.wait_random(0, 0.1)),
    "tenacity_incrementing": lambda: by_tenacity(6, lambda t: t.wait_incrementing(0.15, 0.15)),
    "tenacity_exponential": lambda: by_tenacity(5, lambda t: t.wait_exponential(multiplier=0.1)),
    "tenacity_exponential_capped": lambda: by_tenacity(9, lambda t: t.wait_exponential(multiplier=0.1, max=0.8)),
    "tenacity_exponential_jitter": lambda: by_tenacity(6, lambda t: t.wait_exponential_jitter(multiplier=0.1, jitter=0.1)),
    "tenacity_full_jitter": lambda: by_tenacity(6, lambda t: t.wait_random_exponential(multiplier=0.2)),
    "tenacity_no_jitter": lambda: by_tenacity(4, lambda t: t.wait_exponential(multiplier=0.1), calls=6),
    "tenacity_post": lambda: by_tenacity(4, lambda t: t.wait_exponential(multiplier=0.1), method="POST", data="a=1"),
    "backoff_expo": lambda: by_backoff(lambda b: b.expo, max_tries=6, factor=0.15),
    "backoff_expo_plain": lambda: by_backoff(lambda b: b.expo, max_tries=5, factor=0.1, jitter=None),
    "backoff_fibo": lambda: by_backoff(lambda b: b.fibo, max_tries=4, max_value=2, jitter=None),
    "backoff_constant": lambda: by_backoff(lambda b: b.constant, max_tries=5, interval=0.25, jitter=None),
    "urllib3_none": lambda: by_urllib3(pool, total=5),
    "urllib3_backoff": lambda: by_urllib3(pool, total=5, backoff_factor=0.1),
    "urllib3_jitter": lambda: by_urllib3(pool, total=6, backoff_factor=0.1, backoff_jitter=0.1),
    "requests_adapter": lambda: by_urllib3(session, total=4, backoff_factor=0.1),
    "aiohttp_exponential": lambda: by_aiohttp(lambda a: a.ExponentialRetry(attempts=5, start_timeout=0.05)),
    "aiohttp_fibonacci": lambda: by_aiohttp(lambda a: a.FibonacciRetry(attempts=5, multiplier=0.1, max_timeout=2)),
    "aiohttp_random": lambda: by_aiohttp(lambda a: a.RandomRetry(attempts=8, min_timeout=0.1, max_timeout=1)),
    "layers": layers,
}
LIBRARIES[NAME]()
