"""The loggers that services use, as their documents set them up: pino and winston, log4j2 and logback, structlog, slog and zap, and rsyslog as
the daemon that takes what others log. Each writes the same value, which has to be found at the sink it goes to, with the line's level."""
import fcntl
import os
import pathlib
import subprocess
import sys

import gs
from log_sinks import CARD, SYSLOG, compiled, expect_sink, in_namespace, watched

PYTHON = str(gs.ROOT / "build" / "venv" / "bin" / "python3")
PROGRAMS = gs.HERE / "programs"
JARS = pathlib.Path("/usr/share/java")


def node():
    """pino to stdout (its own stream, in one write and many) and to a file in a worker's thread; winston to a file and to the console."""
    modules = [gs.npm_package(*package) for package in (("pino", "9.5.0"), ("winston", "3.17.0"))]
    with gs.workdir() as top:
        env = gs.clean_env({"NODE_PATH": os.pathsep.join(str(m) for m in modules), "CARD": CARD})
        report = watched(top, ["node", PROGRAMS / "pino_logger.js"], "pino", cwd=top, env=env)
        expect_sink(report, "stdout", 3, "pino to stdout", "WARN")
        expect_sink(report, "pino.log", 3, "pino's transport to a file", "ERROR")
        report = watched(top, ["node", PROGRAMS / "winston_logger.js"], "winston", cwd=top, env=env)
        expect_sink(report, "winston.log", 3, "winston's file", "WARN")
        expect_sink(report, "stdout", 3, "winston's console", "WARN")


LOG4J2 = """<Configuration><Appenders>
<File name="F" fileName="log4j2.log"><PatternLayout pattern="%d %p [%t] %c - %m%n"/></File>
<RandomAccessFile name="R" fileName="random.log" immediateFlush="false"><PatternLayout pattern="%d %p %m%n"/></RandomAccessFile>
<Console name="C" target="SYSTEM_OUT"><PatternLayout pattern="%p %m%n"/></Console>
</Appenders><Loggers><Root level="info"><AppenderRef ref="F"/><AppenderRef ref="R"/><AppenderRef ref="C"/></Root></Loggers></Configuration>
"""

LOGBACK = """<configuration>
<appender name="F" class="ch.qos.logback.core.FileAppender"><file>logback.log</file><encoder><pattern>%d %-5level %logger - %msg%n</pattern></encoder></appender>
<appender name="A" class="ch.qos.logback.classic.AsyncAppender"><appender-ref ref="F"/></appender>
<root level="info"><appender-ref ref="A"/></root>
</configuration>
"""


def java():
    """log4j2 to a file, to a file through its own buffer, and to the console; logback to a file from a thread of its own."""
    gs.need("javac")
    jars = {name: JARS / f"{name}.jar" for name in ("log4j-api", "log4j-core", "slf4j-api", "logback-classic", "logback-core")}
    lost = [str(j) for j in jars.values() if not j.exists()]
    if lost:
        gs.skip(f"no {', '.join(lost)}")
    path = os.pathsep.join(str(j) for j in jars.values())
    with gs.workdir() as top:
        (top / "log4j2.xml").write_text(LOG4J2, encoding="utf-8")
        (top / "logback.xml").write_text(LOGBACK, encoding="utf-8")
        gs.checked(["javac", "-cp", path, "-d", top, PROGRAMS / "JavaLoggers.java"], timeout=300)
        report = watched(top, ["java", "-cp", f"{path}{os.pathsep}{top}", "JavaLoggers", CARD], cwd=top, timeout=300)
        expect_sink(report, "log4j2.log", 3, "log4j2 to a file", "WARN")
        expect_sink(report, "random.log", 3, "log4j2 through its own buffer", "WARN")
        expect_sink(report, "stdout", 3, "log4j2 to the console", "WARN")
        expect_sink(report, "logback.log", 3, "logback from a thread of its own", "ERROR")


