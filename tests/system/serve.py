#!/usr/bin/env python3
"""The daemon's promises: it finds services and watches them, answers whom it should and nobody else, stays within its bounds, and leaves nothing behind.

GS_CHURN: how many short-lived targets come and go (default 1000). GS_ARTEFACTS: where screenshots go (default: build/artefacts).
"""
import contextlib
import ctypes
import errno
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from gate import Load, services
from gs import BUILD, GAPSCOPE, ROOT, checked, clean_env, expect, main, need, poll_until, run, skip, workdir

CHURN = int(os.environ.get("GS_CHURN", "1000"))
CHURN_LANES = 32
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}
BPF_MAP_GET_NEXT_ID = 12
TOKEN = "0123456789abcdef0123"
ARTEFACTS = pathlib.Path(os.environ.get("GS_ARTEFACTS", BUILD.parent / "artefacts"))


class Daemon:
    """`gapscope serve` with a configuration, on a free port."""

    def __init__(self, top, watch, more="", listen="127.0.0.1:0", before=()):
        self.config = top / "serve.yaml"
        self.config.write_text(f"listen: {listen}\n{more}watch:\n" + "".join(f"  - {w}\n" for w in watch))
        self.log = top / "serve.log"
        self.folder = top / "tmp"
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen([*before, GAPSCOPE, "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL, env=clean_env({"TMPDIR": str(self.folder)}),
                                        stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))
        self.port = None
        if listen.startswith("unix:"):
            poll_until(lambda: os.path.exists(listen[5:]) or self.process.poll() is not None, "the daemon's socket")
        else:
            poll_until(lambda: self.said(r"gapscope: port (\d+)\n") or self.process.poll() is not None, "the daemon's port")
            self.port = int(self.said(r"gapscope: port (\d+)\n"))
        expect(self.process.poll() is None, f"the daemon ended: {self.log.read_text()}")

    def said(self, pattern):
        found = re.search(pattern, self.log.read_text())
        return found and found.group(1)

    def ask(self, path, method="GET", body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body, headers or {})
            answer = c.getresponse()
            return answer.status, answer.read().decode()
        finally:
            c.close()

    def service(self, name):
        return json.loads(self.ask(f"/api/v1/services/{name}")[1])

    def sessions(self):
        """Processes that watch on the daemon's behalf."""
        found = []
        for p in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if p.name.isdigit() and str(self.folder) in (p / "cmdline").read_text():
                    found.append(int(p.name))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        expect(status == 0, f"the daemon ended with {status}: {self.log.read_text()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def daemon(*arguments, **options):
    d = Daemon(*arguments, **options)
    try:
        yield d
    finally:
        d.kill()


def port_of(server):
    return int(server.process.args[-2])


def watches():
    """A canary's finding arrives in the interface and the metrics (verdicts: controllers.py); its next life is a second session; nothing is left at the end."""
    with workdir() as top, services(top, "logs_email") as (stable, canary):
        rules = [f"{{service: stable, port: {port_of(stable)}}}", f"{{service: canary, port: {port_of(canary)}, stable: stable, tier: critical}}",
                 "{service: ghost, name: gs-no-such-name}"]
        with daemon(top, rules, f"history: {top}/history.db\n") as d:
            load = Load([port_of(stable), port_of(canary)])

            def found():
                report = d.service("canary")["report"]
                stable_report = d.service("stable")["report"]
                return report and stable_report and any(f["rule"] == "data.log.email" for f in report["findings"]) and \
                    report["service"]["server_requests"] > 120 and stable_report["service"]["server_requests"] > 120

            poll_until(found, "the e-mail's finding in the interface")
            load.stop()
            status, text = d.ask("/metrics")
            expect(status == 200 and re.search(r'gapscope_findings{service="canary",rule="data.log.email"} [1-9]', text), "no such series in /metrics")
            expect('gapscope_findings{service="ghost",rule="retry.unbounded"} 0' in text, "no explicit zero for a service that is not there")
            # a session ends with its service, and the next life of the service is another one
            canary.stop()
            poll_until(lambda: d.service("canary")["summary"]["state"] == "ended", "the end of the canary's session")
            past = json.loads(d.ask("/api/v1/history?service=canary")[1])["sessions"]
            expect(len(past) == 1 and past[0]["findings"] > 0, f"history: {past}")
            d.stop()
        expect(stable.process.poll() is None, "the service did not survive the daemon")
        http.client.HTTPConnection("127.0.0.1", port_of(stable), timeout=10).request("GET", "/order/1")
        expect(not list(d.folder.iterdir()), "the daemon left its folder")


def killed():
    """kill -9 of the daemon: its sessions end, and the services go on."""
    with workdir() as top, services(top, "stable") as (stable, canary):
        with daemon(top, [f"{{service: stable, port: {port_of(stable)}}}"]) as d:
            poll_until(lambda: d.service("stable")["report"], "the first report")
            before = d.sessions()
            expect(len(before) == 1, f"sessions: {before}")
            d.process.kill()
            d.process.wait()
            poll_until(lambda: not d.sessions(), "the end of the sessions")
        for server in (stable, canary):
            c = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)
            c.request("GET", "/order/1")
            expect(c.getresponse().status == 200, "a service does not answer any more")


