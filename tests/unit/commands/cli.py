#!/usr/bin/env python3
"""The commands as a user meets them: status, signals, streams, reports. Every wait is for an event, with a limit.

usage: cli.py BUILD_DIR
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.getcwd()
GAPSCOPE = os.path.join(BUILD, "gapscope")
LIMIT = 30


def gapscope(*words, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([GAPSCOPE, *words], capture_output=True, text=True, timeout=LIMIT, check=False, **more)


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="gapscope-cli.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def path(self, name):
        return str(self.folder / name)

    def report(self, name="r.json"):
        return json.loads((self.folder / name).read_text())


class Run(Folder):
    def test_status_is_the_programs(self):
        for script, status in (("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)):
            self.assertEqual(gapscope("run", "--quiet", "--", "sh", "-c", script).returncode, status, script)

    def test_what_a_program_lacks_is_named(self):
        script, part = pathlib.Path(self.path("script")), pathlib.Path(self.path("part"))
        script.write_text("#!/no/such/interpreter\n")
        part.write_bytes(pathlib.Path("/bin/true").resolve().read_bytes()[:100])
        for program, says in ((script, "/no/such/interpreter is not there"), (part, "no program for this machine")):
            program.chmod(0o755)
            done = gapscope("run", "--quiet", "--", str(program))
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr.splitlines()[-1])

    def test_streams_are_untouched(self):
        done = gapscope("run", "--quiet", "--", "sh", "-c", "cat; echo out; echo err >&2", stdin=None, input="in\n")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("in\nout\n", "err\n", 0))

    def test_text_report_goes_to_stderr(self):
        done = gapscope("run", "--", "true")
        self.assertEqual(done.stdout, "")
        self.assertIn("no findings", done.stderr)

    def test_only_two_names_are_added_to_the_environment(self):
        bare = subprocess.run(["env"], capture_output=True, text=True, check=True, timeout=LIMIT).stdout
        seen = gapscope("run", "--quiet", "--", "env").stdout
        names = lambda text: {line.split("=", 1)[0] for line in text.splitlines()} - {"_"}
        self.assertEqual(names(seen) - names(bare), {"LD_PRELOAD", "GAPSCOPE_SESSION"})

    def test_joins_an_existing_preload(self):
        done = gapscope("run", "--quiet", "--", "sh", "-c", "echo $LD_PRELOAD", env={**os.environ, "LD_PRELOAD": "libm.so.6"})
        self.assertRegex(done.stdout, r"^libm\.so\.6:/.*/libgapscope\.so\n$")

    def test_descriptors_are_those_of_a_bare_run(self):
        script = "ls -l /proc/self/fd | wc -l"
        bare = subprocess.run(["sh", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True, timeout=LIMIT)
        self.assertEqual(gapscope("run", "--quiet", "--", "sh", "-c", script).stdout, bare.stdout)

    def test_words_behind_the_dashes_are_the_programs(self):
        self.assertEqual(gapscope("run", "--quiet", "--", "printf", "%s ", "--help", "--report", "x").stdout, "--help --report x ")
        self.assertEqual(gapscope("run", "--quiet", "printf", "%s", "--help").stdout, "--help")

    def test_missing_and_unreadable_programs(self):
        (self.folder / "plain").write_text("x")
        for program in ("gapscope-no-such", "/nonexistent/x", self.path("plain"), "/tmp"):
            done = gapscope("run", "--", program)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), program)
            self.assertTrue(done.stderr.startswith("gapscope: "), done.stderr)

    def test_bad_flags_start_nothing(self):
        mark = self.path("mark")
        for words in (["--nope"], ["--rings", "0"], ["--export", "nope"], ["--report", "/nonexistent/r"], ["--record", "/nonexistent/r"],
                      ["--config", "/nonexistent/c"]):
            done = gapscope("run", *words, "--", "touch", mark)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), (words, done.stderr))
            self.assertFalse(os.path.exists(mark), words)

    def test_unknown_key_names_file_line_and_key(self):
        (self.folder / "c.yaml").write_text("service: a\ncolour: red\n")
        done = gapscope("run", "--config", self.path("c.yaml"), "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{self.path('c.yaml')}:2: colour:", done.stderr)

    def test_service_name(self):
        names = ([], {}, "true"), ([], {"OTEL_SERVICE_NAME": "e"}, "e"), (["--service", "f"], {"OTEL_SERVICE_NAME": "e"}, "f")
        for words, env, name in names:
            gapscope("run", "--report", self.path("r.json"), *words, "--", "true", env={**os.environ, **env})
            self.assertEqual(self.report()["service"]["name"], name)

    def test_children_stay_watched(self):
        gapscope("run", "--report", self.path("r.json"), "--", "sh", "-c", "sh -c 'sh -c true; exit 0'; exit 0")
        one = self.report()["loss"]["published"]
        gapscope("run", "--report", self.path("r.json"), "--", "sh", "-c", "exit 0")
        self.assertGreater(one, self.report()["loss"]["published"])

    def test_static_program_runs_and_is_said_to_be_unwatched(self):
        (self.folder / "s.c").write_text("int main(void){return 4;}")
        subprocess.run(["cc", "-static", "-o", self.path("s"), self.path("s.c")], check=True, timeout=LIMIT)
        done = gapscope("run", "--report", self.path("r.json"), "--record", self.path("rec"), "--", self.path("s"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("statically linked", done.stderr)
        self.assertTrue(any("statically linked" in n for n in self.report()["not_exercised"]))
        gapscope("replay", "--report", self.path("again.json"), self.path("rec"))
        self.assertEqual(self.report(), self.report("again.json"))

    def test_end_comes_soon_after_the_programs(self):
        times = []
        for _ in range(5):
            start = time.monotonic()
            gapscope("run", "--quiet", "--report", self.path("r.json"), "--", "true")
            times.append(time.monotonic() - start)
        print(f"run of true: {min(times) * 1000:.0f} ms at best", file=sys.stderr)
        self.assertLess(min(times), 0.5)


# A service that says "ready" and its pid, then what it is sent; SIGALRM ends it with 40 + the number of signals.
SERVICE = """
import os, signal, sys
wanted = {getattr(signal, "SIG" + n) for n in sys.argv[1:]} | {signal.SIGALRM}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print("ready", flush=True)
print(os.getpid(), flush=True)
n = 0
while (s := signal.sigwait(wanted)) != signal.SIGALRM:
    n += 1
    print("got", signal.Signals(s).name, flush=True)
