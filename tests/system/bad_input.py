"""What people get wrong: each gives one clear line on stderr that says what to do, status 2 where it is ours, and an unharmed service."""
import os
import pathlib
import subprocess

import gs

EXACTLY = gs.BUILD / "tests" / "system" / "system_exactly"


def one_line(done, *words, status=2):
    text = done.stderr.decode(errors="replace")
    print(f"  status {done.returncode}: {text.strip()}")
    gs.expect(done.returncode == status, f"status {done.returncode}, not {status}: {text}")
    gs.expect(text.endswith("\n") and text.count("\n") == 1, f"not one line: {text!r}")
    gs.expect(text.startswith("gapscope"), f"does not say who speaks: {text!r}")
    for word in words:
        gs.expect(str(word) in text, f"{word!r} is not in: {text!r}")


def missing_program():
    with gs.workdir() as top:
        one_line(gs.run([*gs.watch(top / "r"), "/no/such/program"]), "/no/such/program")
        one_line(gs.run([*gs.watch(top / "r"), "no-such-program-in-path"]), "no-such-program-in-path")
        one_line(gs.run([gs.GAPSCOPE, "run", "--quiet", "--"]))
        one_line(gs.run([gs.GAPSCOPE, "run", "--quiet", "--report", "/no/such/folder/r.json", "--", "true"]), "/no/such/folder")


def unreadable_program():
    with gs.workdir() as top:
        program = top / "program"
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o644)
        one_line(gs.run([*gs.watch(top / "r"), program]), program)
        program.write_bytes(b"\x7fELF" + bytes(100))
        program.chmod(0o755)
        one_line(gs.run([*gs.watch(top / "r"), program]), program)
        one_line(gs.run([*gs.watch(top / "r"), top]), top)
        program.write_text("#!/no/such/interpreter\n")
        one_line(gs.run([*gs.watch(top / "r"), program]), program)


def unknown_key():
    with gs.workdir() as top:
        config = top / "gapscope.yaml"
        ran = top / "ran"
        for text, line, key in (("quiet: true\nno_such_key: 5\n", 2, "no_such_key"), ("quiet: true\n\nrings: many\n", 3, "rings"),
                                ("quiet: [\n", None, ""), ("\t- : :\n", None, ""), ("- a\n- b\n", 1, "")):
            config.write_text(text)
            done = gs.run([gs.GAPSCOPE, "run", "--config", config, "--", "touch", ran])
            one_line(done, config, key)
            if line:
                gs.expect(f":{line}" in done.stderr.decode() or f"line {line}" in done.stderr.decode(), "the line is not named")
        one_line(gs.run([gs.GAPSCOPE, "run", "--config", top / "none.yaml", "--", "touch", ran]), "none.yaml")
        gs.expect(not ran.exists(), "the service was started although the configuration is wrong")


def bad_flags():
    one_line(gs.run([gs.GAPSCOPE, "run", "--no-such-flag", "--", "true"]), "--no-such-flag")
    one_line(gs.run([gs.GAPSCOPE, "no-such-command"]), "no-such-command")
    one_line(gs.run([gs.GAPSCOPE, "run", "--rings", "-5", "--", "true"]), "rings")
    one_line(gs.run([gs.GAPSCOPE, "run", "--export", "no-such-exporter", "--", "true"]), "no-such-exporter")
    one_line(gs.run([gs.GAPSCOPE, "replay", "/no/such/recording"]), "/no/such/recording")
    one_line(gs.run([gs.GAPSCOPE, "report", "/no/such/report"]), "/no/such/report")
    one_line(gs.run([gs.GAPSCOPE, "scan", "/no/such/file"]), "/no/such/file")


def refusing_endpoint():
    """Nobody listens at the endpoint: the service does not notice, and the end is not held up."""
    with gs.workdir() as top:
        env = gs.clean_env({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{gs.free_port()}", "OTEL_EXPORTER_OTLP_TIMEOUT": "2000"})
        done = gs.run([gs.GAPSCOPE, "run", "--report", top / "r.json", "--", "sh", "-c", "echo unharmed; exit 5"], env=env, timeout=30)
        print("  ", done.stderr.decode())
        gs.expect(done.returncode == 5 and done.stdout == b"unharmed\n", f"the service was harmed: {done}")
        gs.expect(0 < done.stderr.count(b"\n") <= 2 and b"127.0.0.1" in done.stderr, f"no clear word about the endpoint: {done.stderr}")
        gs.is_watched(top / "r.json")


def record(top, pings=20):
    recording = top / "recording"
    gs.checked([gs.GAPSCOPE, "run", "--quiet", "--report", top / "r.json", "--record", recording, "--", EXACTLY, str(pings), "2"])
    return recording


def truncated_recording():
    with gs.workdir() as top:
        whole = record(top).read_bytes()
        cut = top / "cut"
        lengths = sorted({*range(0, min(len(whole), 200)), *range(0, len(whole), max(1, len(whole) // 150)), len(whole) - 1})
        for length in lengths:
            cut.write_bytes(whole[:length])
            done = gs.run([gs.GAPSCOPE, "replay", cut, "--report", top / "out.json"])
            if done.returncode != 2 or done.stderr.count(b"\n") != 1 or b"cut" not in done.stderr:
                raise gs.Failure(f"cut at {length} of {len(whole)}: status {done.returncode}, {done.stderr}")
        gs.expect(not (top / "out.json").exists(), "a report was written of a truncated recording")
        print(f"  {len(lengths)} lengths of {len(whole)} bytes, each refused: {done.stderr.decode().strip()}")


def flipped_recording():
    with gs.workdir() as top:
        recording = record(top, 1)
        whole = bytearray(recording.read_bytes())
        flipped = top / "flipped"
        every = 1 if os.environ.get("GAPSCOPE_NIGHTLY") else max(1, len(whole) // 500)
        for at in range(0, len(whole), every):
            whole[at] ^= 1 << (at % 8)
            flipped.write_bytes(whole)
            whole[at] ^= 1 << (at % 8)
            done = subprocess.run([gs.GAPSCOPE, "replay", flipped, "--report", top / "out.json"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=gs.clean_env(), timeout=30, check=False)
            if done.returncode != 2 or done.stderr.count(b"\n") != 1 or b"flipped" not in done.stderr:
                raise gs.Failure(f"byte {at} of {len(whole)} flipped: status {done.returncode}, {done.stderr}")
        print(f"  every {every}th of {len(whole)} bytes flipped, each found: {done.stderr.decode().strip()}")


CASES = {f.__name__: f for f in (missing_program, unreadable_program, unknown_key, bad_flags, refusing_endpoint, truncated_recording,
                                 flipped_recording)}

if __name__ == "__main__":
    gs.main(CASES)