def hostile():
    with workdir() as top:
        token = top / "token"
        token.write_text(TOKEN + "\n")
        with daemon(top, ["{service: ghost, name: gs-no-such-name}"], f"token_file: {token}\n") as d:
            right = {"Authorization": f"Bearer {TOKEN}"}
            expect(d.ask("/api/v1/services", headers=right)[0] == 200, "the right token is refused")
            for headers in ({}, {"Authorization": "Bearer 0123456789abcdef012"}, {"Authorization": TOKEN}, {"Authorization": "Basic " + TOKEN}):
                for path in ("/api/v1/services", "/metrics", "/gate/argo?service=ghost", "/api/v1/stream", "/readyz"):
                    expect(d.ask(path, headers=headers)[0] == 401, f"{path} with {headers} is answered")
            expect(d.ask("/healthz")[0] == 200, "no health without a token")
            for path in ("/../../etc/passwd", "/api/v1/services/..%2f..%2fetc%2fpasswd", "/app.js/../../x", "//"):
                expect(d.ask(path, headers=right)[0] in (400, 404), f"{path} is answered")
            # slow clients, a byte now and then: as many as there are connections, and still others are served when their time is over
            slow = []
            for _ in range(150):
                s = socket.create_connection(("127.0.0.1", d.port), timeout=20)
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                slow.append(s)
            start = time.monotonic()

            over = threading.Event()

            def drip():
                while not over.wait(0.2):
                    for s in slow:
                        with contextlib.suppress(OSError):
                            s.send(b"a")

            def answers():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    return d.ask("/healthz")[0] == 200
                return False

            dripping = threading.Thread(target=drip, daemon=True)
            dripping.start()
            poll_until(answers, "an answer beside 150 slow clients", 60)
            over.set()
            dripping.join(30)
            print(f"150 slow clients: the next one was served after {time.monotonic() - start:.1f} s")
            for s in slow:
                s.close()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", d.port), timeout=20) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000_000)
                print("10 MB of headers:", s.recv(100).split(b"\r\n")[0])
            expect(d.ask("/healthz")[0] == 200, "no health after all that")
            memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{d.process.pid}/status").read_text()).group(1))
            print(f"the daemon's memory afterwards: {memory} KiB")
            expect(memory < 64 * 1024, f"{memory} KiB")
            expect("refused GET" in d.log.read_text(), "what was refused is not logged")
            d.stop()


def other_users():
    """Over a Unix socket root and the daemon's own user are answered; others are not, even if they can open it."""
    need("runuser", "curl")
    with workdir() as top:
        path = top / "gapscope.sock"
        with daemon(top, ["{service: ghost, name: gs-no-such-name}"], listen=f"unix:{path}") as d:
            curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", path, "http://localhost/api/v1/services"]
            expect(run(curl).stdout == b"200", "root is refused")
            expect(run(["runuser", "-u", "nobody", "--", *curl]).stdout == b"000", "the socket lets everybody in")
            path.chmod(0o666)
            expect(run(["runuser", "-u", "nobody", "--", *curl]).stdout == b"403", "another user is answered")
            d.stop()
        expect(not path.exists(), "the socket is left behind")


def confined():
    """With no more capabilities than the systemd unit leaves it, the daemon watches a service of another user."""
    need("setpriv")
    if os.geteuid() != 0:
        skip("only root can be confined so", can_run_here=False)
    unit = (ROOT / "deploy/systemd/gapscope.service").read_text()
    kept = re.search("^CapabilityBoundingSet=(.*)$", unit, re.M).group(1).lower().replace("cap_", "+").replace(" ", ",")
    with workdir() as top:
        program = top / "gs-confined"
        shutil.copy("/bin/sleep", program)
        top.chmod(0o755)
        service = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(program), "600"])
        try:
            with daemon(top, ["{service: other, name: gs-confined}"], before=["setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--no-new-privs"]) as d:
                poll_until(lambda: d.service("other")["report"] or "cannot" in d.log.read_text(), "the first report")
                expect(d.service("other")["summary"]["state"] == "watching", d.log.read_text())
                d.stop()
            expect(service.poll() is None, "the service did not survive")
        finally:
            service.kill()
            service.wait()


