"""Retries that no single loop shows: services in a row that each try again, a worker that is started again each time it gives up, a name that
is not there. What is said is compared with what the service below counted.
"""
import failing_server
import gs

PROGRAM = gs.HERE / "programs" / "retry_chain.py"
TRIES, STARTS = 3, 12
# Asks twice, gives up and ends: whoever started it starts it again.
WORKER = """import socket, sys, time
for n in range(2):
    s = socket.create_connection(("127.0.0.1", {port}))
    s.sendall(b"GET /busy/stock HTTP/1.1\\r\\nHost: b\\r\\nConnection: close\\r\\n\\r\\n")
    while s.recv(4096):
        pass
    s.close()
    time.sleep(0.05 * (1 - n))
sys.exit(1)
"""
NO_NAME = "a" * 64  # longer than any part of a name may be: known without a network
LOOKS_UP = "import socket\nfor _ in range(40):\n  try: socket.getaddrinfo(b'{name}', 80)\n  except OSError: pass\n"


def watched(*command):
    """(findings of this area by rule, rows)"""
    with gs.workdir() as top:
        gs.checked([*gs.watch(top / "report.json"), *command], timeout=300)
        report = gs.is_watched(top / "report.json", 20)
    found = {}
    for f in report["findings"]:
        if f["rule"].startswith("retry."):
            found.setdefault(f["rule"], []).append(f)
            print(f"  {f['rule']}: {f['message']}")
    return found, report["retries"]


def amplified(way, calls):
    with failing_server.FailingServer() as server:
        found, rows = watched("/usr/bin/python3", PROGRAM, way, server.port)
        counted = sum(len(x) for x in server.seen.values())
        below = [r for r in rows if r["peer"].endswith(f":{server.port}") and r["operation"] != "connect"]
    gs.expect(counted == calls * TRIES * TRIES, f"{counted} attempts came to the last service")
    told = found.get("retry.amplification", [])
    gs.expect(len(told) >= 1, "nothing is said of the amplification")
    gs.expect(all((f["evidence"]["attempts_of_one_call"], f["evidence"]["attempts_of_a_round"]) == (TRIES * TRIES, TRIES) for f in told),
              f"other numbers: {[f['evidence'] for f in told]}")
    gs.expect(sorted((r["class"], r["bound"]) for r in below) == [("bounded", TRIES)] * calls, f"rows: {below}")
    gs.expect(not set(found) & {"retry.unbounded"}, "called unbounded")


def chain_threads():
    amplified("threads", 1)


def chain_loop():
    amplified("loop", 2)


def restarted():
    with failing_server.FailingServer() as server:
        found, rows = watched("sh", "-c", f'for i in $(seq {STARTS}); do "$@"; done; true', "sh", "/usr/bin/python3", "-S", "-E", "-c",
                              WORKER.format(port=server.port))
        counted = server.count("/busy/stock")
    row = next(r for r in rows if r["operation"] == "GET /busy/stock")
    gs.expect(counted == 2 * STARTS, f"{counted} attempts")
    gs.expect((row["class"], row["max_attempts"]) == ("unbounded", counted) and "retry.unbounded" in found, f"row: {row}")


def lookups():
    found, rows = watched("/usr/bin/python3", "-c", LOOKS_UP.format(name=NO_NAME))
    row = next(r for r in rows if r["operation"] == "resolve")
    gs.expect((row["class"], row["max_attempts"], row["peer"]) == ("unbounded", 40, NO_NAME), f"row: {row}")
    gs.expect("retry.unbounded" in found, "not found")


if __name__ == "__main__":
    gs.main({"retry_chain_threads": chain_threads, "retry_chain_loop": chain_loop, "retry_restarted": restarted, "retry_lookups": lookups})
