"""Real retry libraries against a server that fails and counts. What must be said follows from what the library is set to, which the client asks
of the library itself (programs/retry_library.py, .js, ebpf/retries): attempts, and the least and most of each delay.
"""
import json
import os

import failing_server
import gs
import retry_clients

PYTHON = gs.ROOT / "build" / "venv" / "bin" / "python3"
NONE_BELOW_S = 0.06
HEEDING = "urllib3"  # Retry-After
NODE_PACKAGES = (("axios", "1.7.9"), ("axios-retry", "4.5.0"), ("p-retry", "6.2.1"), ("cockatiel", "3.2.1"))
ROWS = [("py", x, "busy") for x in (
    "tenacity_none", "tenacity_5ms", "tenacity_fixed", "tenacity_fixed_and_random", "tenacity_incrementing", "tenacity_exponential",
    "tenacity_exponential_capped", "tenacity_exponential_jitter", "tenacity_full_jitter", "tenacity_no_jitter", "tenacity_post", "backoff_expo",
    "backoff_expo_plain", "backoff_fibo", "backoff_constant", "urllib3_none", "urllib3_backoff", "urllib3_jitter", "requests_adapter",
    "aiohttp_exponential", "aiohttp_fibonacci", "aiohttp_random", "layers")]
ROWS += [("py", "tenacity_fixed", "later"), ("py", "urllib3_backoff", "later"), ("py", "tenacity_exponential", "eof")]
ROWS += [("js", x, "busy") for x in ("axios_retry", "axios_retry_none", "p_retry", "cockatiel", "cockatiel_constant")]
GO_ROWS = [("go", x, "busy") for x in ("retryablehttp", "retryablehttp_linear", "cenkalti", "cenkalti_constant")]


def alike(values, spread):
    return max(values) <= spread * min(values)


def shapes_of(delays):
    """What may be said of such delays."""
    most = [high for _, high in delays]
    if 2 * sum(x < NONE_BELOW_S for x in most) > len(most):
        return {"none"}
    if most[0] < NONE_BELOW_S:  # a first retry at once says nothing of the rest
        delays, most = delays[1:], most[1:]
    drawn = any(low < high / 1.75 for low, high in delays)  # nothing but chance decides how such delays follow each other
    if alike(most, 1.13):
        return {"irregular", "exponential", "constant"} if drawn else {"constant"}
    steps = [b - a for a, b in zip(most, most[1:])]
    if len(steps) > 1 and min(steps) > 0 and alike(steps, 1.2):
        return {"linear"}
    factors = [b / a for a, b in zip(most, most[1:])]
    return {"exponential", "irregular"} if drawn and len(delays) < 5 or min(factors[:2]) < 1.4 else {"exponential"}


def rules_of(name, how, truth, shapes):
    """(rules that must be found, rules that may be)."""
    delays = truth["delays"]
    fixed = all(high <= 1.05 * low + 0.001 for low, high in delays)
    must, may = set(), set()
    if shapes == {"none"} and len(delays) >= 3:
        must.add("no_backoff")
    if "constant" in shapes:
        may.add("no_backoff")  # as information
    if fixed and truth["calls"] >= 5 and shapes != {"none"}:
        must.add("no_jitter")
    if name.endswith("_post"):
        must.add("non_idempotent")
    if name == "layers":
        must.add("amplification")
    if how == "later" and not name.startswith(HEEDING):
        must.add("ignores_retry_after")
    return must, may


def judge(name, how, truth, seen, report):
    if how == "later" and name.startswith(HEEDING):
        truth["delays"] = [[failing_server.LATER_S] * 2] * len(truth["delays"])
    counted = len(seen) // truth["calls"]
    kept = [max(0.0, b - a) for a, b in zip(seen, seen[1:])][:len(truth["delays"])]
    if any(waited > 1.1 * high + 0.05 for waited, (_, high) in zip(kept, truth["delays"])):
        raise retry_clients.HeldUp
    gs.expect(counted == truth["attempts"] and all(waited > low - 0.01 for waited, (low, _) in zip(kept, truth["delays"])),
              f"{name} did otherwise than it is set to: {truth}, {len(seen)} attempts after {kept}")
    wrong = []
    shapes = shapes_of(truth["delays"]) if name != "layers" else {"exponential", "irregular"}
    must, may = rules_of(name, how, truth, shapes)
    found = {f["rule"].removeprefix("retry.") for f in report["findings"] if f["rule"].startswith("retry.")}
    if must - found:
        wrong.append(f"missed {sorted(must - found)}")
    if found - must - may:
        wrong.append(f"undeserved {sorted(found - must - may)}")
    said = max(report["retries"], key=lambda r: r["max_attempts"], default=None)
    if said is None:
        return wrong + ["no row"]
    if (said["class"], said["bound"]) != ("bounded", truth["attempts"]):
        wrong.append(f"{said['class']} {said['bound']} instead of bounded {truth['attempts']}")
    if how == "busy" and said["backoff"] not in shapes:
        wrong.append(f"{said['backoff']} instead of {' or '.join(sorted(shapes))}")
    drawn = any(high > 1.1 * low + 0.001 for low, high in truth["delays"])
    if said["jitter"] == ("no" if drawn else "yes"):
        wrong.append(f"jitter {said['jitter']}")
    return wrong


def measure(programs, row):
    language, name, how = row
    with gs.workdir() as top, failing_server.FailingServer() as server:
        out = gs.checked([*gs.watch(top / "report.json"), *programs[language], name, server.port, f"/{how}/x"])
        return judge(name, how, json.loads(out), server.seen[f"/{how}/x"], gs.is_watched(top / "report.json"))


def libraries():
    os.environ["NODE_PATH"] = ":".join(str(gs.npm_package(*package)) for package in NODE_PACKAGES)
    programs = {"py": [PYTHON, gs.HERE / "programs" / "retry_library.py"], "js": ["node", gs.HERE / "programs" / "retry_library.js"]}
    rows = list(ROWS)
    if os.getuid() == 0 and os.path.exists("/sys/kernel/btf/vmlinux"):
        programs["go"] = [gs.go_built(gs.HERE / "ebpf" / "retries", "retries-1", "Go's retry libraries are NOT tested")]
        rows += GO_ROWS
    else:
        print("  Go's libraries are left out: probes need root and a kernel that tells its types (BTF)")
    retry_clients.each_in_five_tries(rows, lambda row: measure(programs, row), lambda row: f"{row[1]} {row[2]}", at_once=6)


if __name__ == "__main__":
    gs.main({"retry_libraries": libraries})
