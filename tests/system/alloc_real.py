"""Real programs that do not leak, under steady load and with their allocations watched: nothing is told of them.

GS_ALLOC_SECONDS is how long each is watched (default 4; the nightly run sets 600). Some run at the same time.
"""
import concurrent.futures
import fcntl
import json
import os
import signal
import socket
import subprocess
import time

import gs
import servers

SECONDS = int(os.environ.get("GS_ALLOC_SECONDS", "4"))
AT_ONCE = 2 if SECONDS < 60 else 4
WATCH = ("--alloc", "--alloc-mean", "16384")
PYTHON = "/usr/bin/python3"


def no_leaks(name, path):
    report = gs.is_watched(path)
    heap = report.get("heap")
    gs.expect(heap, f"{name}: allocations were not watched: {report['not_exercised']}")
    told = [(f["rule"], f["message"]) for f in report["findings"] if f["rule"].startswith("resource.heap.")]
    print(f"  {name}: {heap['duration_ns'] / 1e9:.0f} s, {heap['asked_bytes'] / 1e6:.1f} MB asked for, {heap['heap']['samples']} samples, "
          f"{heap['heap']['live_bytes'] / 1e6:.1f} MB in use, {report['loss']['lost']} records lost", flush=True)
    gs.expect(0 < heap["asked_bytes"] < 1e14, f"{name}: {heap['asked_bytes']} bytes asked for cannot be")
    gs.expect(not told, f"{name}: {json.dumps(told)}")


def until_late(drive):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        drive()


def server(name, command, drive, prepare=None, how=signal.SIGTERM, before=()):
    """A server in a folder of its own; command, prepare and drive are given its port and that folder."""
    with gs.workdir() as top:
        reports, here, port = top / "reports", top / "work", gs.free_port()
        for folder in (reports, here):
            folder.mkdir()
            folder.chmod(0o777)
        if prepare:
            prepare(port, here)
        running = gs.Server([*before, *gs.watch(reports / "report.json", *WATCH), *command(port, here)], port, top / "log", cwd=here)
        try:
            until_late(drive(port))
        finally:
            running.stop(how)
        no_leaks(name, reports / "report.json")


def fed(name, command, more):
    """A program that does what its input says: more(n) is the n-th piece. What it answers is read by nobody."""
    with gs.workdir() as top:
        program = subprocess.Popen([*gs.watch(top / "report.json", *WATCH), *map(str, command)], cwd=top, env=gs.clean_env(),
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0)
        fcntl.fcntl(program.stdin, fcntl.F_SETPIPE_SZ, 4096)  # what it has not read yet, it does after the time is over
        pieces = iter(range(1 << 60))
        try:
            until_late(lambda: program.stdin.write(more(next(pieces)).encode()))
        finally:
            program.stdin.close()
            status = program.wait(gs.LIMIT_S)
        gs.expect(status == 0, f"{name} ended with {status}")
        no_leaks(name, top / "report.json")


def wrk(path="", connections=4):
    def drive(port):
        return lambda: gs.checked(["wrk", "-c", connections, "-t", "1", "-d", "2", f"http://127.0.0.1:{port}/{path}"])
    return drive


def redis():
    server("redis", lambda port, _: ["redis-server", "--port", port, "--save", "", "--daemonize", "no"],
           lambda port: lambda: gs.checked(["redis-benchmark", "-p", port, "-n", "20000", "-r", "1000", "-q", "-t", "set,get,incr,lpush,lpop,hset"]))


def nginx():
    server("nginx", servers.nginx_command, wrk("up/index.html"), prepare=servers.nginx_conf, how=signal.SIGQUIT)


def python_http():
    server("python http.server", lambda port, _: [PYTHON, "-m", "http.server", "--bind", "127.0.0.1", port], wrk("page"),
           prepare=lambda _, folder: (folder / "page").write_text("x" * 20000), how=signal.SIGINT)


def node():
    page = "require('http').createServer((q, s) => s.end(JSON.stringify(q.headers))).listen(%s, '127.0.0.1')"
    server("node", lambda port, _: ["node", "-e", page % port], wrk())


def java():
    def prepare(port, folder):
        (folder / "S.java").write_text(
            "import com.sun.net.httpserver.*; import java.net.*; public class S { public static void main(String[] a) throws Exception {"
            f"var s = HttpServer.create(new InetSocketAddress(\"127.0.0.1\", {port}), 0); s.createContext(\"/\", e -> {{"
            "byte[] b = e.getRequestHeaders().entrySet().toString().getBytes(); e.sendResponseHeaders(200, b.length);"
            "e.getResponseBody().write(b); e.close(); }); s.start(); } }")
        gs.checked(["javac", "-d", folder, folder / "S.java"])

    server("java", lambda _, folder: ["java", "-Xmx128m", "-cp", folder, "S"], wrk(), prepare=prepare)