def bad_configuration():
    with workdir() as top:
        cases = (("port: 1\n", "serve.yaml:1: port: unknown key"), ("listen: 0.0.0.0:0\n", "set token_file"),
                 ("token_file: /nonexistent\n", "/nonexistent"), ("policy: /nonexistent\n", "/nonexistent"),
                 ("history: /nonexistent/h.db\n", "/nonexistent/h.db"), ("listen: unix:/nonexistent/s\n", "cannot listen on"),
                 ("watch: [{service: a}]\n", "one of name, port, unit, cgroup and label"))
        for text, message in cases:
            (top / "serve.yaml").write_text(text)
            done = run([GAPSCOPE, "serve", "--config", top / "serve.yaml"])
            expect(done.returncode == 2 and message in done.stderr.decode(), f"{text}: {done.returncode} {done.stderr.decode()}")
            expect(done.stderr.count(b"\n") == 1, f"more than one line: {done.stderr.decode()}")
        expect(run([GAPSCOPE, "serve"]).returncode == 2, "no configuration is fine")


def bpf_maps(newer_than=0):
    """Ids of the kernel's BPF maps; None where the kernel does not say."""
    libc = ctypes.CDLL(None, use_errno=True)
    ids, at = [], newer_than
    while True:
        attr = ctypes.create_string_buffer(struct.pack("=III", at, 0, 0), 64)
        if libc.syscall(BPF_SYSCALL[os.uname().machine], BPF_MAP_GET_NEXT_ID, attr, len(attr)) < 0:
            return ids if ctypes.get_errno() == errno.ENOENT else None
        at = struct.unpack_from("=II", attr)[1]
        ids.append(at)


