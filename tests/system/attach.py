"""`gapscope attach` and `detach` on running programs: nothing of theirs fails or changes, and what is found is what `run` finds.

usage: attach.py CASE. GS_ATTACH_CYCLES is how often a case attaches and detaches (default 20; the nightly run sets 200).
"""
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

import gs

CYCLES = int(os.environ.get("GS_ATTACH_CYCLES", "20"))
SHIM_MAPPINGS = re.compile(r"memfd:gapscope \(deleted\)")


def attach(pid, *options, report=None):
    """Starts an attach and waits until it watches. Returns the process and the milliseconds for which a thread was held: 0 by probes."""
    words = [gs.GAPSCOPE, "attach", *options, *(["--report", str(report)] if report else ["--no-stacks"]), str(pid)]
    watcher = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=gs.clean_env())
    line = watcher.stderr.readline()
    held = re.search(r"held for ([0-9.]+) ms", line)
    if "is watched by probes" in line:
        return watcher, 0.0
    if not held:
        watcher.wait(30)
        raise gs.Failure(f"not attached: {line}{watcher.stderr.read()}")
    return watcher, float(held.group(1))


def leave(watcher):
    watcher.send_signal(signal.SIGINT)
    text = watcher.communicate(timeout=60)[1]
    gs.expect(watcher.returncode == 0, f"attach ended with {watcher.returncode}: {text}")


def state(pid):
    """What an attach must leave as it was: descriptors, masks, dispositions, and that no session is mapped."""
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    # Signals 32 and 33 are libc's own: it takes them when the first thread is made.
    signals = [(name, int(bits, 16) & ~(3 << 31)) for name, bits in re.findall(r"^(SigBlk|SigIgn|SigCgt):\s*(\S+)", status, re.M)]
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        sessions = len(SHIM_MAPPINGS.findall(maps.read()))
    return signals, sessions


def cycle(pids, cycles=None, pause=0.02):
    """Attach to and detach from each process again and again."""
    held = []
    for _ in range(cycles or CYCLES):
        for pid in pids:
            watcher, ms = attach(pid)
            held.append(ms)
            time.sleep(pause)  # a while under watch: the load runs meanwhile
            leave(watcher)
    return held


def numbers(name, held):
    held = sorted(held)
    print(f"    {name}: {len(held)} attaches, held median {statistics.median(held):.1f} ms, "
          f"p95 {held[int(len(held) * 0.95) - (len(held) > 20)]:.1f} ms, worst {held[-1]:.1f} ms")


def build_path(name):
    path = gs.BUILD / name
    gs.expect(path.exists(), f"{path} is not built")
    return str(path)


