"""Where memory is allocated, in programs of several languages: a leak's stack has the names of the source, and of a stripped library the report
says that they are missing.
"""
import alloc
import gs

ROUNDS = "4000"
PROGRAMS = gs.HERE / "programs"


def look(name, folder, command, wanted, planted):
    """The leak's stacks go through the wanted functions, innermost first. Returns the report and the place that holds most."""
    report, _ = alloc.watched(folder, command, "--alloc-mean", "16384")
    held = [(s, [f["function"] for f in s["stack"]]) for s in report["heap"]["sites"] if s["kind"] == "heap"]
    site, names = max(held, key=lambda h: h[0]["live_bytes"])
    print(f"  {name}: {site['call_site']}: {' < '.join(map(str, names))}")
    gs.expect([n for n in names if n in wanted] == wanted, f"{name}: {wanted} are not among {names}")
    seen = sum(s["live_bytes"] for s, names in held if wanted[0] in names)
    print(f"  {name}: {seen / 1e6:.1f} of {planted / 1e6:.1f} MB")
    gs.expect(0.7 < seen / planted < 1.3, f"{name}: {seen} bytes of {planted}")
    return report, site


def alloc_cpp():
    gs.need("g++", "strip")
    with gs.workdir() as top:
        gs.checked(["g++", "-O1", "-fno-optimize-sibling-calls", "-fPIC", "-shared", "-o", top / "libleak.so", PROGRAMS / "leak_library.cc"])
        gs.checked(["gcc", "-O1", "-o", top / "main", PROGRAMS / "leak_main.c", "-L", top, "-lleak", f"-Wl,-rpath,{top}"])
        wanted = ["shop::(anonymous namespace)::make<char>", "shop::leak_order", "library_work", "main"]
        report, site = look("C++", top, [top / "main", ROUNDS], wanted, int(ROUNDS) * 3000)
        gs.expect("make<char>" in site["call_site"], f"the site is {site['call_site']}")
        gs.expect(not any("libleak" in t for t in report["not_exercised"]), f"names are said to be missing: {report['not_exercised']}")
        gs.checked(["strip", top / "libleak.so"])
        report, _ = look("stripped", top, [top / "main", ROUNDS], wanted[1:], int(ROUNDS) * 3000)
        gs.expect(any("without names" in t and "libleak.so" in t for t in report["not_exercised"]), f"not said: {report['not_exercised']}")


def alloc_rust():
    gs.need("rustc")
    for mangling in ("legacy", "v0"):
        with gs.workdir() as top:
            gs.checked(["rustc", "-O", "-C", f"symbol-mangling-version={mangling}", *(["-Z", "unstable-options"] if mangling == "legacy" else []),
                        "-o", top / "leak", PROGRAMS / "leak_rust.rs"], env=gs.clean_env({"RUSTC_BOOTSTRAP": "1"}), timeout=200)
            _, site = look(f"Rust, {mangling} names", top, [top / "leak", ROUNDS], ["leak_rust::shop::leak_order"], int(ROUNDS) * 3000)
            gs.expect("shop::leak_order" in site["call_site"], f"the site is {site['call_site']}")


def alloc_cgo():
    go = gs.go_program("whether cgo's memory is seen is not checked")
    with gs.workdir() as top:
        gs.checked([go, "build", "-o", top / "leak", PROGRAMS / "leak_cgo.go"], env=gs.clean_env({"CGO_ENABLED": "1", "GOFLAGS": "-mod=mod"}), timeout=200)
        look("cgo", top, [top / "leak", ROUNDS], ["leak_order"], int(ROUNDS) * 3000)


def alloc_static():
    """A program that carries its allocator and no names: it runs, and the report says that its memory was not watched, and why."""
    with gs.workdir() as top:
        (top / "library.c").write_text("void library_work(unsigned long n) { (void)n; }\n")
        gs.checked(["gcc", "-static", "-s", "-o", top / "leak", PROGRAMS / "leak_main.c", top / "library.c"])
        gs.checked([*gs.watch(top / "report.json", "--alloc"), top / "leak", ROUNDS])
        report = gs.read_report(top / "report.json")
        said = [t for t in report["not_exercised"] if "statically linked" in t]
        print("  ", said)
        gs.expect("heap" not in report, "watched, though nothing can be")
        gs.expect(any("names no malloc" in t or "cannot be watched" in t for t in said), f"not said: {report['not_exercised']}")


if __name__ == "__main__":
    gs.main({f.__name__: f for f in (alloc_cpp, alloc_rust, alloc_cgo, alloc_static)})
