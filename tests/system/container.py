"""`gapscope attach` from outside on what runs in a container: pid and mount namespaces of its own, where the shim's file is not to be seen.

usage: container.py CASE
"""
import http.client
import os
import shlex
import subprocess
import sys

import attach
import gs

# pid 1 of its namespace, with a /proc of its own, that cannot see the library that is put into it.
INSIDE = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child", "sh", "-c"]

# As container engines do: a seccomp filter, here one that allows all. The shim may not go in there; probes in the kernel can watch.
FILTERED = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
allow = ctypes.create_string_buffer(bytes([6, 0, 0, 0, 0, 0, 255, 127]))
program = ctypes.create_string_buffer(bytes([1, 0, 0, 0, 0, 0, 0, 0]) + ctypes.addressof(allow).to_bytes(8, 'little'))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""

# A process a request; the third of each ten execs another program, as a CGI script would.
FORKING = """
import http.server, os, socketserver, subprocess
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith('3'): subprocess.run(['true'], check=True)
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok')
    def log_message(self, *_): pass
class Server(socketserver.ForkingMixIn, http.server.HTTPServer): pass
server = Server(('127.0.0.1', 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
"""


def hidden(*command):
    """The words that run command in there."""
    return [*INSIDE, f"mount -t tmpfs none {shlex.quote(str(gs.BUILD / 'preload'))} && exec \"$0\" \"$@\"", *command]


def first_process(unshare):
    """By its number out here, once it has become the program."""
    pid = attach.children(unshare.pid)[0]
    gs.poll_until(lambda: not os.readlink(f"/proc/{pid}/exe").endswith(("sh", "bash", "unshare")), "it is the program")
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        gs.expect("NSpid:\t%d\t1\n" % pid in status.read(), "it is pid 1 in there")
    return pid


def findings_inside(*before):
    """The careless shop in a container, behind the words `before`: the findings that `run` has of it out here."""
    drive, shop = attach.build_path("demo/drive"), attach.build_path("demo/shop_careless")
    found = {}
    with gs.workdir() as top:
        gs.checked([drive, "--log", top / "log", "python3", gs.HERE / "attach_shop.py", "--child", gs.GAPSCOPE, top / "inside.json",
                    *hidden(*before, shop)])
        gs.checked([drive, "--log", top / "log", gs.GAPSCOPE, "run", "--quiet", "--service", "shop", "--report", top / "run.json", "--", shop])
        for way in ("inside", "run"):
            report = gs.read_report(top / f"{way}.json")
            gs.expect(report["loss"]["lost"] == 0, f"{way}: records were lost")
            found[way] = sorted({(f["rule"], f["fingerprint"]) for f in report["findings"]})
    print(f"    {len(found['run'])} findings out here, {len(found['inside'])} in the container")
    gs.expect(found["run"] and found["run"] == found["inside"], f"{found['run']} != {found['inside']}")


def same_findings():
    findings_inside()


def filtered():
    findings_inside("/usr/bin/python3", "-c", FILTERED)


def forking():
    """Each request in a process of its own: all are seen, and all are the service's."""
    rounds = 60
    with gs.workdir() as top, attach.program(*hidden("/usr/bin/python3", "-c", FORKING), stdout=subprocess.PIPE, text=True) as service:
        port = int(service.stdout.readline())
        pid = first_process(service)
        before = attach.state(pid)
        watcher, _ = attach.attach(pid, report=top / "report.json")
        for i in range(rounds):
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            c.request("GET", f"/{i}")
            gs.expect(c.getresponse().read() == b"ok", "answered")
            c.close()
        attach.leave(watcher)
        gs.expect(attach.state(pid) == before, f"left as it was: {before} became {attach.state(pid)}")
        report = gs.read_report(top / "report.json")
        served = sum(t["requests"] for t in report["traffic"] if t["direction"] == "server")
        print(f"    {rounds} requests, {served} seen; loss: {report['loss']}")
        gs.expect(served == rounds and report["loss"]["lost"] == 0, f"all requests: {report['traffic']}")


# At /exec it goes on to what its first word says, by another program of the same kind that has one more answer in it.
GOING_ON = """
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok'); self.wfile.flush()
        if self.path == '/exec':
            server.socket.close()
            os.execv(sys.executable, [sys.executable, '-c', sys.argv[1], sys.argv[1], str(server.server_port)])
    def log_message(self, *_): pass
server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[2])), Answer)
print(server.server_port, flush=True)
server.serve_forever()
"""


def going_on(*before):
    """A service that execs its next version: that is seen, too, or it is said that it was not."""
    rounds = 10
    with gs.workdir() as top, attach.program(*hidden(*before, "/usr/bin/python3", "-c", GOING_ON, GOING_ON, "0"), stdout=subprocess.PIPE,
                                             text=True) as service:
        port = int(service.stdout.readline())
        pid = first_process(service)
        watcher, held = attach.attach(pid, report=top / "report.json")

        def ask(path):
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            c.request("GET", path)
            gs.expect(c.getresponse().read() == b"ok", "answered")
            c.close()

        for _ in range(rounds):
            ask("/before")
        ask("/exec")
        gs.expect(int(service.stdout.readline()) == port, "the next one listens at the same port")
        if held:  # by the shim, which must enter again
            gs.expect("watching process" in watcher.stderr.readline(), "entered again")
        for _ in range(rounds):
            ask("/after")
        attach.leave(watcher)
        report = gs.read_report(top / "report.json")
        served = sum(t["requests"] for t in report["traffic"] if t["direction"] == "server")
        print(f"    {2 * rounds + 1} requests, {served} seen {'by the shim' if held else 'by probes'}; {report['not_exercised']}")
        gs.expect(served == 2 * rounds + 1, "the requests to both")
        gs.expect(not held or any("what it did at first was not seen" in text for text in report["not_exercised"]), "the gap is told")


def followed():
    going_on()
    going_on("/usr/bin/python3", "-c", FILTERED)


CASES = {"container_same_findings": same_findings, "container_filtered": filtered, "container_forking": forking, "container_followed": followed}

if __name__ == "__main__":
    if os.getuid() != 0:
        gs.skip("namespaces are root's", can_run_here=False)
    gs.main(CASES)