STRUCTLOG = f"""
import logging, structlog
log = structlog.get_logger()
for _ in range(3): log.warning("declined", card="{CARD}")
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
                    logger_factory=structlog.WriteLoggerFactory(file=open("structlog.log", "a")))
for _ in range(3): structlog.get_logger().error("declined", card="{CARD}")
"""


def python():
    """structlog to the console, with its colours within the line, and as JSON to a file."""
    if subprocess.run([PYTHON, "-c", "import structlog"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        gs.skip("structlog is not in build/venv (tests/requirements.txt)")
    with gs.workdir() as top:
        report = watched(top, [PYTHON, "-c", STRUCTLOG], cwd=top,
                         env=gs.clean_env({"FORCE_COLOR": "1"}))
        expect_sink(report, "stdout", 3, "structlog's console", "WARN")
        expect_sink(report, "structlog.log", 3, "structlog's JSON", "ERROR")


def go():
    """slog to stdout and a file, zap to a file: what a Go program writes is seen by probes."""
    if os.getuid() != 0:
        gs.skip("only root can load probes", can_run_here=False)
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        gs.skip("the kernel does not tell its types (BTF)", can_run_here=False)
    program = gs.go_program("Go's loggers are NOT tested")
    source, out = gs.HERE / "ebpf" / "loggers", gs.CACHE / "go-loggers"
    gs.CACHE.mkdir(parents=True, exist_ok=True)
    with open(gs.CACHE / "go-loggers.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        gs.checked([program, "build", "-o", out, "."], cwd=source, timeout=800)
    with gs.workdir() as top:
        report = watched(top, [out, CARD], cwd=top)
        expect_sink(report, "stdout", 3, "slog to stdout", "WARN")
        expect_sink(report, "slog.log", 3, "slog to a file", "WARN")
        expect_sink(report, "zap.log", 3, "zap to a file", "ERROR")


RSYSLOG = """
module(load="imuxsock" SysSock.Name="{top}/dev/log" SysSock.Use="on" SysSock.RateLimit.Interval="0")
$WorkDirectory {top}
*.* action(type="omfile" file="{top}/messages.log" flushOnTXEnd="on")
"""


def rsyslog():
    """A program logs by syslog(3) to a watched rsyslogd, which writes it to its file: the value is at both sinks."""
    gs.need("rsyslogd", "unshare")
    with gs.workdir() as top:
        program, dev = compiled(top, SYSLOG.replace("CARD", CARD)), top / "dev"
        dev.mkdir()
        for name in ("null", "urandom"):
            (dev / name).touch()
        (top / "rsyslog.conf").write_text(RSYSLOG.format(top=top), encoding="utf-8")
        report = top / "daemon.json"
        with open(top / "daemon.out", "wb") as out:
            daemon = subprocess.Popen([str(c) for c in [*gs.watch(report), "rsyslogd", "-n", "-f", top / "rsyslog.conf", "-i", top / "pid"]],
                                      stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=gs.clean_env())
        try:
            gs.poll_until(lambda: (dev / "log").is_socket(), "rsyslogd took its socket")
            mounts = [(dev / "null", "/dev/null"), (dev / "urandom", "/dev/urandom"), ("/dev", dev)]
            expect_sink(watched(top, in_namespace(mounts, [program])), "syslog", 3, "syslog(3) to rsyslog", "WARN")
            messages = top / "messages.log"
            gs.poll_until(lambda: messages.exists() and messages.read_text(encoding="utf-8").count(CARD) == 3, "rsyslogd wrote three lines")
        finally:
            daemon.terminate()
            daemon.wait(gs.LIMIT_S)
        expect_sink(gs.is_watched(report), "messages.log", 3, "rsyslogd's own file")


CASES = {"logger_node": node, "logger_java": java, "logger_python": python, "logger_go": go, "logger_rsyslog": rsyslog}

if __name__ == "__main__":
    sys.exit(gs.main(CASES))