@contextlib.contextmanager
def program(*words, **options):
    process = subprocess.Popen([str(w) for w in words], env=gs.clean_env(), **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()  # a server with workers takes them along only if it is asked
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()


def same_findings():
    found = {}
    for kind in ("careless", "careful"):
        with gs.workdir() as top:
            drive, shop = build_path("demo/drive"), build_path(f"demo/shop_{kind}")
            gs.checked([drive, "--log", top / "log", "python3", gs.HERE / "attach_shop.py", gs.GAPSCOPE, top / "attached.json", shop])
            gs.checked([drive, "--log", top / "log", gs.GAPSCOPE, "run", "--quiet", "--service", "shop", "--report", top / "run.json", "--",
                        shop])
            for way in ("attached", "run"):
                report = gs.read_report(top / f"{way}.json")
                gs.expect(report["loss"]["lost"] == 0, f"{way}: records were lost")
                found[kind, way] = sorted({(f["rule"], f["fingerprint"]) for f in report["findings"]})
        print(f"    {kind}: {len(found[kind, 'run'])} findings by run, {len(found[kind, 'attached'])} by attach")
        gs.expect(found[kind, "run"] == found[kind, "attached"], f"{kind}: {found[kind, 'run']} != {found[kind, 'attached']}")
    gs.expect(found["careless", "attached"] and not found["careful", "attached"], "the careless shop is found out, the careful one is clean")


def calm_program(while_running):
    calm = build_path("tests/system/system_attach_calm")
    plugin = build_path("tests/safety/libsafety_plugin.so")
    with program(calm, plugin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        gs.expect(process.stdout.readline() == "ready\n", "the program came up")
        # In sigwait by now: that call itself changes the mask for its duration.
        gs.poll_until(lambda: open(f"/proc/{process.pid}/syscall", encoding="ascii").read().startswith("128 "), "the first thread waits")
        before = state(process.pid)
        while_running(process)
        gs.expect(process.poll() is None, "the program ended: " + (process.stderr.read() if process.poll() is not None else ""))
        gs.expect(state(process.pid) == before, f"left as it was: {before} became {state(process.pid)}")
        process.terminate()
        out, err = process.communicate(timeout=60)
        gs.expect(process.returncode == 0, f"the program noticed something: {err}")
        return out


def transparent():
    held = []
    out = calm_program(lambda p: held.extend(cycle([p.pid], cycles=CYCLES * 5 // 2)))
    numbers("transparent", held)
    print("    rounds:", out.replace("\n", ", "))


# It locks what it has and what it will have.
LOCKED = """
import ctypes, time
print(ctypes.CDLL(None).mlockall(3), flush=True)
while True:
    time.sleep(0.005)
"""
LOCKED_MOST_KB = 256 << 10  # of the session's 2 GiB


def most_resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"^VmHWM:\s*(\d+) kB", status.read(), re.M).group(1))


def locked():
    """A service that locks all memory to come: what it is given is not filled, neither when it is attached to again nor when it is left."""
    with program("/usr/bin/python3", "-c", LOCKED, stdout=subprocess.PIPE, text=True) as service:
        if service.stdout.readline() != "0\n" or os.geteuid() != 0:
            print("    no memory may be locked here: nothing to see")
            return
        before = most_resident_kb(service.pid)
        for _ in range(2):
            watcher, _ = attach(service.pid)
            leave(watcher)
        after = most_resident_kb(service.pid)
        print(f"    {before >> 10} MiB resident before, {after >> 10} MiB at most")
        gs.expect(after - before < LOCKED_MOST_KB, "the session's memory was filled")


def wait_for_guard(watcher):
    """Until it has forked the process that enters the program; a moment later a thread is held."""
    children_of = f"/proc/{watcher.pid}/task/{watcher.pid}/children"
    end = time.monotonic() + 1
    while watcher.poll() is None and time.monotonic() < end:
        with open(children_of, encoding="ascii") as pids:
            if pids.read():
                return


def killed():
    """gapscope dies at any moment, every second time just when it enters; the program must neither notice nor stay under a spell."""
    random.seed(1)
    deaths = [0]

    def kill(process):
        for _ in range(CYCLES * 2):
            watcher = subprocess.Popen([gs.GAPSCOPE, "attach", "--no-stacks", "--quiet", str(process.pid)], stderr=subprocess.PIPE,
                                       env=gs.clean_env())
            if deaths[0] % 2:
                wait_for_guard(watcher)
                time.sleep(random.uniform(0, 0.004))
            else:
                time.sleep(random.uniform(0.005, 0.08))
            watcher.kill()
            watcher.communicate()
            deaths[0] += 1
            if process.poll() is not None:
                raise gs.Failure(f"the program died ({process.returncode}) at the death {deaths[0]}: {process.stderr.read()}")
            tracer = f"/proc/{process.pid}/task"
            gs.poll_until(lambda: not any(re.search(r"^TracerPid:\s*[1-9]", open(f"{tracer}/{t}/status", encoding="ascii").read(), re.M)
                                          for t in os.listdir(tracer)), "nobody traces the program", 10)
        # What the last one left is taken out of use; the program is whole again.
        gs.run([gs.GAPSCOPE, "detach", process.pid])
        watcher, _ = attach(process.pid)
        leave(watcher)

    out = calm_program(kill)
    print(f"    killed {deaths[0]} times; rounds:", out.replace("\n", ", "))


# Without what it takes to load probes into the kernel: then the shim is the only way.
NO_PROBES = ["setpriv", "--bounding-set", "-bpf,-perfmon,-sys_admin"] if os.getuid() == 0 else []


def refused(pid, words, *options, before=()):
    done = gs.run([*before, gs.GAPSCOPE, "attach", *options, pid])
    text = done.stderr.decode()
    print("   ", text.strip())
    gs.expect(done.returncode == 2, f"exit status {done.returncode}: {text}")
    gs.expect(text.count("\n") == 1 and words in text, f"one line that says '{words}': {text}")


def compile_c(folder, name, *flags):
    source = folder / "wait.c"
    source.write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
    return subprocess.run(["gcc", "-o", folder / name, source, *flags], stderr=subprocess.PIPE, check=False).returncode == 0


def narrow_program(path):
    """A 32-bit program of one instruction sequence, put together by hand: pause() for ever."""
    code = bytes([0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7])  # mov $29,%eax; int $0x80; jmp back
    base, start = 0x08048000, 52 + 32
    head = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + start, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, base, base, start + len(code), start + len(code), 5, 4096)
    path.write_bytes(head + segment + code)
    path.chmod(0o755)


def refusals():
    with gs.workdir() as top, contextlib.ExitStack() as stack:
        def start(*words, **options):
            return stack.enter_context(program(*words, **options))

        sleeper = start("sleep", "600")
        refused(3999999, "no such process")
        done = gs.run([gs.GAPSCOPE, "attach", "sleep"])
        gs.expect(done.returncode == 2 and b"--name" in done.stderr, "a name is no number")
        done = gs.run([gs.GAPSCOPE, "attach"])
        gs.expect(done.returncode == 2, "nothing given")
        sleeper.send_signal(signal.SIGSTOP)
        gs.poll_until(lambda: "State:\tT" in open(f"/proc/{sleeper.pid}/status", encoding="ascii").read(), "it stops")
        refused(sleeper.pid, "stopped")
        gs.expect("State:\tT" in open(f"/proc/{sleeper.pid}/status", encoding="ascii").read(), "it is still stopped")
        sleeper.send_signal(signal.SIGCONT)
        zombie = subprocess.Popen(["true"])
        gs.poll_until(lambda: "State:\tZ" in open(f"/proc/{zombie.pid}/status", encoding="ascii").read(), "it ends")
        refused(zombie.pid, "zombie")
        zombie.wait()
        if compile_c(top, "static", "-static"):
            refused(start(top / "static").pid, "static", before=NO_PROBES)
        if compile_c(top, "narrow", "-m32"):
            refused(start(top / "narrow").pid, "32-bit")
        filtered = start("python3", "-c", "import ctypes,time\nctypes.CDLL(None).prctl(38,1,0,0,0)\n"
                         "f=ctypes.create_string_buffer(bytes([6,0,0,0,0,0,255,127]))\n"
                         "p=ctypes.create_string_buffer(bytes([1,0,0,0,0,0,0,0])+ctypes.addressof(f).to_bytes(8,'little'))\n"
                         "assert ctypes.CDLL(None).prctl(22,2,p,0,0)==0\nprint('on',flush=True)\ntime.sleep(600)", stdout=subprocess.PIPE)
        gs.expect(filtered.stdout.readline() == b"on\n", "the filter is set")
        refused(filtered.pid, "seccomp", before=NO_PROBES)
        if shutil.which("strace"):
            tracer = start("strace", "-o", "/dev/null", "-p", sleeper.pid, stderr=subprocess.DEVNULL)
            gs.poll_until(lambda: f"TracerPid:\t{tracer.pid}" in open(f"/proc/{sleeper.pid}/status", encoding="ascii").read(), "it is traced")
            refused(sleeper.pid, "traces it")
            tracer.terminate()
            tracer.wait()
        if os.getuid() == 0:
            shutil.copy("/usr/bin/sleep", top / "raised")
            os.chown(top / "raised", 65534, 65534)
            os.chmod(top / "raised", 0o4755)
            raised = start(top / "raised", "600")
            gs.poll_until(lambda: os.readlink(f"/proc/{raised.pid}/exe").endswith("raised"), "it runs")
            refused(raised.pid, "privileges", before=NO_PROBES)
            nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
            reachable = top / "bin"
            (reachable / "preload").mkdir(parents=True)
            shutil.copy(gs.GAPSCOPE, reachable / "gapscope")
            shutil.copy(gs.BUILD / "preload" / "libgapscope.so", reachable / "preload")
            done = gs.run([*nobody, reachable / "gapscope", "attach", sleeper.pid])
            print("   ", done.stderr.decode().strip())
            gs.expect(done.returncode == 2 and b"permission" in done.stderr, "somebody else's process")
            noexec = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
                      'echo 2 >/proc/sys/vm/memfd_noexec || exit 9; sleep 602 & exec 3>&1; ' + f'"{gs.GAPSCOPE}" attach $!']
            done = gs.run(noexec)
            print("   ", done.stderr.decode().strip())
            if os.path.exists("/proc/sys/vm/memfd_noexec"):
                gs.expect(done.stderr.count(b"\n") == 1, "one line")
                gs.expect(done.returncode == 2 and b"memfd_noexec" in done.stderr, "code may not be delivered in memory")
        if shutil.which("musl-gcc"):
            source = top / "wait.c"
            source.write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
            gs.checked(["musl-gcc", "-o", top / "musl", source])
            refused(start(top / "musl").pid, "musl", before=NO_PROBES)
        narrow_program(top / "narrow32")
        refused(start(top / "narrow32").pid, "32-bit")
        strict = start("/usr/bin/python3", "-c", "import ctypes,os\nlibc=ctypes.CDLL(None)\nos.write(1,b'on\\n')\nlibc.prctl(22,1)\nos.read(0,1)",
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        gs.expect(strict.stdout.readline() == b"on\n", "it is about to be strict")
        gs.poll_until(lambda: "Seccomp:\t1" in open(f"/proc/{strict.pid}/status", encoding="ascii").read(), "seccomp is strict")
        refused(strict.pid, "seccomp", before=NO_PROBES)
        strict.stdin.close()
        gs.poll_until(lambda: strict.poll() is not None, "it read on, and ended")
        if os.getuid() == 0 and os.path.exists("/proc/2/status"):
            refused(2, "kernel")
        done = gs.run(["sh", "-c", f'exec "{gs.GAPSCOPE}" attach $$'])
        gs.expect(done.returncode == 2 and b"itself" in done.stderr and done.stderr.count(b"\n") == 1, f"its own number: {done.stderr}")
        shutil.copy("/usr/bin/sleep", top / "gs_two_of_it")
        names = [start(top / "gs_two_of_it", "603") for _ in range(2)]
        for name in names:
            gs.poll_until(lambda n=name: os.readlink(f"/proc/{n.pid}/exe").endswith("gs_two_of_it"), "it runs")
        done = gs.run([gs.GAPSCOPE, "attach", "--name", "gs_two_of_it"])
        print("   ", done.stderr.decode().strip())
        gs.expect(done.returncode == 2 and done.stderr.count(b"\n") == 1 and all(str(n.pid).encode() in done.stderr for n in names),
                  "two services of one name are listed")
        watcher, _ = attach(sleeper.pid)
        refused(sleeper.pid, "watches it already")
        gs.expect(gs.run([gs.GAPSCOPE, "detach", sleeper.pid]).returncode == 0, "detach ends it")
        gs.expect(watcher.wait(20) == 0, "the attach ended well")
        watcher.stderr.close()
        gs.expect(sleeper.poll() is None, "the program lives on")
        gs.expect(state(sleeper.pid)[1] == 0, "no session is mapped any more")


def pool():
    """A connection that was opened before: its peer and that it has no deadline are known."""
    client = ("import socket,sys\ns=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\nprint('up',flush=True)\n"
              "while sys.stdin.readline():\n s.sendall(b'GET /x HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')\n s.recv(1000)\n print('ok',flush=True)\n")
    with gs.workdir() as top, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with program("/usr/bin/python3", "-c", client, port, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            peer = listener.accept()[0]
            gs.expect(process.stdout.readline() == "up\n", "it is connected")
            watcher, _ = attach(process.pid, report=top / "report.json")
            for _ in range(5):
                process.stdin.write("go\n")
                process.stdin.flush()
                peer.recv(1000)
                time.sleep(0.01)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                gs.expect(process.stdout.readline() == "ok\n", "answered")
            leave(watcher)
            peer.close()
        report = gs.read_report(top / "report.json")
        rules = {(f["rule"], f["peer"]) for f in report["findings"]}
        print("   ", sorted(rules))
        gs.expect(("deadline.response.missing", f"127.0.0.1:{port}") in rules, f"the old connection's missing deadline is found: {rules}")


class Load:
    """Requests in a thread, as fast as they are answered; counts and times them."""

    def __init__(self, one):
        self.one, self.times, self.failed, self.stop = one, [], [], False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.stop:
            start = time.monotonic()
            try:
                self.one()
            except Exception as e:  # whatever it is, it is a failed request
                self.failed.append(repr(e))
            self.times.append((time.monotonic() - start) * 1000)

    def end(self, name):
        self.stop = True
        self.thread.join()
        gs.expect(not self.failed, f"{name}: {len(self.failed)} failed requests, such as {self.failed[:3]}")
        times = sorted(self.times)
        print(f"    {name}: {len(times)} requests, none failed; median {statistics.median(times):.2f} ms, "
              f"p99.9 {times[int(len(times) * 0.999) - 1]:.1f} ms, worst {times[-1]:.1f} ms")


def http_load(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def one():
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        gs.expect(answer.status == 200, f"status {answer.status}")

    return one


def under_load(name, command, port, one=None, pids=None, cwd=None):
    with program(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd) as process:
        gs.poll_until(lambda: gs.listening(port), f"{name} listens")
        targets = pids(process.pid) if pids else [process.pid]
        load = Load(one or http_load(port))
        try:
            # Services listen before they have finished starting, with signals blocked for the while.
            gs.poll_until(lambda: len(load.times) > 3, f"{name} answers")
            gs.poll_until(lambda: len({str(state(p)) for p in targets}) == 1, f"all processes of {name} have started")
            before = [state(p) for p in targets]
            held = cycle(targets, max(2, CYCLES // len(targets)))
        finally:
            load.end(name)
        numbers(name, held)
        gs.expect(process.poll() is None, f"{name} ended")
        after = [state(p) for p in targets]
        gs.expect(after == before, f"{name}: left as it was: {before} became {after}")


def children(pid):
    out = []
    gs.poll_until(lambda: out.extend(subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=False).stdout.split())
                  or out, "children")
    return [int(p) for p in out]


def cycles_redis():
    gs.need("redis-server")
    port = gs.free_port()
    connection = []

    def one():
        if not connection:
            connection.append(socket.create_connection(("127.0.0.1", port), 20))
        connection[0].sendall(b"PING\r\n" * 20)
        got = b""
        while len(got) < 7 * 20:
            got += connection[0].recv(1000)
        gs.expect(got == b"+PONG\r\n" * 20, got)

    with gs.workdir() as top:
        under_load("redis", ["redis-server", "--port", port, "--save", "", "--io-threads", 3, "--io-threads-do-reads", "yes"], port, one, cwd=top)


def cycles_nginx():
    gs.need("nginx")
    import servers
    port = gs.free_port()
    with gs.workdir() as top:
        servers.nginx_conf(port, top)
        text = (top / "nginx.conf").read_text().replace("sendfile on;", "sendfile on; aio threads; keepalive_requests 1000000;")
        (top / "nginx.conf").write_text(text)
        if gs.run([*servers.nginx_command(None, top), "-t"]).returncode != 0:
            (top / "nginx.conf").write_text(text.replace("aio threads;", ""))
        under_load("nginx", servers.nginx_command(None, top), port, pids=children)


def cycles_python():
    port = gs.free_port()
    with gs.workdir() as top:
        under_load("python", ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", port], port, cwd=top)


def cycles_node():
    gs.need("node")
    port = gs.free_port()
    under_load("node", ["node", "-e", f"require('http').createServer((q,s)=>s.end('ok')).listen({port},'127.0.0.1')"], port)


def cycles_java():
    gs.need("java")
    port = gs.free_port()
    with gs.workdir() as top:
        (top / "S.java").write_text(
            "import com.sun.net.httpserver.*;import java.net.*;import java.util.concurrent.*;public class S{public static void main(String[] a)"
            "throws Exception{var s=HttpServer.create(new InetSocketAddress(\"127.0.0.1\"," + str(port) + "),0);s.createContext(\"/\",e->{"
            "e.sendResponseHeaders(200,2);e.getResponseBody().write(\"ok\".getBytes());e.close();});s.setExecutor(Executors.newFixedThreadPool(4));"
            "s.start();}}")
        under_load("java", ["java", "-Xmx128m", top / "S.java"], port)


def gdb_stall(pid):
    """What a debugger does at least for the same end: join, look, leave. (A call, which it would have to make, takes it longer.)"""
    done = gs.run(["gdb", "-nx", "-batch", "-p", pid, "-ex", "print $pc"])
    gs.expect(done.returncode == 0 and b"$1 = " in done.stdout, f"gdb saw nothing: {done.stderr.decode()}")


ONE_THREAD = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok')
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
"""


def stall():
    """What a client feels of an attach, beside what it feels of gdb, in turn in one run."""
    gs.need("gdb")
    rounds = max(8, CYCLES // 2)
    port = gs.free_port()
    worst = {"bare": [], "gapscope": [], "gdb": []}
    held = []

    def by_gapscope():
        watcher, ms = attach(process.pid)
        held.append(ms)
        return watcher

    # One thread: a debugger never comes to an end with a program that makes threads all the time.
    with program("/usr/bin/python3", "-c", ONE_THREAD, port, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        gs.poll_until(lambda: gs.listening(port), "the server listens")
        for _ in range(rounds):
            for name, act in (("bare", lambda: time.sleep(0.2)), ("gapscope", by_gapscope), ("gdb", lambda: gdb_stall(process.pid))):
                load = Load(http_load(port))
                gs.poll_until(lambda: len(load.times) > 3, "the server answers")
                first = len(load.times)
                left = act()
                load.stop = True
                load.thread.join()
                gs.expect(not load.failed, f"{name}: failed requests: {load.failed[:3]}")
                worst[name].append(max(load.times[first:]))
                if left:
                    leave(left)
    for name, times in worst.items():
        times.sort()
        print(f"    a client's longest wait, {name}: median {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms "
              f"({len(times)} rounds)")
    numbers("stall", held)
    ratio = statistics.median(worst["gdb"]) / statistics.median(worst["gapscope"])
    print(f"    gdb's median is {ratio:.0f} times gapscope's")
    gs.expect(ratio > 3, "an attach is felt as much as a debugger")


CASES = {f.__name__: f for f in (same_findings, transparent, locked, killed, refusals, stall, pool, cycles_redis, cycles_nginx, cycles_python,
                                 cycles_node, cycles_java)}

if __name__ == "__main__":
    gs.main(CASES)
