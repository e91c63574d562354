"""Allocations under watch, with real programs: planted leaks of known size are found and ranked, with every allocator; sums are right; what is
no leak is not told; Go's pprof reads the profiles; and it can be switched on in a service that runs.

GS_ALLOC_SECONDS is how long the real programs are watched (default 4; the nightly run sets 600).
"""
import json
import os
import re
import signal
import subprocess
import time

import gs

SECONDS = int(os.environ.get("GS_ALLOC_SECONDS", "4"))
LEAKER = str(gs.BUILD / "tests" / "system" / "system_leaker")
TRIES = 4
# Program and arguments: runs.
MANY = 10 if os.environ.get("GAPSCOPE_NIGHTLY") else 3
TOTALS = {
    ("system_leaker", "30000", "0"): 10,
    ("system_leaker", "5000", "20"): MANY,
    ("system_leaker_mixed", "2000", "300000"): MANY,
    ("system_leaker_mixed", "131072", "60000"): MANY,
}
# Rounds of the leaker, one after the other until all is told: a leak must have been at work for half of the program's life, which on a fast machine
# with a fast allocator takes many; and on a busy one the agent may have lost what it needs to tell.
ROUNDS_LONG = ("120000", "200000", "300000", "30000")
PAUSE_US = "200"  # between the last of these
ALLOCATORS = ("", "libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2")


def watched(folder, command, *options, **kw):
    report = folder / "report.json"
    env = gs.clean_env(kw.pop("extra", None))
    done = gs.run([*gs.watch(report, "--alloc", *options), *command], env=env, **kw)
    gs.expect(done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr[-800:]}")
    return gs.read_report(report), done.stdout.decode()


def truth(text):
    """What the program says of itself: name, bytes allocated and bytes never freed, a line each."""
    return {name: (int(allocated), int(leaked)) for name, allocated, leaked in re.findall(r"^(\w+) (\d+) (\d+)$", text, re.M)}


def leaks(report):
    return [f for f in report["findings"] if f["rule"].startswith("resource.heap.")]


def live_by_site(report, names):
    """Bytes in use below each of the program's functions."""
    sums = dict.fromkeys(names, 0)
    for site in report["heap"]["sites"]:
        functions = [f["function"] or "" for f in site["stack"]]
        for name in names:
            if any(name in f for f in functions):
                sums[name] += site["live_bytes"]
                break
    return sums


def totals_of(command, runs):
    """How far off the bytes allocated and in use are told at worst of a program that says what it did."""
    worst = worst_live = lost = 0
    for _ in range(runs):
        with gs.workdir() as top:
            report, text = watched(top, [str(gs.BUILD / "tests" / "system" / command[0]), *command[1:]])
        said = truth(text)
        allocated, leaked = (sum(v[i] for v in said.values()) for i in (0, 1))
        heap = report["heap"]["heap"]
        worst = max(worst, abs(heap["alloc_bytes"] / allocated - 1), abs(report["heap"]["asked_bytes"] / allocated - 1))
        worst_live = max(worst_live, abs(heap["live_bytes"] / leaked - 1))
        lost += report["loss"]["lost"]
    print(f"  {' '.join(command)}: {runs} runs: {allocated / 1e6:.0f} MB allocated within {100 * worst:.2f} %, {leaked / 1e6:.1f} MB in use within "
          f"{100 * worst_live:.2f} %, {heap['samples']} samples, {lost} records lost")
    gs.expect(worst < 0.05, "the bytes allocated are off")
    return worst_live


def alloc_totals():
    """Where the agent finds no processor there are fewer samples: a program is tried again then."""
    for command, runs in TOTALS.items():
        gs.expect(any(totals_of(command, runs) < 0.05 for _ in range(TRIES)), f"{command}: the bytes in use are off by more than samples explain")


def ranked(report, said):
    planted = sorted((n for n in said if said[n][1]), key=lambda n: -said[n][1])
    sums = live_by_site(report, list(said))
    gs.expect(planted, "the program did not say what it leaked")
    print("  planted", {n: said[n][1] for n in planted}, "seen", sums)
    gs.expect(sorted(planted, key=lambda n: -sums[n]) == planted, f"ranked {sums}")
    for name in said:
        told = [f for f in leaks(report) if name in f["evidence"]["callers"]]
        gs.expect(bool(told) == (said[name][1] > 0), f"{name}: told {[f['message'] for f in told]}")


