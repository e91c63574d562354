"""What watching allocations costs: ns of thread time for a pair of malloc and free, bare, under gapscope with allocations off and on, and
beside heaptrack and jemalloc's profiler, by turns in one run. The smallest of several rounds counts."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import gs  # noqa: E402

PAIR = str(gs.BUILD / "tests" / "bench" / "bench_alloc_pair")
SIZES = (16, 64, 256, 1024)
TURNS = 3
ROUNDS = 20
PROMISED_NS = 5.0


def alloc_cost():
    gs.need("heaptrack")
    je = {"LD_PRELOAD": "libjemalloc.so.2"}
    with gs.workdir() as top:
        under = [gs.GAPSCOPE, "run", "--quiet"]
        ways = {  # name: words in front, environment, what it is to be compared with
            "bare": ([], {}, "bare"),
            "off": ([*under, "--"], {}, "bare"),
            "on": ([*under, "--alloc", "--alloc-mean", "524288", "--"], {}, "bare"),
            "heaptrack": (["heaptrack", "-o", str(top / "h")], {}, "bare"),
            "jemalloc": ([], je, "jemalloc"),
            "jemalloc on": ([*under, "--alloc", "--alloc-mean", "524288", "--"], je, "jemalloc"),
            "jemalloc prof": ([], {**je, "MALLOC_CONF": "prof:true,prof_active:true,lg_prof_sample:19"}, "jemalloc"),
        }
        least = {name: dict.fromkeys(SIZES, 1e9) for name in ways}
        for turn in range(TURNS):
            for name, (words, env, _) in ways.items():
                slow = name == "heaptrack"  # and far away
                if slow and turn > 1:
                    continue
                out = gs.checked([*words, PAIR, 2 if slow else ROUNDS, *SIZES], env=gs.clean_env(env), cwd=top).decode()
                # heaptrack has words of its own around the numbers
                for size, ns in re.findall(r"^(\d+) (\d+\.\d\d)$", out, re.M):
                    least[name][int(size)] = min(least[name][int(size)], float(ns))
        for size in SIZES:
            print(f"  {size:5} bytes: " + ", ".join(f"{n} {least[n][size]:.1f} ({least[n][size] - least[base][size]:+.1f})"
                                                    for n, (_, _, base) in ways.items()))
        worst = max(least["on"][size] - least["bare"][size] for size in SIZES)
        print(f"  on: at most {worst:+.1f} ns a pair; promised {PROMISED_NS:+.0f}")
        gs.expect(worst < 3 * PROMISED_NS, "far more than promised, whatever the noise of this machine is")


if __name__ == "__main__":
    gs.main({"alloc_cost": alloc_cost})
