"""Programs nobody here wrote, run to their end bare and under gapscope: the same bytes on stdout and stderr, the same exit status."""
import http.server
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import threading
import time

import gs

PROGRAMS = gs.HERE / "programs"


class Files(http.server.BaseHTTPRequestHandler):
    """Serves a folder with answers that are the same each time: no date, no server name."""

    protocol_version = "HTTP/1.1"
    folder = "/"

    def log_message(self, *_):
        pass

    def send_response(self, code, message=None):
        self.send_response_only(code, message)

    def do_GET(self):
        path = pathlib.Path(self.folder) / self.path.split("?")[0].lstrip("/")
        found = path.is_file()
        body = path.read_bytes() if found else b"not here\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(folder):
    """A server in this process, on its own threads; returns its port."""
    handler = type("Handler", (Files,), {"folder": str(folder)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def bash():
    gs.need("bash")
    gs.compare(["bash", PROGRAMS / "pipes.sh"], at_least=50)


def bash_terminal():
    """Job control on a terminal: stop, background, foreground, interrupt."""
    gs.need("bash")
    answers = []
    steps = [  # what is typed, and what must be seen before the next
        (b"PS1='rea''dy> '; PS2=; set +o history; unset PROMPT_COMMAND\n", b"ready> "),
        (b"sleep 300\n", None), (b"\x1a", b"Stopped"), (b"jobs | wc -l; bg; echo bg''done\n", b"bgdone"),
        (b"kill %1; wait; echo wai''ted\n", b"waited"), (b"cat\n", None), (b"typed\n", b"typed\r\ntyped"), (b"\x03", b"ready> "),
        (b"echo $?-status\n", b"130-status"), (b"exit 23\n", b"exit"),
    ]
    with gs.workdir() as top:
        for mode in ("bare", "watched"):
            words = [*(gs.watch(top / "report.json") if mode == "watched" else []), "bash", "--norc", "--noprofile", "-i"]
            pid, fd = pty.fork()
            if pid == 0:
                os.execvpe(words[0], words, gs.clean_env({"TERM": "dumb", "HISTFILE": "/dev/null"}))
            seen, step_start = b"", 0
            for typed, wanted in steps:
                if typed in (b"\x1a", b"typed\n"):  # the child in front must own the terminal first
                    shell_group = pid
                    gs.poll_until(lambda: foreground_runs(fd, (b"sleep", b"cat"), shell_group), "the command is in front")
                os.write(fd, typed)
                end = time.monotonic() + 20
                while wanted is not None and wanted not in seen[step_start:]:
                    gs.expect(time.monotonic() < end, f"{mode}: {wanted} was not seen after {typed}: {seen[-500:]}")
                    if select.select([fd], [], [], 0.2)[0]:
                        try:
                            seen += os.read(fd, 65536)
                        except OSError:
                            break
                step_start = len(seen)
            while True:
                try:
                    if not os.read(fd, 65536):
                        break
                except OSError:
                    break
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.close(fd)
            print(f"  {mode:8} status {status}")
            answers.append(status)
    gs.expect(answers == [23, 23], f"statuses {answers}")


def foreground_runs(fd, names, _):
    try:
        group = os.tcgetpgrp(fd)
        return pathlib.Path(f"/proc/{group}/comm").read_bytes().strip() in names
    except OSError:
        return False


def git():
    gs.need("git")
    with gs.workdir() as top:
        source = top / "source"
        identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
                    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z", "HOME": str(top)}
        env = gs.clean_env(identity)
        source.mkdir()
        gs.checked(["git", "init", "-q", "-b", "main"], cwd=source, env=env)
        for i in range(30):
            (source / f"file{i}.txt").write_text(f"{i}\n" * 500)
            gs.checked(["git", "add", "."], cwd=source, env=env)
            gs.checked(["git", "commit", "-q", "-m", f"commit {i}"], cwd=source, env=env)
        gs.checked(["git", "clone", "-q", "--bare", source, top / "repo.git"], env=env)
        gs.checked(["git", "update-server-info"], cwd=top / "repo.git", env=env)
        port = serve(top)
        gs.compare(["sh", "-c", f"git clone http://127.0.0.1:{port}/repo.git copy && cd copy && git log --format='%H %s' && git fsck && "
                    "md5sum *.txt && git gc -q && git grep -c 7 | tail -3; git push nowhere; exit $?"], env=identity, at_least=50)


def curl():
    gs.need("curl")
    with gs.workdir() as top:
        (top / "file").write_bytes(bytes(range(256)) * 8000)
        port, base = serve(top), ""
        base = f"http://127.0.0.1:{port}"
        gs.compare(["curl", "-s", "-i", f"{base}/file", f"{base}/none", f"{base}/file?x"], at_least=10)
        gs.compare(["curl", "-s", "--data-binary", "@/etc/services", f"{base}/post"], at_least=5)
        gs.compare(["curl", "-sS", "--max-time", "5", "--retry", "1", "http://127.0.0.1:1/"], at_least=1)
        gs.compare(["curl", "-s", "-Z", "-o", "/dev/null", "-w", "%{http_code} %{size_download}\n", f"{base}/file"],
                   at_least=5, same_stderr=False)
        gs.compare(["curl", "-sSf", f"{base}/none"], at_least=5)


def wget():
    gs.need("wget")
    with gs.workdir() as top:
        (top / "file").write_bytes(b"0123456789" * 100000)
        port = serve(top)
        gs.compare(["wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/file"], at_least=5)
        gs.compare(["wget", "-q", "-O", "-", "--timeout=5", "--tries=1", f"http://127.0.0.1:{port}/none"])
        gs.compare(["wget", "-q", "-O", "-", "--tries=1", "http://127.0.0.1:1/"])


def python(style):
    def case():
        gs.need("python3")
        gs.compare(["python3", "-W", "ignore", PROGRAMS / "app.py", style], at_least=50)
    return case


def node():
    gs.need("node")
    gs.compare(["node", PROGRAMS / "app.js"], at_least=50, same_stderr=False)


def java():
    gs.need("java", "javac")
    def prepare(folder):
        shutil.copy(PROGRAMS / "App.java", folder)
    gs.compare(["sh", "-c", "javac -d . App.java && java -cp . App"], prepare=prepare, at_least=50)


def make():
    gs.need("gcc", "make")
    def prepare(folder):
        for i in range(20):
            (folder / f"part{i}.c").write_text(f"#include <stdio.h>\nint part{i}(void);\nint part{i}(void) {{ return printf(\"{i}\\n\"); }}\n")
        (folder / "main.c").write_text("".join(f"int part{i}(void);\n" for i in range(20)) +
                                       "int main(void) {" + "".join(f"part{i}();" for i in range(20)) + "return 17; }\n")
        (folder / "Makefile").write_text(
            "objects = main.o " + " ".join(f"part{i}.o" for i in range(20)) +
            "\nprogram: $(objects)\n\t@gcc -o $@ $(objects)\n%.o: %.c\n\t@gcc -O1 -c -o $@ $<\ncheck: program\n\t@md5sum *.o program\n\t./program\n")
    gs.compare(["make", "-j3", "--no-print-directory", "check"], prepare=prepare, at_least=100)


def stdin_untouched():
    """stdin, stdout and stderr are the service's own: bytes, order, end of file, and a closed stdin."""
    gs.compare(["cat"], input=bytes(range(256)) * 5000)
    gs.compare(["sh", "-c", "cat <&- ; echo $?"], same_stderr=True)
    gs.compare(["sh", "-c", "kill -TERM $$"])
    gs.compare(["sh", "-c", "kill -SEGV $$"])
    with gs.workdir() as top:  # a signal that kills the service: 128 + n
        done = gs.run([*gs.watch(top / "r.json"), "sh", "-c", "kill -9 $$"])
        gs.expect(done.returncode in (137, -9), f"status {done.returncode} after SIGKILL")


CASES = {
    "bash": bash, "bash_terminal": bash_terminal, "git": git, "curl": curl, "wget": wget, "python_http": python("http"),
    "python_subprocess": python("subprocess"), "python_asyncio": python("asyncio"), "python_threads": python("threads"),
    "node": node, "java": java, "make": make, "stdio": stdin_untouched,
}

if __name__ == "__main__":
    gs.main(CASES)
