"""Argo Rollouts and Flagger beside the exit status: what each makes of the daemon's answers is what `gapscope gate` says of the same report.

Their rules are restated here from their sources: Argo Rollouts v1.8.3 (metricproviders/webmetric, utils/evaluate, analysis), Flagger v1.36
(pkg/controller/webhook.go, scheduler_hooks.go). What they are told comes from the daemon, in the way of deploy/argo and deploy/flagger.
"""
import base64
import contextlib
import http.client
import json
import socket

import yaml
from gate import Load, services
from gs import GAPSCOPE, ROOT, expect, main, poll_until, run, workdir
from serve import TOKEN, daemon, port_of

TEMPLATES = list(yaml.safe_load_all((ROOT / "deploy/argo/analysis-template.yaml").read_text()))
CANARY = yaml.safe_load((ROOT / "deploy/flagger/canary.yaml").read_text())
STATUS = {0: "pass", 1: "fail", 3: "inconclusive"}
ARGO = {"Successful": "pass", "Failed": "fail", "Inconclusive": "inconclusive"}


def condition(text, result):
    """The few forms that the templates' conditions have. What Argo's language cannot find is nil there, and no boolean: an error."""
    def one(part):
        if part == "result.ok":
            expect(isinstance(result["ok"], bool), "ok is no boolean")
            return result["ok"]
        if part == 'result.verdict == "fail"':
            return result["verdict"] == "fail"
        return {"len(result) == 1": lambda: len(result) == 1, "result[0] == 0": lambda: result[0] == 0,
                "result[0] >= 2": lambda: result[0] >= 2}[part]()
    return all(one(part) for part in text.split(" && "))


def argo_phase(metric, result):
    if condition(metric["failureCondition"], result):
        return "Failed"
    return "Successful" if condition(metric["successCondition"], result) else "Inconclusive"


def argo(port, service, token, timeout=None):
    """A measurement's phase, by the template's web metric."""
    metric = TEMPLATES[0]["spec"]["metrics"][0]
    web = metric["provider"]["web"]
    path = web["url"].replace("{{args.gapscope}}", "").replace("{{args.service}}", service)
    headers = {h["key"]: h["value"].replace("{{args.token}}", token) for h in web["headers"]}
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout or web["timeoutSeconds"])
        c.request("GET", path, headers=headers)
        answer = c.getresponse()
        body = answer.read()
    except OSError:
        return "Error"
    if not 200 <= answer.status < 300:
        return "Error"
    try:
        return argo_phase(metric, json.loads(body)["data"])
    except ValueError:  # no JSON: v1.8.3 takes it for a success
        return "Successful"
    except KeyError:
        return "Error"


def flagger(port, kind, service, token, timeout=None):
    """Does this webhook of the manifest let go on; and what it says if not. Go sends what stands before the @ of a URL as Basic credentials."""
    hook, = [w for w in CANARY["spec"]["analysis"]["webhooks"] if w["type"] == kind]
    credentials, _, rest = hook["url"].removeprefix("http://").partition("@")
    headers = {"Content-Type": "application/json",
               "Authorization": "Basic " + base64.b64encode(credentials.replace("TOKEN", token).encode()).decode()}
    body = {"name": "shop", "namespace": "x", "phase": "Progressing", "checksum": "1", "metadata": {"service": service}}
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout or int(hook["timeout"].removesuffix("s")))
        c.request("POST", "/" + rest.partition("/")[2], json.dumps(body), headers)
        answer = c.getresponse()
        return answer.status <= 202, f"{answer.status} {answer.read().decode()}"
    except OSError as e:
        return False, str(e)


def metric(d, name, **labels):
    """Its value in /metrics, as a Prometheus server would have it."""
    text = d.ask("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})[1]
    head = f"{name}{{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "} "
    return next((float(line.removeprefix(head)) for line in text.splitlines() if line.startswith(head)), None)