def held_maps():
    """Ids of the maps that some process holds: those of other tests are no leak."""
    found = set()
    for info in pathlib.Path("/proc").glob("[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError, ValueError):
            found.update(int(i) for i in re.findall(r"^map_id:\s+(\d+)", info.read_text(), re.M))
    return found


class Lane:
    """One watched name: its targets come one after the other, each is killed as soon as its session watches it."""

    def __init__(self, program):
        self.program, self.name = program, program.name
        self.process, self.lives = None, 0

    def step(self, service, more):
        """What is next for it; more: whether there is another life to begin."""
        if self.process and service["state"] == "watching" and service["sessions"] > self.lives:
            self.process.kill()
            self.process.wait()
            self.process, self.lives = None, service["sessions"]
        elif not self.process and more and service["state"] != "watching":
            self.process = subprocess.Popen([str(self.program), "600"], stdin=subprocess.DEVNULL)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def churn():
    """Targets come and go, those of the shim and those of the probes: the daemon's memory and descriptors, and the kernel's maps, end where they began."""
    with workdir() as top:
        lanes = []
        for i in range(CHURN_LANES):
            program = top / f"gs-churn-{i}"
            shutil.copy("/bin/sleep", program)
            lanes.append(Lane(program))
        maps_before = bpf_maps()
        if maps_before is not None and shutil.which("musl-gcc"):
            source = top / "still.c"
            source.write_text("#include <unistd.h>\nint main(void) { for (;;) usleep(20000); }\n")
            checked(["musl-gcc", "-static", "-o", top / "gs-churn-static", source])
            lanes.append(Lane(top / "gs-churn-static"))
        try:
            with daemon(top, [f"{{service: {lane.name}, name: {lane.name}}}" for lane in lanes]) as d:
                here = pathlib.Path(f"/proc/{d.process.pid}")

                def size():
                    return len(list((here / "fd").iterdir())), int(re.search(r"VmRSS:\s+(\d+)", (here / "status").read_text()).group(1))

                def until(n):
                    """Lives are begun until n have been; then the last ones end."""
                    end = time.monotonic() + 60 + n
                    while True:
                        known = {s["name"]: s for s in json.loads(d.ask("/api/v1/services")[1])["services"]}
                        begun = sum(lane.lives + bool(lane.process) for lane in lanes)
                        for lane in lanes:
                            idle = lane.process is None
                            lane.step(known[lane.name], begun < n)
                            begun += idle and lane.process is not None
                        if begun >= n and not any(lane.process for lane in lanes):
                            break
                        expect(time.monotonic() < end, f"only {begun} of {n} targets: {d.log.read_text()[-500:]}")
                        time.sleep(0.02)
                    poll_until(lambda: not d.sessions(), "the end of the sessions")

                until(len(lanes) * 2)
                first, start = size(), time.monotonic()
                until(len(lanes) * 2 + CHURN)
                poll_until(lambda: size()[0] <= first[0], "as few descriptors as in the beginning")
                last = size()
                print(f"{sum(lane.lives for lane in lanes)} targets came and went, {CHURN} of them in {time.monotonic() - start:.0f} s: "
                      f"descriptors {first[0]} then {last[0]}, memory {first[1]} then {last[1]} KiB")
                expect(last[1] <= first[1] * 1.2 + 512, "memory grew")
                d.stop()
        finally:
            for lane in lanes:
                lane.kill()
        if maps_before is None:
            print("the kernel tells no maps: theirs was not looked at")
            return
        newest = max(maps_before, default=0)
        poll_until(lambda: not set(bpf_maps(newest)) - held_maps(), "no map of the kernel's is left that nobody holds")
        static = lanes[-1].lives if lanes[-1].name.endswith("static") else 0
        print(f"maps of the kernel: none is left of the {static} sessions with probes")


@contextlib.contextmanager
def container(labels):
    """A cgroup and a description as Docker makes them; a function that puts a process into it."""
    number = secrets.token_hex(32)
    roots = [r for r in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/systemd") if os.access(f"{r}/cgroup.procs", os.W_OK)]
    if not roots:
        skip("no cgroup can be made", can_run_here=False)
    group, described = pathlib.Path(f"{roots[0]}/docker-{number}.scope"), pathlib.Path(f"/var/lib/docker/containers/{number}")
    made = [p for p in (described, *described.parents) if not p.exists()]
    try:
        try:
            group.mkdir()
            described.mkdir(parents=True)
        except OSError as e:
            skip(f"no cgroup can be made: {e}", can_run_here=False)
        (described / "config.v2.json").write_text(json.dumps({"ID": number, "Config": {"Labels": labels}}))
        yield lambda pid: (group / "cgroup.procs").write_text(str(pid))
    finally:
        shutil.rmtree(described, ignore_errors=True)
        for p in made[1:]:
            with contextlib.suppress(OSError):
                p.rmdir()
        with contextlib.suppress(OSError):
            poll_until(lambda: not (group / "cgroup.procs").read_text(), "the end of the container's processes")
            group.rmdir()


def label():
    """A service is found by its container's label, also one that another rule's label does not fit."""
    name = f"cart-{secrets.token_hex(4)}"
    with workdir() as top, container({"com.docker.compose.service": name}) as put:
        service = subprocess.Popen(["/bin/sleep", "600"])
        try:
            put(service.pid)
            with daemon(top, [f"{{service: cart, label: com.docker.compose.service={name}}}", f"{{service: other, label: com.docker.compose.service={name}x}}"]) as d:
                poll_until(lambda: d.service("cart")["summary"]["state"] == "watching" and d.service("cart")["report"], "the session of the container")
                expect(d.service("other")["summary"]["state"] == "waiting", "a label that does not fit is found")
                service.kill()
                service.wait()
                poll_until(lambda: d.service("cart")["summary"]["state"] == "ended", "the session's end")
                d.stop()
            done = run([GAPSCOPE, "attach", "--label", f"com.docker.compose.service={name}"])
            expect(done.returncode == 2 and name in done.stderr.decode(), f"nobody is there: {done.returncode} {done.stderr.decode()}")
        finally:
            service.kill()
            service.wait()


def chromium(top, *words):
    return run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={top}/chromium", "--hide-scrollbars",
                "--enable-logging=stderr", "--virtual-time-budget=5000", *words], env=clean_env({"HOME": str(top)}))


SHOWN = ("deadline.response.missing", "Readiness", "Mend first", "and no bound", "Dependencies", "What this cannot speak of", "Rates and latency",
         "requests served", "call-site stack", "What watching cost", "phase by phase")


