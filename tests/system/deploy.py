#!/usr/bin/env python3
"""What deploy/ ships is right: rules and their tests, dashboards that ask for metrics that exist, units, examples, and the Debian package.

The package is built from a release build, which is also what README.md tells to install.
"""
import glob
import json
import os
import re
import subprocess

import yaml
from gs import GAPSCOPE, ROOT, checked, expect, main, need, run, workdir

DEPLOY = ROOT / "deploy"


def metrics():
    """Names that the daemon's /metrics has, from the table that makes them."""
    source = (ROOT / "agent/serve/routes_metrics.c").read_text()
    return set(re.findall(r'"(gapscope_[a-z_]+)"', source))


def prometheus():
    need("promtool")
    checked(["promtool", "check", "rules", DEPLOY / "prometheus/rules.yml"])
    print(checked(["promtool", "test", "rules", "rules_test.yml"], cwd=DEPLOY / "prometheus").decode())
    dashboard = json.loads((DEPLOY / "grafana/gapscope.json").read_text())
    queries = [t["expr"] for p in dashboard["panels"] for t in p["targets"]] + (DEPLOY / "prometheus/rules.yml").read_text().splitlines()
    queries.append((DEPLOY / "flagger/metric-template.yaml").read_text())
    asked = {name for q in queries for name in re.findall(r"gapscope_[a-z_]+", q)}
    expect(asked and asked <= metrics(), f"asked for, and not there: {asked - metrics()}")
    print(f"{len(asked)} metrics asked for by rules and dashboard, all among the {len(metrics())} that the daemon has")


def manifests():
    """Every YAML file can be read; the verdict's paths are ones that the daemon answers; its own examples are accepted by gapscope."""
    routes = set(re.findall(r'\{"(?:GET|POST)", "([^"]+)"', (ROOT / "agent/serve/routes.c").read_text()))
    n = 0
    for path in sorted(glob.glob(str(DEPLOY / "**/*.y*ml"), recursive=True)):
        if "/helm/" in path and "/templates/" in path:
            continue
        text = open(path, encoding="utf-8").read()
        list(yaml.safe_load_all(text))
        for route in re.findall(r"/gate/[a-z/]+", text):
            expect(route in routes, f"{path}: the daemon has no {route}")
        n += 1
    print(f"{n} files")
    with workdir() as top:
        done = run([GAPSCOPE, "gate", "--policy", DEPLOY / "examples/gate.yaml", "/nonexistent"])
        expect(done.returncode == 2 and b"/nonexistent" in done.stderr, f"the example of a policy: {done.stderr.decode()}")
        example = yaml.safe_load((DEPLOY / "examples/serve.yaml").read_text())
        example.update(history=str(top / "h.db"), listen="256.0.0.1:1")
        (top / "serve.yaml").write_text(yaml.safe_dump(example))
        done = run([GAPSCOPE, "serve", "--config", top / "serve.yaml"])
        expect(done.returncode == 2 and b"256.0.0.1:1" in done.stderr, f"the example of a configuration: {done.stderr.decode()}")


def unit():
    need("systemd-analyze")
    with workdir() as top:
        text = (DEPLOY / "systemd/gapscope.service").read_text().replace("/usr/bin/gapscope", GAPSCOPE)
        (top / "gapscope.service").write_text(re.sub("^Documentation=.*\n", "", text, flags=re.M))
        done = run(["systemd-analyze", "verify", top / "gapscope.service"])
        expect(done.returncode == 0 and not done.stderr.strip(), f"systemd-analyze verify: {done.stderr.decode()}")
        done = run(["systemd-analyze", "security", "--offline=true", "--threshold=50", top / "gapscope.service"])
        print(done.stdout.decode().strip().splitlines()[-1])
        expect(done.returncode == 0, "the unit is more exposed than 5.0")


def package():
    """A release build packs; lintian has nothing to say; the package holds what it should and runs from where it is installed."""
    need("lintian", "dpkg-deb")
    build = ROOT / "build/release"
    jobs = str(os.cpu_count())
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "build/release", "-j", jobs]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        expect(done.returncode == 0, f"{command}: {done.stdout.decode()[-3000:]}")
    with workdir() as top:
        checked(["cpack", "-G", "DEB", "-B", top, "--config", build / "CPackConfig.cmake"], cwd=build)
        deb = glob.glob(str(top / "*.deb"))[0]
        done = run(["lintian", "--allow-root", "--fail-on", "warning,error", deb])
        expect(done.returncode == 0, f"lintian: {done.stdout.decode()}")
        checked(["dpkg-deb", "-x", deb, top / "root"])
        scripts = checked(["dpkg-deb", "--ctrl-tarfile", deb])
        expect(b"systemctl" not in scripts and b"kill" not in scripts, "the package's scripts touch running services")
        done = run([top / "root/usr/bin/gapscope", "run", "--quiet", "--report", top / "r.json", "--", "/bin/true"])
        expect(done.returncode == 0 and json.loads((top / "r.json").read_text())["loss"]["published"] > 0, "the packed gapscope does not watch")
        print(os.path.basename(deb), os.path.getsize(deb), "bytes")


CASES = {"deploy_prometheus": prometheus, "deploy_manifests": manifests, "deploy_unit": unit, "deploy_package": package}

if __name__ == "__main__":
    main(CASES)
