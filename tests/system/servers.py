"""Services nobody here wrote, driven by their own clients, bare and under gapscope: the same answers, no failed request, the same status."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import gs


def nginx_conf(port, folder, workers=2):
    (folder / "html").mkdir(exist_ok=True)
    (folder / "html" / "index.html").write_text("<p>hello</p>\n" * 20)
    (folder / "html" / "big").write_bytes(bytes(range(256)) * 4000)
    (folder / "nginx.conf").write_text(f"""
daemon off;
worker_processes {workers};
pid {folder}/pid;
error_log {folder}/error.log;
user root;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    sendfile on;
    server {{ listen 127.0.0.1:{port}; root {folder}/html; location /up/ {{ proxy_pass http://127.0.0.1:{port}/; }} }}
}}
""")


def nginx_command(_, folder):
    # Compiled-in paths (its first error log) lead outside the folder: -e keeps it inside.
    return ["nginx", "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]


def nginx():
    gs.need("nginx", "wrk", "curl")

    def drive(port, folder):
        base = f"http://127.0.0.1:{port}"
        load = gs.checked(["wrk", "-t2", "-c40", "-d3s", base + "/index.html"]).decode()
        proxied = gs.checked(["wrk", "-t1", "-c10", "-d1s", base + "/up/index.html"]).decode()
        for text in (load, proxied):
            gs.expect("Socket errors" not in text and "Non-2xx" not in text, "failed requests: " + text)
            print("   ", re.search(r"Requests/sec: +(.*)", text).group(0))
        body = gs.checked(["curl", "-s", base + "/big"])
        gs.expect(body == (folder / "html" / "big").read_bytes(), "other bytes from nginx")
        codes = gs.checked(["curl", "-s", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{http_code} ", base + "/none", base + "/up/big"])
        gs.run(["nginx", "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf", "-s", "reload"])
        after = gs.checked(["curl", "-s", base + "/index.html"])
        return codes, len(after)

    gs.compare_server(nginx_command, drive, prepare=nginx_conf, how=signal.SIGQUIT)


def redis():
    gs.need("redis-server", "redis-benchmark", "redis-cli")

    def command(port, folder):
        return ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--io-threads", "4", "--io-threads-do-reads", "yes",
                "--save", "", "--appendonly", "yes"]

    def drive(port, folder):
        cli = ["redis-cli", "-p", port]
        out = gs.checked(["redis-benchmark", "-p", port, "-q", "-n", "20000", "-c", "50", "-P", "8", "-t", "set,get,incr,lpush,mset"]).decode()
        gs.expect("rror" not in out, "errors: " + out)
        gs.expect(out.count("requests per second") == 5, "not every test ran: " + out)
        gs.checked([*cli, "bgsave"])
        gs.poll_until(lambda: b"rdb_bgsave_in_progress:0" in gs.checked([*cli, "info", "persistence"]), "the child saved")
        saved = b"rdb_last_bgsave_status:ok" in gs.checked([*cli, "info", "persistence"])
        return gs.checked([*cli, "get", "counter:__rand_int__"]), gs.checked([*cli, "llen", "mylist"]), saved

    gs.compare_server(command, drive)


AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def postgres_programs():
    """The folder of PostgreSQL's programs; skips where it cannot be run."""
    gs.need("pgbench", "setpriv")
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        gs.skip("postgresql is not installed")
    if os.getuid() != 0:
        gs.skip("only root can start it as user postgres", can_run_here=False)
    return found[-1].parent


def postgres_prepare(port, folder):
    """A cluster in folder/data that will listen on the port."""
    shutil.chown(folder, "postgres")
    gs.checked([*AS_POSTGRES, postgres_programs() / "initdb", "-D", folder / "data", "--no-sync", "-A", "trust", "--locale=C"], cwd="/")
    with open(folder / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write(f"port={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\nshared_buffers=16MB\n")


def postgres_fill(port):
    """pgbench's tables, once the server is ready. Returns the options that reach it."""
    tool = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    gs.poll_until(lambda: gs.run([postgres_programs() / "pg_isready", *tool]).returncode == 0, "postgres is ready")
    gs.checked([postgres_programs() / "pgbench", "-i", "-q", "-s", "1", *tool, "postgres"])
    return tool


def lay_gapscope(folder):
    """The build tree may lie where another user cannot go: what that one runs is laid where it can."""
    (folder / "preload").mkdir()
    (folder / "preload").chmod(0o755)
    shutil.copy(gs.GAPSCOPE, folder / "gapscope")
    shutil.copy(gs.BUILD / "preload" / "libgapscope.so", folder / "preload")
    gs.GAPSCOPE = str(folder / "gapscope")


def postgres():
    bin_dir = postgres_programs()
    with gs.workdir() as install:
        lay_gapscope(install)

        def drive(port, folder):
            tool = postgres_fill(port)
            out = gs.checked([bin_dir / "pgbench", "-c", "4", "-j", "2", "-t", "300", *tool, "postgres"]).decode()
            gs.expect("actually processed: 1200/1200" in out, out)
            print("   ", re.search(r"tps = .*", out).group(0))
            question = ("select (select sum(abalance) from pgbench_accounts) = (select sum(bbalance) from pgbench_branches), "
                        "(select count(*) from pgbench_history)")
            return gs.checked([bin_dir / "psql", "-At", *tool, "-c", question, "postgres"])

        gs.compare_server(lambda port, folder: [bin_dir / "postgres", "-D", folder / "data"], drive, prepare=postgres_prepare, how=signal.SIGINT,
                          before=AS_POSTGRES, owner="postgres")


def openssl():
    gs.need("openssl")
    with gs.workdir() as top:
        key, certificate = top / "key.pem", top / "certificate.pem"
        gs.checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout", key,
                    "-out", certificate])

        def drive(port, _):
            # -rev answers each line turned round; the client ends with what it read.
            answers = []
            for line in (b"hello\n", b"x" * 5000 + b"\n"):
                client = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}"], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=gs.clean_env())
                client.stdin.write(line)
                client.stdin.flush()
                answers.append(client.stdout.readline())
                client.kill()
                client.wait()
            return [a[:20] for a in answers]

        gs.compare_server(lambda port, _: ["openssl", "s_server", "-quiet", "-rev", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert",
                                           certificate], drive, at_least=5)
        # And the client under watch, against an unwatched server that serves a page about nothing that changes.
        port = gs.free_port()
        (top / "page").write_text("the page\n" * 100)
        server = gs.Server(["openssl", "s_server", "-quiet", "-WWW", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificate], port,
                           top / "log", cwd=top)
        try:
            gs.compare(["openssl", "s_client", "-quiet", "-verify_quiet", "-ign_eof", "-connect", f"127.0.0.1:{port}"],
                       input=b"GET /page HTTP/1.0\r\n\r\n", same_stderr=False, at_least=3)
        finally:
            server.kill()


