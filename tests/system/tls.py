"""Requests inside of TLS become requests: by the shim from the start and put in later, with OpenSSL and GnuTLS, on descriptors and in memory; by
probes in the kernel with Go's own TLS.

usage: tls.py CASE
"""
import contextlib
import json
import signal
import subprocess

import attach
import ebpf
import gs

STATUSES = [200, 404, 503, 201]
ATTEMPTS = 3  # an agent that gets no processor for long loses records, and says so

SERVER = """
import http.server, ssl, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(int(self.path.split('/')[-1])); self.send_header('Content-Length', '3'); self.end_headers(); self.wfile.write(b'abc')
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('cert.pem', 'key.pem')
s.socket = c.wrap_socket(s.socket, server_side=True)
print(s.server_address[1], flush=True)
s.serve_forever()
"""

# Both open their connection before they ask for the signal to go on: an attach comes later than the handshake.
BLOCKING = """
import http.client, ssl, sys
c = http.client.HTTPSConnection('localhost', int(sys.argv[1]), context=ssl.create_default_context(cafile='cert.pem'), timeout=60)
c.connect(); print('on', flush=True); sys.stdin.readline()
for status in sys.argv[2:]:
    c.request('GET', '/x/' + status); print(c.getresponse().read().decode(), flush=True)
"""

IN_MEMORY = """
import asyncio, ssl, sys
async def main():
    print('on', flush=True); sys.stdin.readline()
    r, w = await asyncio.open_connection('localhost', int(sys.argv[1]), ssl=ssl.create_default_context(cafile='cert.pem'))
    for status in sys.argv[2:]:
        w.write(b'GET /x/%s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' % status.encode()); await w.drain()
        await r.readuntil(b'\\r\\n\\r\\n'); print((await r.readexactly(3)).decode(), flush=True)
    w.close()
asyncio.run(main())
"""

IN_MEMORY_SERVER = """
import asyncio, ssl, sys
async def serve(r, w):
    try:
        while True:
            head = await r.readuntil(b'\\r\\n\\r\\n'); status = head.split()[1].split(b'/')[-1]
            w.write(b'HTTP/1.1 %s X\\r\\nContent-Length: 3\\r\\n\\r\\nabc' % status); await w.drain()
    except asyncio.IncompleteReadError: pass
    w.close()
async def main():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('cert.pem', 'key.pem')
    s = await asyncio.start_server(serve, '127.0.0.1', int(sys.argv[1]), ssl=c)
    async with s: await s.serve_forever()
asyncio.run(main())
"""


NODE = """
const https = require('https'), fs = require('fs'), [role, port, ...statuses] = process.argv.slice(1);
const ask = (status, agent) => new Promise((done, failed) => https.get({host: '127.0.0.1', servername: 'localhost', port, path: '/x/' + status, agent}, answer => {
  let text = ''; answer.on('data', part => text += part); answer.on('end', () => { console.log(text); done(); }); }).on('error', failed));
if (role === 'server')
  https.createServer({key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem')}, (request, answer) => {
    answer.writeHead(Number(request.url.split('/').pop())); answer.end('abc'); }).listen(port, '127.0.0.1');
else {
  console.log('on');
  process.stdin.once('data', async () => {
    const agent = new https.Agent({keepAlive: true, ca: fs.readFileSync('cert.pem')});
    for (const status of statuses) await ask(status, agent);
    process.exit(0); });
}
"""

STATIC = r"""
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
/* Blocking calls on a descriptor; a connection for each request, opened once it is told to go on. */
int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	printf("on\n"); fflush(stdout); getchar();
	for (int i = 2; i < argc; i++) {
		char text[4096], address[64]; size_t n = 0; int got = 1;
		snprintf(address, sizeof(address), "127.0.0.1:%s", argv[1]);
		BIO *to = BIO_new_connect(address);
		SSL *ssl = SSL_new(context);
		if (BIO_do_connect(to) != 1) return 1;
		SSL_set_bio(ssl, to, to);
		if (SSL_connect(ssl) != 1) return 2;
		n = (size_t)snprintf(text, sizeof(text), "GET /x/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", argv[i]);
		if (SSL_write(ssl, text, (int)n) != (int)n) return 3;
		for (n = 0; n + 1 < sizeof(text) && (got = SSL_read(ssl, text + n, (int)(sizeof(text) - 1 - n))) > 0; n += (size_t)got) ;
		text[n] = 0;
		printf("%s\n", strstr(text, "abc") ? "abc" : text); fflush(stdout);
		SSL_free(ssl);
	}
	return 0;
}
"""