sys.exit(40 + n)
"""


class Signals(Folder):
    def start(self, *signals):
        p = subprocess.Popen([GAPSCOPE, "run", "--report", self.path("r.json"), "--", sys.executable, "-c", SERVICE, *signals],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(p.stderr.close)
        self.addCleanup(p.stdout.close)
        self.addCleanup(lambda: p.poll() is None and p.kill())
        self.assertEqual(p.stdout.readline(), "ready\n")
        self.service = int(p.stdout.readline())
        return p

    def test_signals_reach_the_service_once(self):
        for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH"):
            p = self.start(name)
            p.send_signal(getattr(signal, "SIG" + name))
            self.assertEqual(p.stdout.readline(), f"got SIG{name}\n")
            p.send_signal(signal.SIGALRM)
            self.assertEqual(p.wait(LIMIT), 41, name)

    def test_ended_by_a_signal(self):
        p = self.start()
        p.terminate()
        self.assertEqual(p.wait(LIMIT), 143)
        self.assertEqual(self.report()["schema"], "gapscope.report/1")

    def test_report_within_two_seconds_of_sigterm(self):
        p = self.start("TERM")
        start = time.monotonic()
        p.terminate()
        self.assertEqual(p.stdout.readline(), "got SIGTERM\n")
        while not os.path.exists(self.path("r.json")) and time.monotonic() - start < 5:
            time.sleep(0.01)
        took = time.monotonic() - start
        print(f"report {took:.2f} s after SIGTERM", file=sys.stderr)
        self.assertLess(took, 2)
        first = self.report()
        self.assertIsNone(p.poll())
        p.send_signal(signal.SIGALRM)
        self.assertEqual(p.wait(LIMIT), 41)
        self.assertGreaterEqual(self.report()["loss"]["published"], first["loss"]["published"])

    def test_killed_agent_leaves_the_service_alone(self):
        p = self.start("USR1")
        p.kill()
        p.wait(LIMIT)
        os.kill(self.service, signal.SIGUSR1)
        self.assertEqual(p.stdout.readline(), "got SIGUSR1\n")
        os.kill(self.service, signal.SIGALRM)
        self.assertEqual(p.stdout.read(), "")

    def test_nohup_stays(self):
        p = subprocess.Popen(["nohup", GAPSCOPE, "run", "--quiet", "--", "sh", "-c", "echo ready; read line; echo $line"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertEqual(p.stdout.readline(), "ready\n")
        p.send_signal(signal.SIGHUP)
        out, _ = p.communicate("still here\n", timeout=LIMIT)
        self.assertEqual((out, p.returncode), ("still here\n", 0))


class Reports(Folder):
    def test_replay_is_the_same_report(self):
        gapscope("run", "--report", self.path("r.json"), "--record", self.path("rec"), "--", "sh", "-c",
                 "echo password=Xk29vLq8wz; ls / | wc -l")
        done = gapscope("replay", "--report", self.path("again.json"), self.path("rec"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "r.json").read_bytes(), (self.folder / "again.json").read_bytes())
        self.assertNotIn(b"Xk29vLq8wz", (self.folder / "rec").read_bytes() + (self.folder / "r.json").read_bytes())

    def test_a_report_in_every_format(self):
        gapscope("run", "--report", self.path("r.json"), "--", "true")
        for name, opening in (("text", "true: "), ("json", "{"), ("html", "<!"), ("sarif", "{"), ("junit", "<?xml")):
            done = gapscope("report", "--format", name, self.path("r.json"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.lstrip().startswith(opening), (name, done.stdout[:80]))
        self.assertEqual(gapscope("report", self.path("r.json"), self.path("r.json")).returncode, 0)

    def test_bad_reports_and_recordings(self):
        (self.folder / "bad").write_text("{}")
        for words in (["report"], ["report", self.path("bad")], ["report", "/nonexistent"], ["report", "--format", "xml", self.path("bad")],
                      ["replay"], ["replay", self.path("bad")], ["replay", "/nonexistent"], ["replay", "a", "b"]):
            done = gapscope(*words)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), (words, done.stderr))


class Others(unittest.TestCase):
    def test_help(self):
        done = gapscope("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("run", "replay", "report", "scan", "list", "doctor", "help", "man"):
            self.assertIn(f"gapscope {command} ", done.stdout)
            one = gapscope(command, "--help")
            self.assertEqual((one.returncode, one.stdout), (0, gapscope("help", command).stdout))
        self.assertEqual(gapscope().returncode, 2)
        self.assertEqual(gapscope("nope").returncode, 2)
        self.assertEqual(gapscope("help", "nope").returncode, 2)
        self.assertRegex(gapscope("--version").stdout, r"^gapscope \d+\.\d+\.\d+\n$")

    def test_list(self):
        everything = gapscope("list").stdout
        for kind, word in (("commands", "doctor"), ("detectors", "retry.unbounded"), ("protocols", "http"), ("exporters", "otlp"),
                           ("events", "CONNECT"), ("hooks", "recvfrom"), ("losses", "ring_full"), ("entities", "CREDIT_CARD"),
                           ("formats", "sarif")):
            done = gapscope("list", kind)
            self.assertEqual(done.returncode, 0)
            self.assertIn(word, done.stdout)
            self.assertIn(done.stdout, everything)
        self.assertEqual(gapscope("list", "nope").returncode, 2)

    def test_doctor(self):
        done = gapscope("doctor", "sh")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("can be watched", done.stdout)
        self.assertEqual(gapscope("doctor", "gapscope-no-such").returncode, 1)

    def test_man_is_a_page(self):
        done = gapscope("man")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith(".TH GAPSCOPE 1"))
        self.assertIn("retry.unbounded", done.stdout)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([GAPSCOPE, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