def looked_at(top, name, url, widths):
    """The page as text and in pictures: it says everything, in light and dark and on a telephone, without a complaint and without asking anybody else."""
    dom = chromium(top, "--dump-dom", url).stdout.decode()
    body = re.sub(r"(?s)<script.*?</script>|<style.*?</style>", "", dom)
    for text in SHOWN:
        expect(text in body, f"{name}: '{text}' is not on the page")
    expect("[object" not in body and "undefined" not in body and "NaN" not in body, f"{name}: something is shown that is no text")
    for kind, width, more in widths:
        shot = ARTEFACTS / f"{name}-{kind}.png"
        shot.unlink(missing_ok=True)
        log = top / "net.json"
        done = chromium(top, f"--window-size={width},2400", f"--screenshot={shot}", f"--log-net-log={log}", *more, url)
        expect(shot.exists() and shot.stat().st_size > 5000, f"no picture {shot}: {done.stderr.decode()[-500:]}")
        errors = [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line]
        expect(not errors, f"{name}: the page complains: {errors[:3]}")
        asked = set(re.findall(r'"url":"(https?://[^"/]*)', log.read_text()))
        asked = {a for a in asked if not re.search(r"//(127\.0\.0\.1|[a-z0-9.-]*\.(google|googleapis|gvt1|gstatic)\.com|[a-z]+$)", a)}  # the browser's own
        expect(not asked, f"{name}: somebody else was asked: {asked}")


WIDTHS = (("light", 1200, ()), ("phone", 500, ()), ("dark", 1200, ("--force-dark-mode", "--enable-features=WebContentsForceDark:0")))


def narrow(top, name, url):
    """At 375 px nothing is wider than the window but what scrolls by itself; every control is reached with Tab. (Headless windows are 500 px wide at
    least, so the page is looked at in a frame of a page of ours, on the same address.)"""
    frame = top / "frame.html"
    frame.write_text(f"""<!DOCTYPE html><iframe id=f src="{url}" style="width:375px;height:800px;border:0"></iframe><pre id=out></pre><script>
onload = () => setTimeout(() => {{ const d = f.contentDocument, e = d.documentElement;
out.textContent = JSON.stringify({{wide: e.scrollWidth, seen: e.clientWidth,
stops: [...d.querySelectorAll("a, summary, [tabindex='0']")].filter(x => x.tabIndex < 0).length, details: d.querySelectorAll("summary").length}}); }}, 1500);</script>""")
    dom = chromium(top, "--dump-dom", "--allow-file-access-from-files", frame.as_uri()).stdout.decode()
    seen = json.loads(re.search(r"<pre id=\"?out\"?>(.*?)</pre>", dom).group(1) or "{}")
    print(f"{name} at 375 px: {seen}")
    expect(seen and seen["seen"] == 375 and seen["wide"] <= 375, f"{name}: wider than a telephone: {seen}")
    expect(seen["stops"] == 0 and seen["details"] > 0, f"{name}: not all is reached by keyboard: {seen}")


def page():
    """The dashboard in Chromium: it shows the finding, at a telephone's width too, in light and dark, and asks nobody else."""
    need("chromium")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with workdir() as top, services(top, "no_timeout") as (stable, canary):
        rules = [f"{{service: stable, port: {port_of(stable)}}}", f"{{service: canary, port: {port_of(canary)}}}"]
        with daemon(top, rules) as d:
            load = Load([port_of(stable), port_of(canary)])
            poll_until(lambda: any(f["rule"] == "deadline.response.missing" for f in (d.service("canary")["report"] or {"findings": []})["findings"]),
                       "the finding")
            load.stop()

            url = f"http://127.0.0.1:{d.port}/"
            looked_at(top, "dashboard", url + "#service/canary", WIDTHS)
            listed = chromium(top, "--dump-dom", url).stdout.decode()
            expect("canary" in listed and "stable" in listed, "the list does not name the services")
            expect(listed.count('class="gate"') == 2, "the list does not say what the gate says")
            chromium(top, "--window-size=1200,900", f"--screenshot={ARTEFACTS / 'dashboard-list.png'}", url)
            (top / "report.json").write_text(json.dumps(d.service("canary")["report"]))
            (top / "report.html").write_bytes(checked([GAPSCOPE, "report", "--format", "html", top / "report.json"]))
            looked_at(top, "report", (top / "report.html").as_uri(), WIDTHS[1:2])
            narrow(top, "report", (top / "report.html").as_uri())
            print(f"pictures in {ARTEFACTS}")
            d.stop()


CASES = {"serve_watches": watches, "serve_killed": killed, "serve_hostile": hostile, "serve_other_users": other_users, "serve_confined": confined,
         "serve_bad_configuration": bad_configuration, "serve_churn": churn, "serve_label": label, "serve_page": page}

if __name__ == "__main__":
    main(CASES)