@contextlib.contextmanager
def folder():
    gs.need("openssl")
    with gs.workdir() as top:
        gs.checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", top / "key.pem", "-out", top / "cert.pem", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        (top / "key.pem").chmod(0o644)
        yield top


@contextlib.contextmanager
def server(top):
    with attach.program("/usr/bin/python3", "-c", SERVER, cwd=top, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()


def spans(path, kind):
    """Status codes of the spans of one kind, in order of their start; all of them must say that they were encrypted."""
    with open(path, encoding="utf-8") as lines:
        found = [s["span"] for s in map(json.loads, lines) if "span" in s and s["span"]["kind"] == kind and
                 "http.request.method" in s["span"]["attributes"]]
    said = [s["attributes"].get("url.scheme") or s["attributes"]["url.full"].split(":")[0] for s in found]
    gs.expect(set(said) <= {"https"}, f"not all say https: {said}")
    return [s["attributes"]["http.response.status_code"] for s in sorted(found, key=lambda s: s["start"])]


def expect_spans(top, kind, name, statuses=None):
    got = spans(top / "spans", kind)
    print(f"    {name}: {got}")
    gs.expect(got == (statuses or STATUSES), f"{name}: {kind} spans have {got}, not {statuses or STATUSES}")


def under_run(top, command, name, stdin=b"\n"):
    done = gs.run([gs.GAPSCOPE, "run", "--quiet", "--report", top / "report.json", "--export", f"jsonl:{top}/spans", "--", *command], cwd=top, input=stdin)
    gs.expect(done.returncode == 0, f"{name}: {done.stderr.decode()}")
    expect_spans(top, "client", name + ", run")
    (top / "spans").unlink()


def under_attach(top, command, name):
    with attach.program(*command, cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        gs.expect(process.stdout.readline() == "on\n", "the client is on")
        watcher, _ = attach.attach(process.pid, "--export", f"jsonl:{top}/spans", report=top / "report.json")
        process.stdin.write("\n")
        process.stdin.flush()
        for _ in STATUSES:
            gs.expect(process.stdout.readline() == "abc\n", "answered")
        attach.leave(watcher)
    expect_spans(top, "client", name + ", attach")
    (top / "spans").unlink()


def client(name, code):
    with folder() as top, server(top) as port:
        command = ["/usr/bin/python3", "-c", code, port, *map(str, STATUSES)]
        under_run(top, command, name)
        under_attach(top, command, name)


def tls_python():
    client("python (ssl on sockets)", BLOCKING)


def tls_asyncio():
    client("python (asyncio, ssl in memory)", IN_MEMORY)


def tls_curl():
    gs.need("curl")
    with folder() as top, server(top) as port:
        urls = [f"https://localhost:{port}/x/{status}" for status in STATUSES]
        under_run(top, ["curl", "-sS", "--http1.1", "--cacert", top / "cert.pem", *urls], "curl (OpenSSL, I/O of its own)")


def tls_wget():
    gs.need("wget")
    with folder() as top, server(top) as port:
        urls = [f"https://localhost:{port}/x/{status}" for status in STATUSES]
        command = ["sh", "-c", 'wget -q --tries=1 -O /dev/null "$@"; :', "sh", f"--ca-certificate={top}/cert.pem", *urls]
        under_run(top, command, "wget (GnuTLS)")


def ask(port, version="--http1.1"):
    urls = [f"https://localhost:{port}/x/{status}" for status in STATUSES]
    gs.checked(["curl", "-sSk", version, "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", *urls])


def serve(top, command, port, name, pids=None, version="--http1.1"):
    """A server that is started under watch, and one that is joined."""
    with attach.program(gs.GAPSCOPE, "run", "--quiet", "--report", top / "report.json", "--export", f"jsonl:{top}/spans", "--", *command, cwd=top) as run:
        gs.poll_until(lambda: gs.listening(port), f"{name} listens")
        ask(port, version)
        run.send_signal(signal.SIGTERM)
        run.wait(30)
    expect_spans(top, "server", name + ", run")
    (top / "spans").unlink()
    for attempt in range(ATTEMPTS):
        with attach.program(*command, cwd=top) as process:
            gs.poll_until(lambda: gs.listening(port), f"{name} listens")
            watcher, _ = attach.attach((pids or (lambda p: p))(process.pid), "--export", f"jsonl:{top}/spans", report=top / "report.json")
            ask(port, version)
            attach.leave(watcher)
        if attempt + 1 == ATTEMPTS or spans(top / "spans", "server") == STATUSES:
            break
        print(f"    {name}, attach: {spans(top / 'spans', 'server')}, once more; {gs.read_report(top / 'report.json')['loss']}")
        (top / "spans").unlink()
    expect_spans(top, "server", name + ", attach")
    (top / "spans").unlink()


def tls_nginx():
    gs.need("nginx", "curl")
    import servers
    port = gs.free_port()
    with folder() as top:
        servers.nginx_conf(port, top, workers=1)
        places = "".join(f"location /x/{status} {{ return {status}; }} " for status in STATUSES)
        text = (top / "nginx.conf").read_text().replace(
            f"127.0.0.1:{port}; root", f"127.0.0.1:{port} ssl; ssl_certificate {top}/cert.pem; ssl_certificate_key {top}/key.pem; {places} root")
        (top / "nginx.conf").write_text(text)
        serve(top, servers.nginx_command(None, top), port, "nginx (OpenSSL)", pids=lambda pid: attach.children(pid)[0])


def tls_asyncio_server():
    gs.need("curl")
    port = gs.free_port()
    with folder() as top:
        serve(top, ["/usr/bin/python3", "-c", IN_MEMORY_SERVER, port], port, "python (asyncio server)")


def tls_go():
    """Go's crypto/tls, of a stripped static program: client and server."""
    gs.need("curl")
    go = gs.go_program("what the probes see of Go's TLS is NOT tested")
    ebpf.need_probes()
    with folder() as top, server(top) as port:
        gs.checked([go, "build", "-ldflags=-s -w", "-o", top / "https", gs.HERE / "ebpf" / "https.go"],
                   env=gs.clean_env({"CGO_ENABLED": "0", "GO111MODULE": "off"}), timeout=280)
        urls = [f"https://localhost:{port}/x/{status}" for status in STATUSES]
        under_run(top, [top / "https", "client", *urls], "Go client")
        under_attach(top, [top / "https", "client", *urls], "Go client")
        port = gs.free_port()
        serve(top, [top / "https", "server", port], port, "Go server")
        serve(top, [top / "https", "server", port], port, "Go server, HTTP/2", version="--http2")
        with attach.program(top / "https", "server", port, cwd=top, stderr=subprocess.DEVNULL):
            gs.poll_until(lambda: gs.listening(port), "the server listens")
            urls = [f"https://localhost:{port}/x/{status}" for status in STATUSES]
            under_run(top, [top / "https", "client2", *urls], "Go client, HTTP/2")
            under_attach(top, [top / "https", "client2", *urls], "Go client, HTTP/2")


def tls_node():
    """It works in memory, and OpenSSL may be a part of it (probes at the functions of its own file) or a library of Debian's (the shim)."""
    gs.need("node", "curl")
    ebpf.need_probes()
    with folder() as top, server(top) as port:
        command = ["node", "-e", NODE, "client", port, *map(str, STATUSES)]
        under_run(top, command, "node client")
        under_attach(top, command, "node client")
        port = gs.free_port()
        serve(top, ["node", "-e", NODE, "server", port], port, "node server")


LINKED = {"library": ("-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic"), "all": ("-static", "-lssl", "-lcrypto")}


def static_client(top, name):
    (top / "client.c").write_text(STATIC)
    gs.checked(["gcc", "-O2", "-o", top / name, top / "client.c", *LINKED[name], "-pthread", "-ldl"])
    return top / name


def tls_static():
    """OpenSSL linked into a C program, which the shim watches, and into one without a loader, which probes watch."""
    ebpf.need_probes()
    with folder() as top, server(top) as port:
        for name in LINKED:
            command = [static_client(top, name), port, *map(str, STATUSES)]
            under_run(top, command, f"C, {name} linked statically")
            under_attach(top, command, f"C, {name} linked statically")


def tls_unseen():
    """What cannot be seen is said in the report, with the reason."""
    with folder() as top, server(top) as port:
        command = [static_client(top, "library"), port, "200"]
        done = gs.run([*attach.NO_PROBES, gs.GAPSCOPE, "run", "--quiet", "--report", top / "report.json", "--", *command], cwd=top, input=b"\n")
        gs.expect(done.returncode == 0, done.stderr.decode())
        said = [note for note in gs.read_report(top / "report.json")["not_exercised"] if "inside of TLS" in note]
        print("   ", *said)
        gs.expect(len(said) == 1 and "CAP_BPF" in said[0], f"the report says why: {said}")


CASES = {f.__name__: f for f in (tls_python, tls_asyncio, tls_curl, tls_wget, tls_nginx, tls_asyncio_server, tls_go, tls_node, tls_static, tls_unseen)}

if __name__ == "__main__":
    gs.main(CASES)