def alloc_ranked():
    gs.need("g++")
    with gs.workdir() as top:
        gs.checked(["g++", "-g", "-O1", "-o", top / "leaker_cpp", gs.HERE / "leaker_cpp.cc"])
        for allocator in ALLOCATORS:
            for program in (LEAKER, str(top / "leaker_cpp")):
                no_throw = "0" if "mimalloc" in allocator or program == LEAKER else "1"  # Debian's mimalloc aborts
                for rounds in ROUNDS_LONG:
                    pause = PAUSE_US if program == LEAKER and rounds == ROUNDS_LONG[-1] else no_throw
                    report, text = watched(top, [program, rounds, pause], extra={"LD_PRELOAD": allocator})
                    gs.expect(allocator in report["heap"]["allocator"], f"{report['heap']['allocator']} is not {allocator}")
                    try:
                        ranked(report, truth(text))
                        break
                    except gs.Failure:
                        if rounds == ROUNDS_LONG[-1]:
                            raise


def alloc_growth():
    """A leak of a program that goes on running is told by its regression; and by a replay, byte for byte."""
    with gs.workdir() as top:
        report, text = watched(top, [LEAKER, "10000", "3500"], "--record", top / "a.gsr", "--alloc-mean", "16384")
        grown = [f for f in leaks(report) if f["rule"] == "resource.heap.growth"]
        print("  ", [f["message"] for f in grown])
        gs.expect({f["evidence"]["callers"].split(" < ")[-2 if "main" in f["evidence"]["callers"] else -1] for f in grown}, "no growth was told")
        ranked(report, truth(text))
        gs.checked([gs.GAPSCOPE, "replay", "--quiet", "--report", top / "b.json", top / "a.gsr"])
        gs.expect((top / "b.json").read_bytes() == (top / "report.json").read_bytes(), "a replay says something else")


def alloc_attach():
    with gs.workdir() as top:
        with subprocess.Popen([LEAKER, "1000000", "100"], stdout=subprocess.DEVNULL, env=gs.clean_env()) as program:
            try:
                gs.checked([gs.GAPSCOPE, "attach", "--quiet", "--alloc", "--duration", "4", "--report", top / "a.json", str(program.pid)])
                report = gs.read_report(top / "a.json")
                sums = live_by_site(report, ["leak_large", "leak_small", "give_back"])
                print("  ", sums)
                gs.expect(sums["leak_large"] > sums["leak_small"] > sums["give_back"], f"seen {sums}")
                gs.checked([gs.GAPSCOPE, "attach", "--quiet", "--duration", "1", "--report", top / "b.json", str(program.pid)])
                gs.expect("heap" not in gs.read_report(top / "b.json"), "watched though it was not asked for")
                gs.expect(program.poll() is None, "the service ended")
            finally:
                program.kill()


def pprof_agrees(go, top, said):
    for index, number in (("inuse_space", 1), ("alloc_space", 0)):
        out = gs.checked([go, "tool", "pprof", "-top", "-cum", "-unit=B", f"-sample_index={index}", top / "heap.pb.gz"], timeout=280).decode()
        seen = {m[1]: int(m[0]) for m in re.findall(r"(\d+)B\s+[\d.]+%\s+(\w+)$", out, re.M)}
        print("  ", index, seen)
        for name in said:
            if said[name][number] and not 0.7 < seen.get(name, 0) / said[name][number] < 1.3:
                print(f"  {index} of {name} is not {said[name][number]}\n{out}")
                return False
    return True


def alloc_pprof():
    """Where the agent finds no processor the program outruns it, and memory has no place: it is tried again then."""
    go = gs.go_program("whether pprof reads the profiles is not checked")
    with gs.workdir() as top:
        for _ in range(TRIES):
            _, text = watched(top, [LEAKER, "10000", "50"], "--alloc-profile", top / "heap.pb.gz")
            if pprof_agrees(go, top, truth(text)):
                break
        else:
            gs.expect(False, "the profile is not what the program did")
        folded = gs.checked([gs.GAPSCOPE, "report", "--format", "folded", top / "report.json"]).decode()
        gs.expect(re.search(r"main;leak_large(;\w+)* \d+$", folded, re.M), f"folded: {folded[:500]}")
        page = gs.checked([gs.GAPSCOPE, "report", "--format", "html", top / "report.json"]).decode()
        gs.expect("<title>leak_large: " in page, "no flame graph in the page")


CASES = {f.__name__: f for f in (alloc_totals, alloc_ranked, alloc_growth, alloc_attach, alloc_pprof)}

if __name__ == "__main__":
    gs.main(CASES)