def openssh():
    gs.need("ssh", "ssh-keygen", "sshd")
    if os.getuid() != 0:
        gs.skip("sshd logs in others only as root", can_run_here=False)
    sshd = shutil.which("sshd")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)

    def prepare(port, folder):
        for name in ("host", "user"):
            gs.checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name])
        (folder / "conf").write_text(f"""Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
PrintMotd no
PrintLastLog no
""")

    def drive(port, folder):
        ssh = ["ssh", "-F", "none", "-p", port, "-i", folder / "user", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o",
               "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "root@127.0.0.1"]
        first = gs.run([*ssh, "echo hello; cat | wc -c; exit 33"], input=b"y" * 300000)
        second = gs.run([*ssh, "-tt", "stty -echo; test -t 0 && echo a terminal"])
        return first.returncode, first.stdout, first.stderr[-300:], second.returncode, second.stdout

    gs.compare_server(lambda port, folder: [sshd, "-D", "-e", "-f", folder / "conf"], drive, prepare=prepare, at_least=20)


def python_server():
    gs.need("python3", "curl")

    def prepare(_, folder):
        (folder / "file").write_bytes(b"served\n" * 10000)

    def drive(port, _):
        answers = [gs.run(["curl", "-s", f"http://127.0.0.1:{port}/{what}"]) for what in ("file", "file", "none")]
        return [(a.returncode, len(a.stdout)) for a in answers]

    gs.compare_server(lambda port, _: ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(port)], drive, prepare=prepare, at_least=20)


CASES = {"nginx": nginx, "redis": redis, "postgres": postgres, "openssl": openssl, "openssh": openssh, "python_server": python_server}

if __name__ == "__main__":
    gs.main(CASES)
