"""Real servers and real clients: the number, names and statuses of spans are what the client did, and no attribute holds what it said.

Every value that a client sends holds the word s3cr3t. The clients are the ones that users have; servers are Debian's, or a stub that
answers with a client library's own encoder.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess

import gs

PYTHON = str(gs.ROOT / "build" / "venv" / "bin" / "python3")
SECRET = "s3cr3t"
RINGS = ["--ring-size", "8388608"]


def spans(path):
    """(kind, name, error type or "", attributes) of each span, and a check that nothing secret is in the file."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    gs.expect(SECRET not in text, f"a secret is in the spans: {[line for line in text.splitlines() if SECRET in line][:2]}")
    lines = [json.loads(line) for line in text.splitlines()]
    found = [line["span"] for line in lines if "span" in line]
    for span in found:
        check_keys(span)
    return [(s["kind"], s["name"], s["attributes"].get("error.type", ""), s["attributes"]) for s in found]


def check_keys(span):
    """Every attribute is one of the semantic conventions, and none is deprecated; our own begin with gapscope."""
    for key in span["attributes"]:
        gs.expect(key.startswith("gapscope.") or key in conventions(), f"{key} of {span['name']} is no attribute, or a deprecated one")


def conventions(known={}):
    """Names of attributes and metrics that are in force, from the package opentelemetry-semantic-conventions."""
    if not known:
        script = gs.HERE / "conventions.py"
        known.update(dict.fromkeys(json.loads(gs.checked([PYTHON, script]))))
    return known


def count(found, kind=None, area=None):
    """How often which (name, error) is there."""
    return collections.Counter((name, error) for k, name, error, attributes in found
                               if kind in (None, k) and (area is None or area in attributes))


def expect_spans(found, wanted, what):
    gs.expect(found == collections.Counter(wanted), f"{what}: spans {dict(found)}, but the client did {dict(wanted)}")
    print(f"  {what}: {sum(found.values())} spans of {len(found)} kinds, as the client did")