def postgres():
    programs = servers.postgres_programs()

    def drive(port):
        tool = servers.postgres_fill(port)
        return lambda: gs.checked([programs / "pgbench", "-n", "-c", "4", "-T", "2", *tool, "postgres"])

    server("postgres", lambda _, folder: [programs / "postgres", "-D", folder / "data"], drive, prepare=servers.postgres_prepare,
           how=signal.SIGINT, before=servers.AS_POSTGRES)


def memcached():
    """Values of any size under ten thousand keys, over a connection that is not always the same."""
    def drive(port):
        turn = iter(range(1 << 60))

        def one():
            n = next(turn)
            with socket.create_connection(("127.0.0.1", port), timeout=gs.LIMIT_S) as s:
                lines = s.makefile("rb")
                for i in range(n * 500, n * 500 + 500):
                    key, body = f"key{i % 10000}", "v" * (i * 37 % 3000)
                    s.sendall(f"set {key} 0 0 {len(body)}\r\n{body}\r\nget {key}\r\n".encode())
                    while lines.readline() != b"END\r\n":
                        pass
        return one

    server("memcached", lambda port, _: ["memcached", "-u", "root", "-m", "16", "-l", "127.0.0.1", "-p", port, "-U", "0"], drive)


def sqlite3():
    def more(n):
        rows = "".join(f"INSERT INTO t VALUES({n % 50 * 100 + i}, 'row {n}', {i});" for i in range(100))
        return f"BEGIN;{rows}COMMIT; SELECT count(DISTINCT b), max(length(b)) FROM t; SELECT sum(c) FROM t GROUP BY a % 7 ORDER BY 1;\n"

    fed("sqlite3", ["sqlite3", "-cmd", "CREATE TABLE t(a INTEGER PRIMARY KEY ON CONFLICT REPLACE, b TEXT, c INTEGER);", ":memory:"], more)


def python_json():
    loop = "import json, sys\nfor line in sys.stdin: json.loads(json.dumps({f'k{k}': list(range(20)) for k in range(int(line))}))\n"
    fed("python's json", [PYTHON, "-c", loop], lambda n: f"{200 + n % 300:500}\n")


def bash():
    fed("bash", ["bash", "-s"], lambda n: f'a=${{a:0:50}}x{n}; f() {{ local b=("$@"); echo "${{#b[@]}} $a"; }}; for i in {{1..200}}; do f $i {{1..20}}; done\n')


def perl():
    loop = "while (<STDIN>) { my %h = map { $_ => 'x' x ($_ % 90) } 1 .. $_; print join(',', sort keys %h), qq(\\n) }"
    fed("perl", ["perl", "-e", loop], lambda n: f"{200 + n % 700:500}\n")


def git():
    """Objects of a repository of its own, again and again."""
    with gs.workdir() as top:
        run = ["git", "-C", top, "-c", "user.name=n", "-c", "user.email=n@localhost"]
        gs.checked([*run, "init", "-q"])
        for i in range(20):
            (top / "file").write_text("".join(f"line {k * i}\n" for k in range(2000)))
            gs.checked([*run, "add", "file"])
            gs.checked([*run, "commit", "-q", "-m", f"commit {i}"])
        fed("git", ["git", "-C", top, "cat-file", "--batch"], lambda n: f"HEAD~{n % 20}\nHEAD~{n % 20}:file\n")


PROGRAMS = (postgres, java, node, redis, nginx, memcached, python_http, sqlite3, python_json, bash, perl, git)


def alloc_quiet():
    gs.need("redis-server", "redis-benchmark", "nginx", "wrk", "node", "java", "javac", "memcached", "sqlite3", "perl", "git")
    wanted = os.environ.get("GS_ALLOC_PROGRAMS", "").split()
    chosen = [p for p in PROGRAMS if not wanted or p.__name__ in wanted]
    with gs.workdir() as install, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        servers.lay_gapscope(install)
        done = [pool.submit(p) for p in chosen]
        concurrent.futures.wait(done)
    errors = [f"{p.__name__}: {d.exception()}" for p, d in zip(chosen, done) if d.exception()]
    gs.expect(not errors, "; ".join(errors))
    print(f"  {len(chosen)} programs of {SECONDS} s each: no finding")


if __name__ == "__main__":
    gs.main({"alloc_quiet": alloc_quiet})
