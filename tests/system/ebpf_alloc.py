"""Allocations of statically linked programs, sampled by probes at the functions of the allocator that they carry: what it costs is said before
it begins and is true, leaks of known size are found, and where it cannot be done the report says why.

Each trap into the kernel costs microseconds on a virtual machine: the programs are small.
"""
import re
import subprocess

import alloc
import ebpf
import gs

ROUNDS = "1000"
PAUSE_US = "1000"  # between them: a leak must have been at work for long enough
MEAN = ("--alloc-mean", "16384")
PROMISE = re.compile(r"each pair of malloc and free takes (\d+\.\d) us longer")
COMPILERS = {  # name: command; the C library, and the allocator, that is linked
    "glibc": ["gcc", "-static"],
    "glibc, position independent": ["gcc", "-static-pie", "-fPIE"],
    "musl": ["musl-gcc", "-static"],
    "jemalloc": ["gcc", "-static", "-Wl,--whole-archive", "-ljemalloc", "-Wl,--no-whole-archive", "-pthread", "-lm", "-lstdc++"],
}


LINKED = {  # dynamic programs with the allocator's archive in them
    name: ["gcc", "-Wl,--whole-archive", f"-l:{name}", "-Wl,--no-whole-archive", "-pthread", "-lm", "-lstdc++"]
    for name in ("libjemalloc.a", "libtcmalloc_minimal.a")
}


def link(top, name, source=gs.HERE / "leaker.c"):
    command = {**COMPILERS, **LINKED}[name]
    gs.need(command[0])
    out = top / re.sub(r"\W+", "-", name)
    gs.checked([command[0], "-g", "-O1", "-o", out, source, *command[1:]])
    return out


def within(name, report, said):
    """Totals and places of a program that tells what it did."""
    allocated, leaked = (sum(v[i] for v in said.values()) for i in (0, 1))
    asked, heap = report["heap"]["asked_bytes"], report["heap"]["heap"]
    gs.expect(heap["samples"] > 500, f"{name}: only {heap['samples']} samples")
    print(f"  {name}: {asked / allocated - 1:+.2%} of what it asked for, {heap['samples']} samples, in use {heap['live_bytes'] / leaked - 1:+.1%}, "
          f"{report['loss']['lost']} records lost")
    gs.expect(abs(asked / allocated - 1) < 0.05, f"{asked} bytes of {allocated}")
    gs.expect(abs(heap["live_bytes"] / leaked - 1) < 0.25, f"{heap['live_bytes']} bytes in use of {leaked}")
    sums = alloc.live_by_site(report, list(said))
    gs.expect(max(sums, key=sums.get) == "leak_large", f"{name}: {sums}")
    for name_of, (_, kept) in said.items():
        gs.expect((sums[name_of] > 0) == (kept > 0), f"{name}: {name_of} holds {sums[name_of]}, planted {kept}")


def ebpf_alloc_static(names=COMPILERS):
    ebpf.need_probes()
    with gs.workdir() as top:
        for name in names:
            report, text = alloc.watched(top, [link(top, name), ROUNDS, PAUSE_US], *MEAN)
            within(name, report, alloc.truth(text))
            told = [f for f in alloc.leaks(report) if "leak_large" in f["evidence"]["callers"]]
            gs.expect(told, f"{name}: the leak is not told: {[f['message'] for f in report['findings']]}")
            gs.expect("leaker.c" in told[0]["call_site"]["text"], f"{name}: at {told[0]['call_site']}")


def ebpf_alloc_linked():
    """A dynamic program whose own malloc comes before every library's: the shim would see none of its calls."""
    ebpf_alloc_static(LINKED)


def ebpf_alloc_attach(name="glibc"):
    ebpf.need_probes()
    with gs.workdir() as top:
        program = subprocess.Popen([link(top, name), "100000000", "300"], stdout=subprocess.DEVNULL, env=gs.clean_env())
        try:
            gs.checked([gs.GAPSCOPE, "attach", "--alloc", *MEAN, "--duration", "3", "--report", top / "a.json", str(program.pid)])
            sums = alloc.live_by_site(gs.read_report(top / "a.json"), ["leak_large", "leak_small", "give_back"])
            print("  ", sums)
            gs.expect(sums["leak_large"] > sums["give_back"], f"seen {sums}")
            gs.expect(program.poll() is None, "the service ended")
        finally:
            program.kill()
            program.wait()


def ebpf_alloc_attach_linked():
    ebpf_alloc_attach("libjemalloc.a")


def ebpf_alloc_cost():
    """The promise stands in front of all that the program says, and is what the program then measures."""
    ebpf.need_probes()
    with gs.workdir() as top:
        pair = top / "pair"
        gs.checked(["gcc", "-static", "-O2", "-fno-builtin", "-DPAIRS=10000", "-DIS_STATIC", "-o", pair, gs.ROOT / "tests" / "bench" / "alloc_pair.c"])
        ratios = []
        for _ in range(3):
            done = gs.run(["sh", "-c", 'exec "$@" 2>&1', "sh", gs.GAPSCOPE, "run", "--alloc", "--report", top / "r.json", "--", pair, "1", "64"])
            text = done.stdout.decode()
            gs.expect(done.returncode == 0, text)
            promise = PROMISE.search(text)
            measured = re.search(r"^64 (\d+\.\d\d) ", text, re.M)
            gs.expect(promise and measured and promise.start() < measured.start(), f"not said, or said too late: {text}")
            ratios.append(float(measured[1]) / (1000 * float(promise[1])))
            print(f"  promised {promise[1]} us a pair, {float(measured[1]) / 1000:.1f} us measured in the program")
            if 0.4 < ratios[-1] < 2.5:
                return
        gs.expect(False, f"measured to promised: {ratios}")


if __name__ == "__main__":
    gs.main({f.__name__: f for f in (ebpf_alloc_static, ebpf_alloc_linked, ebpf_alloc_attach, ebpf_alloc_attach_linked, ebpf_alloc_cost)})