def agree(d, service, wanted):
    """Argo, Flagger and Prometheus' users come to this verdict."""
    phase = argo(d.port, service, TOKEN)
    expect(ARGO.get(phase) == wanted, f"{service}: Argo says {phase}, wanted {wanted}")
    promoted, why = flagger(d.port, "confirm-promotion", service, TOKEN)
    expect(promoted == (wanted == "pass"), f"{service}: Flagger promotes: {promoted}: {why}")
    expect(promoted or wanted in why, f"{service}: Flagger's event does not say why: {why}")
    rolled_back, why = flagger(d.port, "rollback", service, TOKEN)
    expect(rolled_back == (wanted == "fail"), f"{service}: Flagger rolls back: {rolled_back}: {why}")
    value = 2 * metric(d, "gapscope_gate_verdict", service=service, verdict="fail") + 1 - metric(d, "gapscope_gate_verdict", service=service, verdict="pass")
    phase = argo_phase(TEMPLATES[1]["spec"]["metrics"][0], [value])
    expect(ARGO[phase] == wanted, f"{service}: Prometheus' {value} is {phase}")
    expect((value <= 0) == (wanted == "pass"), f"{service}: Flagger's metric is {value}")
    for nothing in ([], [float("nan")]):  # no such series, or no such number: neither promoted nor rolled back
        phase = argo_phase(TEMPLATES[1]["spec"]["metrics"][0], nothing)
        expect(phase == "Inconclusive", f"Prometheus' {nothing} is {phase}")
    print(f"{service}: {wanted}; {why.splitlines()[0]}")


def exit_status(top, d, service, stable=None):
    """What the command says of the reports that the daemon has."""
    words = []
    for name in filter(None, (stable, service)):
        (top / f"{name}.json").write_text(json.dumps(known(d, name)["report"]))
        words += ["--baseline", top / f"{name}.json"] if name == stable else [top / f"{name}.json"]
    return STATUS[run([GAPSCOPE, "gate", "--quiet", "--policy", top / "policy.yaml", *words]).returncode]


def known(d, name):
    return json.loads(d.ask(f"/api/v1/services/{name}", headers={"Authorization": f"Bearer {TOKEN}"})[1])


@contextlib.contextmanager
def silent_server():
    """Somebody who takes connections and never answers; its port."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        yield s.getsockname()[1]


def controllers():
    """Pass, fail and inconclusive; a service that nobody named; a wrong token; a service that ended; a daemon that is gone, and one that is stuck."""
    with workdir() as top, services(top, "logs_email") as (stable, canary):
        (top / "token").write_text(TOKEN)
        (top / "policy.yaml").write_text("rules: {resource.*: warn}\n")  # both open a connection for each order
        rules = [f"{{service: stable, port: {port_of(stable)}}}", f"{{service: canary, port: {port_of(canary)}, stable: stable}}",
                 "{service: ghost, name: gs-no-such-name}", "{service: late, name: gs-no-such-name, stable: stable}"]
        with daemon(top, rules, f"token_file: {top}/token\npolicy: {top}/policy.yaml\n") as d:
            load = Load([port_of(stable), port_of(canary)])

            def seen(name, rule):
                report = known(d, name)["report"]
                return report and report["service"]["server_requests"] > 60 and (not rule or any(f["rule"] == rule for f in report["findings"]))

            poll_until(lambda: seen("stable", None) and seen("canary", "data.log.email"), "traffic of both, and the finding")
            load.stop()
            # what detectors still hold back has been told by then: until then it is inconclusive
            for name, wanted in (("stable", "pass"), ("canary", "fail")):
                poll_until(lambda n=name, w=wanted: ARGO.get(argo(d.port, n, TOKEN)) in (w, "fail"), f"a verdict on {name}")
            for name, base, wanted in (("stable", None, "pass"), ("canary", "stable", "fail")):
                expect(exit_status(top, d, name, base) == wanted, f"the command says {exit_status(top, d, name, base)} of {name}")
                agree(d, name, wanted)
            agree(d, "ghost", "inconclusive")
            agree(d, "late", "inconclusive")
            wrong = TOKEN[:-1] + "x"
            for name, token in (("nobody", TOKEN), ("canary", wrong), ("canary", "")):
                expect(argo(d.port, name, token) == "Error", f"Argo is answered: {name} {token}")
                for kind in ("confirm-promotion", "rollback"):
                    expect(not flagger(d.port, kind, name, token)[0], f"Flagger's {kind} is answered: {name} {token}")
            for server in (stable, canary):
                server.stop()
            poll_until(lambda: all(known(d, name)["summary"]["state"] == "ended" for name in ("stable", "canary")), "the sessions' end")
            agree(d, "stable", "inconclusive")  # what was seen of it says nothing of now
            agree(d, "canary", "fail")
            port = d.port
            d.stop()
        with silent_server() as stuck:
            for where, limit in ((port, None), (stuck, 0.2)):
                expect(argo(where, "canary", TOKEN, limit) == "Error", "Argo heard something")
                for kind in ("confirm-promotion", "rollback"):
                    expect(not flagger(where, kind, "canary", TOKEN, limit)[0], f"Flagger's {kind} heard a yes")


CASES = {"controllers": controllers}

if __name__ == "__main__":
    main(CASES)
