"""The durable queue against kill -9 at random moments, with a receiver that is up, failing or gone: what was said to be safe arrives, and
nothing that arrives is garbage. (What was being sent when the agent died may arrive twice: OTLP has no ids for requests.)

GS_KILLS says how often (10; 100 in `tests/run nightly`); GS_SEED repeats a run."""
import collections
import json
import os
import random
import signal
import subprocess
import time

import otlp

otlp.need_proto()

import receivers  # noqa: E402

from otlp import gs  # noqa: E402

DRIVER = gs.BUILD / "tests" / "system" / "otlp" / "queue_driver"
KILLS = int(os.environ.get("GS_KILLS", "10"))
SEED = int(os.environ.get("GS_SEED", str(os.getpid())))
PUSHED = 1000000  # more than a run gets to


def killed_run(url, queue, first, after_s):
    """Runs the driver and kills it; returns how many of its spans were safe by then."""
    with subprocess.Popen([DRIVER, url, queue, str(first), str(PUSHED)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=gs.clean_env()) as p:
        line = p.stdout.readline()  # it is at work: from here on the clock runs
        gs.expect(line.startswith(b"safe "), f"the driver says {line!r}")
        os.set_blocking(p.stdout.fileno(), False)
        end, text = time.monotonic() + after_s, line
        while time.monotonic() < end:
            text += p.stdout.read() or b""
            time.sleep(0.002)  # the moment itself is what is random here
        p.send_signal(signal.SIGKILL)
        p.wait()
        os.set_blocking(p.stdout.fileno(), True)
        text += p.stdout.read()
    lines = [part for part in text.split(b"\n")[:-1] if part.startswith(b"safe ")]
    return int(lines[-1].split()[1])


def drain(url, queue):
    return json.loads(gs.checked([DRIVER, url, queue, "0", "0"]).splitlines()[-1])


def kills(top):
    rng = random.Random(SEED)
    state = {"mood": None}
    receiver = receivers.Http(lambda *_: rng.choice(["503", "reset", None]) if state["mood"] == "bad" else state["mood"])
    safe, first, queue = [], 0, f"{top}/queue,1024"  # MB: what is safe must all fit, else the oldest goes, as promised
    try:
        for _ in range(KILLS):
            state["mood"] = rng.choice([None, "503", "bad"])
            n = killed_run(receiver.url, queue, first, rng.uniform(0.0, 0.4))
            safe += range(first, first + n)
            first += PUSHED
        state["mood"] = None
        counts = drain(receiver.url, queue)
        # A drain has its time limit; the next one goes on where it ended.
        while counts["queued"] and counts["acknowledged"]:
            gs.expect(counts["acknowledged"] + counts["queued"] == counts["inherited"], f"{counts}")
            counts = drain(receiver.url, queue)
    finally:
        receiver.stop()
    gs.expect(counts["queued"] == 0 and counts["dropped"] == 0, f"the queue was not emptied: {counts}")
    gs.expect(counts["acknowledged"] == counts["inherited"], f"{counts}")
    gs.expect(not receiver.garbage, f"garbage was sent: {receiver.garbage[:3]}")
    got = collections.Counter(int(span.name[1:]) for span in receiver.items["traces"])
    lost = [n for n in safe if n not in got]
    gs.expect(not lost, f"seed {SEED}: {len(lost)} of {len(safe)} spans that were safe are lost, such as n{lost[:3]}")
    twice = sum(1 for n in got.values() if n > 1)
    print(f"{KILLS} kills: {len(safe)} spans were safe, none is lost; {len(got)} arrived, {twice} of them twice")


def outage(top):
    """Longer than any time limit, then a bounded queue: the oldest go, and are counted."""
    receiver = receivers.Http(lambda *_: "503")
    queue = f"{top}/small,1"  # 1 MB
    out = gs.checked([DRIVER, receiver.url, queue, "0", "30000"], env=gs.clean_env({"OTEL_EXPORTER_OTLP_TIMEOUT": "500"}))
    counts = json.loads(out.splitlines()[-1])
    receiver.stop()
    gs.expect(counts["produced"] == 30000 == counts["dropped"] + counts["kept"] and counts["dropped"] > 0 and counts["kept"] > 5000, f"{counts}")
    receiver = receivers.Http(lambda *_: None)
    # the queue is found by the destination's URL
    for name in os.listdir(f"{top}/small"):
        if name.endswith("-traces.db"):
            kept = name
    url_queue = f"{top}/small,1"
    probe = gs.checked([DRIVER, receiver.url, url_queue, "0", "0"])
    gs.expect(json.loads(probe.splitlines()[-1])["inherited"] == 0, "one destination's queue was given to another")
    for name in os.listdir(f"{top}/small"):
        if name.endswith("-traces.db") and name != kept:
            os.replace(f"{top}/small/{kept}", f"{top}/small/{name}")
    after = drain(receiver.url, url_queue)
    receiver.stop()
    numbers = sorted(int(s.name[1:]) for s in receiver.items["traces"])
    gs.expect(after["acknowledged"] == counts["kept"] == len(numbers), f"{after}, {len(numbers)} arrived")
    # at most the batch that was being sent is older than what was dropped
    gs.expect(numbers[-1] == 29999 and sum(1 for n in numbers if n < counts["dropped"]) <= 512, "not the oldest were dropped")
    print(f"an outage with a queue of 1 MB: {counts['dropped']} of 30000 dropped, oldest first, {counts['kept']} delivered later")


def full_disk(top):
    """A file system of 1 MB: what does not fit is sent from memory when it can be, counted when it cannot."""
    disk = top / "disk"
    disk.mkdir()
    if gs.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).returncode != 0:
        print("no tmpfs can be mounted here: the full disk is not tested")
        return
    try:
        receiver = receivers.Http(lambda n, _: "503" if n < 3 else None)
        out = gs.run([DRIVER, receiver.url, f"{disk}/queue", "0", "20000"])
        counts = json.loads(out.stdout.splitlines()[-1])
        counts2 = drain(receiver.url, f"{disk}/queue")
        receiver.stop()
    finally:
        gs.checked(["umount", disk])
    got = {int(span.name[1:]) for span in receiver.items["traces"]}
    gs.expect(counts["produced"] == 20000 == counts["acknowledged"] + counts["dropped"] + counts["queued"], f"{counts}")
    gs.expect(len(got) >= 20000 - counts["dropped"] - counts2["dropped"], f"{counts}, {counts2}: {len(got)} arrived")
    gs.expect(not receiver.garbage, "garbage was sent")
    gs.expect("cannot be written" in out.stderr.decode(), "the disk was never full")
    print(f"a full disk: {len(got)} of 20000 arrived, {counts['dropped']} dropped and counted")


def test():
    with gs.workdir() as top:
        kills(top)
        outage(top)
        full_disk(top)


otlp.main(test)