def watched(top, command, *options, ends=(0,), **more):
    """Runs a client under gapscope; its report and spans."""
    out = top / "spans.jsonl"
    out.unlink(missing_ok=True)
    done = gs.run([*gs.watch(top / "report.json", "--export", f"jsonl:{out}", *RINGS, *options), *command], **more)
    gs.expect(done.returncode in ends, f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return gs.read_report(top / "report.json"), spans(out)


def watch_words(top):
    return gs.watch(top / "report.json", "--export", f"jsonl:{top / 'spans.jsonl'}", *RINGS)


def nothing_lost(report):
    loss = report["loss"]
    gs.expect(loss["lost"] == 0, f"records were lost, so spans cannot be counted: {loss}")


# -- redis --


def redis_commands():
    gs.need("redis-server", "redis-cli")
    with gs.workdir() as top:
        port = gs.free_port()
        server = gs.Server(["redis-server", "--port", port, "--save", "", "--dir", top], port, top / "log")
        try:
            commands = [f"SET {SECRET} {SECRET}", f"GET {SECRET}", f"LPUSH {SECRET} x", f"EVALSHA {SECRET} 0", "MULTI", "INCR n", "EXEC",
                        f"NOSUCH {SECRET}"]
            report, found = watched(top, ["redis-cli", "-p", port], input="\n".join(commands).encode() + b"\n")
            nothing_lost(report)
            names = count(found, "client", "db.system.name")
            # redis-cli asks for the server's commands first where it can complete them.
            names.pop(("COMMAND", ""), None)
            expect_spans(names, {("SET", ""): 1, ("GET", ""): 1, ("LPUSH", "WRONGTYPE"): 1, ("EVALSHA", "NOSCRIPT"): 1, ("MULTI", ""): 1,
                                 ("INCR", ""): 1, ("EXEC", ""): 1, ("_OTHER", "ERR"): 1}, "redis-cli")
        finally:
            server.kill()


def redis_py():
    """redis-py in both versions of the protocol: transactions, pub/sub, and pipelines whose answers outgrow what is captured of a call. Both
    sides are watched; the server's own statistics say what was asked."""
    gs.need("redis-server", "redis-cli")
    with gs.workdir() as top:
        port, client = gs.free_port(), top / "client"
        client.mkdir()
        server = gs.Server([*watch_words(top), "redis-server", "--port", port, "--save", "", "--dir", top], port, top / "log")
        try:
            report, found = watched(client, [PYTHON, gs.HERE / "programs" / "redis_client.py", port])
            asked = gs.checked(["redis-cli", "-p", port, "info", "commandstats"]).decode()
        finally:
            server.stop()
        wanted = collections.Counter()
        for name, n in re.findall(r"^cmdstat_([a-z]+)[^:]*:calls=(\d+)", asked, re.M):
            wanted[name.upper()] += int(n)
        for side, report, found in (("client", report, count(found, "client", "db.system.name")),
                                    ("server", gs.read_report(top / "report.json"), count(spans(top / "spans.jsonl"), "server"))):
            nothing_lost(report)
            failed = {name: error for name, error in found if error and name not in ("CLIENT", "INFO")}
            gs.expect(failed == {}, f"the {side}'s spans say that these failed: {failed}")
            names = collections.Counter({name: n for (name, _), n in found.items() if name in wanted})
            gs.expect(names == wanted, f"the {side}'s spans: {dict(names)}, but the server was asked {dict(wanted)}")
            print(f"  redis-py's {side}: {sum(names.values())} spans of {len(names)} kinds, as the server counted; "
                  f"{report['loss'].get('requests_unseen', 0)} answers were out of sight")


def redis_pipelines():
    """redis-benchmark -P 16 against a watched server: every command is one server span."""
    gs.need("redis-server", "redis-benchmark")
    with gs.workdir() as top:
        port = gs.free_port()
        server = gs.Server([*watch_words(top), "redis-server", "--port", port, "--save", "", "--dir", top], port, top / "log")
        try:
            gs.checked(["redis-benchmark", "-p", port, "-P", "16", "-c", "8", "-n", "8000", "-t", "set,get", "-q"])
        finally:
            server.stop()
        nothing_lost(gs.read_report(top / "report.json"))
        names = count(spans(top / "spans.jsonl"), "server")
        names.pop(("CONFIG", ""), None)
        expect_spans(names, {("SET", ""): 8000, ("GET", ""): 8000}, "redis-benchmark -P 16")


# -- SQL --


class Postgres:
    """A server of its own on a free port, run by user postgres."""

    def __init__(self, top):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not binaries:
            gs.skip("postgresql is not installed")
        self.bin = binaries[-1].parent
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        data = top / "data"
        data.mkdir()
        shutil.chown(data, "postgres")
        gs.checked([*as_user, self.bin / "initdb", "-D", data, "--no-sync", "-A", "trust", "--locale=C"], cwd="/")
        self.port = gs.free_port()
        self.server = gs.Server([*as_user, self.bin / "postgres", "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-c",
                                 "unix_socket_directories=", "-c", "fsync=off"], self.port, top / "log", cwd="/")
        self.tool = ["-h", "127.0.0.1", "-p", self.port, "-U", "postgres"]
        gs.poll_until(lambda: gs.run([self.bin / "pg_isready", *self.tool]).returncode == 0, "postgres is ready")


def postgresql():
    gs.need("psql", "pgbench", "setpriv")
    with gs.workdir() as top:
        db = Postgres(top)
        try:
            script = (f"create table users (id int primary key, name text);\ninsert into users values (1, '{SECRET}');\n"
                      f"insert into users values (1, '{SECRET}');\nselect * from users where name = '{SECRET}';\n"
                      f"\\copy users from pstdin\n2\t{SECRET}\n\\.\nselect generate_series(1, 3000), '{SECRET}';\ntable nowhere;\n")
            report, found = watched(top, [db.bin / "psql", "-X", *db.tool, "postgres"], input=script.encode())
            nothing_lost(report)
            expect_spans(count(found, "client", "db.system.name"),
                         {("CREATE TABLE users", ""): 1, ("INSERT users", ""): 1, ("INSERT users", "23505"): 1, ("SELECT users", ""): 1,
                          ("COPY users", ""): 1, ("SELECT", ""): 1, ("TABLE nowhere", "42P01"): 1}, "psql")
            _, found = watched(top, [PYTHON, gs.HERE / "programs" / "sql_client.py", "postgresql", str(db.port)])
            expect_spans(count(found, "client", "db.system.name"),
                         {("BEGIN", ""): 1, ("INSERT users", ""): 20, ("SELECT users", ""): 10, ("COMMIT", ""): 1}, "psycopg")
            gs.checked([db.bin / "pgbench", "-i", "-q", "-s", "1", *db.tool, "postgres"])
            for mode in ("simple", "extended", "prepared"):
                report, found = watched(top, [db.bin / "pgbench", "-n", "-M", mode, "-c", "4", "-t", "50", *db.tool, "postgres"])
                nothing_lost(report)
                names = count(found, "client", "db.system.name")
                wanted = {("BEGIN", ""): 200, ("END", ""): 200, ("UPDATE pgbench_accounts", ""): 200, ("SELECT pgbench_accounts", ""): 200,
                          ("UPDATE pgbench_tellers", ""): 200, ("UPDATE pgbench_branches", ""): 200, ("INSERT pgbench_history", ""): 200}
                # pgbench asks for the size of its tables first.
                expect_spans(collections.Counter({k: n for k, n in names.items() if k in wanted}), wanted, f"pgbench -M {mode}")
        finally:
            db.server.kill()


def pgx():
    """pgx in a Go program, which the shim cannot enter: its system calls are seen by probes."""
    gs.need("setpriv")
    if os.getuid() != 0:
        gs.skip("only root can load probes", can_run_here=False)
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        gs.skip("the kernel does not tell its types (BTF)", can_run_here=False)
    program = gs.go_built(gs.HERE / "ebpf" / "pgx", "pgx-5.7.2", "spans of a Go client of PostgreSQL are NOT tested")
    with gs.workdir() as top:
        db = Postgres(top)
        try:
            report, found = watched(top, [program, db.port])
            nothing_lost(report)
            expect_spans(count(found, "client", "db.system.name"),
                         {("CREATE TABLE users", ""): 1, ("INSERT users", ""): 20, ("SELECT users", ""): 10, ("INSERT users", "23505"): 1},
                         "pgx")
        finally:
            db.server.kill()


def mariadb():
    gs.need("mariadbd", "mariadb-install-db", "mariadb")
    with gs.workdir() as top:
        port = gs.free_port()
        gs.checked(["mariadb-install-db", f"--datadir={top / 'data'}", "--auth-root-authentication-method=normal", "--user=root"])
        server = gs.Server(["mariadbd", "--no-defaults", f"--datadir={top / 'data'}", f"--port={port}", "--bind-address=127.0.0.1",
                            f"--socket={top / 's'}", "--user=root", "--innodb-flush-method=fsync"], port, top / "log")
        try:
            script = (f"create database shop; use shop; create table users (id int primary key, name text);"
                      f"insert into users values (1, '{SECRET}'); select * from users where name = \"{SECRET}\";"
                      f"insert into users values (1, \"{SECRET}\");")
            report, found = watched(top, ["mariadb", "--no-defaults", "--force", "-h", "127.0.0.1", f"-P{port}", "-uroot", "--skip-ssl",
                                          "-e", script], ends=(0, 1))
            nothing_lost(report)
            names = count(found, "client", "db.system.name")
            gs.expect(names[("INSERT users", "1062")] == 1 and names[("INSERT users", "")] == 1 and names[("SELECT users", "")] == 1 and
                      names[("CREATE DATABASE", "")] == 1 and names[("CREATE TABLE users", "")] == 1, f"mariadb: {dict(names)}")
            gs.expect({s[3].get("db.system.name") for s in found if s[0] == "client"} == {"mariadb"}, "another system than mariadb")
            print(f"  mariadb: {dict(names)}")
            _, found = watched(top, [PYTHON, gs.HERE / "programs" / "sql_client.py", "mysql", str(port)])
            names = count(found, "client", "db.system.name")
            gs.expect(names[("INSERT users", "")] == 20 and names[("SELECT users", "")] == 10 and names[("COMMIT", "")] == 1,
                      f"pymysql: {dict(names)}")
            print(f"  pymysql: {dict(names)}")
        finally:
            server.kill()


# -- HTTP/2 and gRPC --


def http2():
    """h2load and curl against a watched nginx: every request is one server span."""
    gs.need("nginx", "h2load", "curl")
    with gs.workdir() as top:
        port = gs.free_port()
        (top / "page").mkdir()
        (top / "page" / "index.html").write_text("hello\n" * 100)
        (top / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {top}/pid; error_log {top}/error.log; user root;\nevents {{}}\n"
            f"http {{ access_log off; client_body_temp_path {top}/a; proxy_temp_path {top}/b; fastcgi_temp_path {top}/c;\n"
            f"uwsgi_temp_path {top}/d; scgi_temp_path {top}/e;\n"
            f"server {{ listen 127.0.0.1:{port} http2; root {top}/page; keepalive_requests 100000;\n"
            "location /busy { return 503; } } }\n")
        server = gs.Server([*watch_words(top), "nginx", "-p", top, "-c", top / "nginx.conf"], port, top / "log")
        try:
            load = gs.checked(["h2load", "-n", "3000", "-c", "2", "-m", "10", f"http://127.0.0.1:{port}/?x={SECRET}"]).decode()
            gs.expect("3000 succeeded" in load, load)
            for path, n in (("/busy", 3), ("/nowhere", 2)):
                for _ in range(n):
                    gs.checked(["curl", "-s", "-o", top / "out", "--http2-prior-knowledge", f"http://127.0.0.1:{port}{path}"])
        finally:
            server.stop()
        nothing_lost(gs.read_report(top / "report.json"))
        found = [s for s in spans(top / "spans.jsonl") if s[0] == "server"]
        status = collections.Counter(s[3].get("http.response.status_code") for s in found)
        gs.expect(status == {200: 3000, 503: 3, 404: 2}, f"statuses {dict(status)}")
        expect_spans(count(found), {("GET", ""): 3002, ("GET", "503"): 3}, "h2load and curl")
        gs.expect(all(s[3]["network.protocol.version"] == "2" for s in found), "another version than 2")


def grpc():
    """grpcio as client and as server, each watched."""
    with gs.workdir() as top:
        port = gs.free_port()
        program = gs.HERE / "programs" / "grpc_pair.py"
        server = gs.Server([*watch_words(top), PYTHON, program, "server", port], port, top / "log")
        client = top / "client"
        client.mkdir()
        try:
            report, found = watched(client, [PYTHON, program, "client", str(port)])
            nothing_lost(report)
            expect_spans(count(found, "client", "rpc.system.name"),
                         {("shop.Cart/Get", ""): 47, ("shop.Cart/Get", "NOT_FOUND"): 5, ("shop.Cart/Get", "INTERNAL"): 3,
                          ("shop.Cart/Watch", ""): 2, ("shop.Cart/Watch", "DATA_LOSS"): 1, ("shop.Cart/Add", ""): 3,
                          ("shop.Cart/Talk", ""): 3, ("shop.Cart/Talk", "RESOURCE_EXHAUSTED"): 1, ("shop.Cart/None", "UNIMPLEMENTED"): 1,
                          ("shop.Cart/Forever", "CANCELLED"): 4, ("shop.Cart/Forever", "DEADLINE_EXCEEDED"): 2}, "grpcio's client")
        finally:
            server.stop()
        names = count(spans(top / "spans.jsonl"), "server", "rpc.system.name")
        # When the time is up on both sides, either may say so first.
        names[("shop.Cart/Forever", "")] += names.pop(("shop.Cart/Forever", "DEADLINE_EXCEEDED"), 0)
        expect_spans(names, {("shop.Cart/Get", ""): 52, ("shop.Cart/Get", "INTERNAL"): 3, ("shop.Cart/Watch", ""): 2,
                             ("shop.Cart/Watch", "DATA_LOSS"): 1, ("shop.Cart/Add", ""): 3, ("shop.Cart/Talk", ""): 4,
                             ("shop.Cart/None", "UNIMPLEMENTED"): 1, ("shop.Cart/Forever", ""): 6}, "grpcio's server")


# -- others --


def memcached():
    gs.need("memcached")
    with gs.workdir() as top:
        port = gs.free_port()
        server = gs.Server([*watch_words(top), "memcached", "-u", "root", "-l", "127.0.0.1", "-p", port, "-U", "0"], port, top / "log")
        client = top / "client"
        client.mkdir()
        wanted = {("set", ""): 10, ("get", ""): 20, ("delete", ""): 5, ("incr", "CLIENT_ERROR"): 1, ("version", ""): 1}
        try:
            report, found = watched(client, [PYTHON, gs.HERE / "programs" / "memcached_client.py", str(port)])
            nothing_lost(report)
            expect_spans(count(found, "client", "db.system.name"), wanted, "pymemcache")
            # The client has its answer before the thread that sent it is back from the call that sent it, and memcached does not wait for its threads.
            gs.poll_until(lambda: len(sent_at_once(top / "spans.jsonl")) >= sum(wanted.values()), "the server's spans")
        finally:
            server.stop()
            print("  memcached's log:", server.tail() or "empty")
        nothing_lost(gs.read_report(top / "report.json"))
        expect_spans(count(spans(top / "spans.jsonl"), "server", "db.system.name"), wanted, "memcached")


def sent_at_once(path):
    """The lines of spans that are there while the session goes on."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if '"span"' in line and '"server"' in line] if path.exists() else []


def mongodb():
    """pymongo against a stub that speaks OP_MSG, plain and compressed."""
    with gs.workdir() as top:
        port = gs.free_port()
        program = gs.HERE / "programs" / "mongodb_pair.py"
        server = gs.Server([PYTHON, program, "server", port], port, top / "log")
        try:
            for compressor in ("", "zlib"):
                report, found = watched(top, [PYTHON, program, "client", port, compressor])
                gs.expect(report["service"]["client_requests"] > 0, "no requests")
                names = count(found, "client", "db.system.name")
                names.pop(("endSessions", ""), None)
                expect_spans(names, {("insert users", ""): 10, ("find users", ""): 7, ("aggregate orders", "NamespaceNotFound"): 2,
                                     ("ping", ""): 1}, f"pymongo {compressor}")
        finally:
            server.kill()


def kafka():
    """kafka-python against a stub of a broker, which counts what it was asked: in old versions, and in those of today."""
    program = gs.HERE / "programs" / "kafka_pair.py"
    for generation in ("0.10", "4"):
        with gs.workdir() as top:
            port, counts = gs.free_port(), top / "counts.json"
            server = gs.Server([PYTHON, program, "server", port, counts, generation], port, top / "log")
            try:
                report, found = watched(top, [PYTHON, program, "client", str(port)])
                nothing_lost(report)
                asked = json.loads(counts.read_text())
                gs.expect(asked["send"] == 11, f"the broker was sent {asked}")
                names = collections.Counter()
                for (name, error), n in count(found, None, "messaging.system").items():
                    names[(name.removesuffix(" orders"), error.replace("abandoned", ""))] += n  # the client leaves while some are under way
                wanted = collections.Counter({(name, ""): n for name, n in asked.items()})
                for key, error in (("send", "10"), ("poll", "1")):  # too large; an offset that is not there
                    wanted[(key, "")] -= 1
                    wanted[(key, error)] += 1
                expect_spans(names, wanted, f"kafka-python, generation {generation}")
                gs.expect(count(found)[("send orders", "")] == 10, "the topic is not named")
            finally:
                server.kill()


def ioredis():
    """ioredis in node: commands one by one, a pipeline, a transaction."""
    gs.need("redis-server")
    modules = gs.npm_package("ioredis", "5.4.1")
    with gs.workdir() as top:
        port = gs.free_port()
        server = gs.Server(["redis-server", "--port", port, "--save", "", "--dir", top], port, top / "log")
        try:
            report, found = watched(top, ["node", gs.HERE / "programs" / "ioredis_client.js", str(port)],
                                    env=gs.clean_env({"NODE_PATH": str(modules)}))
            nothing_lost(report)
            names = count(found, "client", "db.system.name")
            for own in ("INFO", "CLIENT", "SELECT"):  # asked by the library itself, once it is connected
                names.pop((own, ""), None)
            expect_spans(names, {("SET", ""): 10, ("GET", ""): 7, ("INCR", ""): 16, ("MULTI", ""): 1, ("LPUSH", ""): 1, ("EXEC", ""): 1,
                                 ("INCR", "ERR"): 1, ("QUIT", ""): 1}, "ioredis")
        finally:
            server.kill()


def rabbitmq():
    gs.need("rabbitmq-server")
    with gs.workdir() as top:
        port = gs.free_port()
        env = gs.clean_env({"RABBITMQ_NODE_PORT": str(port), "RABBITMQ_NODENAME": f"gs{port}@localhost", "HOME": str(top),
                            "RABBITMQ_MNESIA_BASE": str(top / "mnesia"), "RABBITMQ_LOG_BASE": str(top / "logs"),
                            "RABBITMQ_DIST_PORT": str(gs.free_port()), "RABBITMQ_PID_FILE": str(top / "pid"),
                            "ERL_EPMD_PORT": str(gs.free_port()), "RABBITMQ_ENABLED_PLUGINS_FILE": str(top / "none"),
                            "RABBITMQ_CONFIG_FILE": str(top / "none")})
        shutil.chown(top, "rabbitmq")
        beam = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        server = gs.Server([beam], port, top / "log", env=env, start_new_session=True)
        try:
            _, found = watched(top, [PYTHON, gs.HERE / "programs" / "amqp_client.py", str(port)])
            expect_spans(count(found, None, "messaging.system"),
                         {("publish shop", ""): 19, ("publish jobs", ""): 9, ("deliver shop", ""): 19, ("deliver jobs", ""): 9, ("get jobs", ""): 1},
                         "pika, with bodies of several frames, and confirmed")
        finally:
            for pid in children(server.process.pid):
                subprocess.run(["kill", str(pid)], check=False)
            server.kill()


def children(pid):
    """A process and all that came of it, by the kernel's own list."""
    found = [pid]
    for parent in found:
        path = pathlib.Path(f"/proc/{parent}/task/{parent}/children")
        found += [int(child) for child in path.read_text().split()] if path.exists() else []
    return found


def metrics_are_conventional():
    """Names, units and kinds of the metrics that a session can export."""
    text = (gs.ROOT / "agent" / "report" / "areas.c").read_text() + "".join(
        (gs.ROOT / "agent" / "report" / name).read_text() for name in ("metrics.c", "resource_metrics.c"))
    names = set(re.findall(r'(?:_metric|\.name) = "([a-z0-9_.]+)"', text))
    gs.expect(len(names) > 10, "no metrics were found in the tables")
    for name in sorted(names):
        gs.expect(name.startswith("gapscope.") or name in conventions(), f"{name} is no metric of the conventions, or a deprecated one")
    print(f"  {len(names)} metrics, of which {sum(not n.startswith('gapscope.') for n in names)} are the conventions'")


if __name__ == "__main__":
    gs.main({f.__name__: f for f in (redis_commands, redis_py, redis_pipelines, postgresql, pgx, mariadb, http2, grpc, memcached, mongodb, kafka, ioredis, rabbitmq,
                                 metrics_are_conventional)})
