"""Deadlines that take more than one call to see, in a real service: the whole, callers that have gone or say how long they wait, and clients."""
import http.server
import sys
import threading
import time

import gs

SERVICE = gs.HERE / "programs" / "deadline_chain.py"
RULES = {  # and the functions that it is said of
    "deadline.total.missing": {"download"},
    "deadline.inversion": {"fetch", "quote"},
    "deadline.abandoned": {"fetch"},
    "deadline.budget.exceeded": {"quote"},
    "deadline.server.missing": {"readinto"},
}
DRIP = 12
GAP_S = 0.4


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """What a slow dependency does: it answers late, or drop by drop."""
        drops = DRIP if self.path == "/drip" else 1
        self.send_response(200)
        if self.path == "/slow":
            time.sleep(5)
        self.send_header("Content-Length", str(drops))
        self.end_headers()
        for _ in range(drops):
            if drops > 1:
                time.sleep(GAP_S)
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a careful client goes


def findings(mode):
    """The rules of this area that a run of the service gives: {rule: [(function, what is said)]}."""
    backend = Server(("127.0.0.1", 0), Backend)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    with gs.workdir() as here:
        report = here / "report.json"
        gs.checked([*gs.watch(report), sys.executable, str(SERVICE), mode, str(backend.server_address[1])])
        said = gs.is_watched(report)["findings"]
    backend.shutdown()
    found = {}
    for f in said:
        if f["rule"] in RULES:
            found.setdefault(f["rule"], []).append(((f["call_site"] or {}).get("function"), f["operation"], f["evidence"]))
    for rule in sorted(found):
        print(f"  {mode:8} {rule}: {found[rule]}")
    return found


def deadline_chain():
    careless, careful = findings("careless"), findings("careful")
    for rule, functions in RULES.items():
        said = {f[0] for f in careless.get(rule, ())}
        gs.expect(said == functions, f"{rule} is said of {said or 'nothing'}, not of {functions}")
    gs.expect(not careful, f"the careful service is blamed: {careful}")


if __name__ == "__main__":
    gs.main({"deadline_chain": deadline_chain})
