#!/usr/bin/env python3
"""Golden recordings: replay each, and compare what the report says with the file beside it.

  replay.py GAPSCOPE [--update] [DIR]     DIR/*.gsr and DIR/*.json; without DIR every folder here

Compared are the section of deadlines, retries or data that the folder is named after (deadline and matrix → deadlines, …) and the findings without
their texts. The report itself must come out the same, byte for byte, when it is replayed twice.
"""
import difflib
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SECTIONS = {"deadline": "deadlines", "matrix": "deadlines", "retry": "retries", "data": "data"}
FIELDS = ("rule", "severity", "confidence", "peer", "operation", "call_site", "count")


def replay(gapscope, recording):
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "report.json")
        subprocess.run([gapscope, "replay", "--quiet", "--report", path, recording], check=True)
        with open(path, encoding="utf-8") as f:
            return f.read()


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    update = "--update" in sys.argv
    gapscope = os.path.abspath(arguments[0])
    folders = arguments[1:] or sorted(d for d in glob.glob(os.path.join(HERE, "*")) if os.path.isdir(d))
    seen = failed = 0
    for folder in folders:
        section = SECTIONS.get(os.path.basename(os.path.abspath(folder)), "findings")
        for recording in sorted(glob.glob(os.path.join(folder, "*.gsr"))):
            seen += 1
            text = replay(gapscope, recording)
            report = json.loads(text)
            said = {section: report.get(section), "findings": [{k: f.get(k) for k in FIELDS} for f in report["findings"]]}
            said = json.dumps(said, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            wanted_path = recording[: -len(".gsr")] + ".json"
            if update:
                with open(wanted_path, "w", encoding="utf-8") as f:
                    f.write(said)
            with open(wanted_path, encoding="utf-8") as f:
                wanted = f.read()
            same = replay(gapscope, recording) == text
            if wanted != said or not same:
                failed += 1
                print(f"{os.path.relpath(recording, HERE)}: {'the report is another one' if same else 'two replays differ'}")
                print("".join(difflib.unified_diff(wanted.splitlines(True), said.splitlines(True), "wanted", "said")))
    print(f"{seen} recordings, {failed} failed")
    return 0 if seen and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
