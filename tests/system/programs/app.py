"""Python programs of several styles: run bare and watched. Prints only what is the same each time."""
import asyncio
import concurrent.futures
import http.server
import multiprocessing
import os
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = ("path " + self.path + "\n").encode() * 50
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])


def http_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    for i in range(50):
        print(len(urllib.request.urlopen(f"{base}/{i}", timeout=10).read()))
    print(urllib.request.urlopen(base + "/", data=b"abc" * 10000, timeout=10).read()[:9])
    try:
        urllib.request.urlopen(base + "/busy", timeout=10)
    except urllib.error.HTTPError as e:
        print("error", e.code)
    server.shutdown()


def subprocesses():
    print(subprocess.run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in" * 50000, capture_output=True, check=False).returncode)
    print(subprocess.check_output("seq 1 1000 | tail -1", shell=True))
    print(subprocess.run(["true"], close_fds=False, check=False).returncode, subprocess.run(["false"], check=False).returncode)
    children = [subprocess.Popen(["sh", "-c", f"exit {i}"]) for i in range(30)]
    print([c.wait() for c in children])
    child = subprocess.Popen(["sleep", "100"])
    child.send_signal(signal.SIGTERM)
    print(child.wait())
    try:
        subprocess.run(["/no/such/program"], check=False)
    except FileNotFoundError as e:
        print(e.errno)
    print(subprocess.run([sys.executable, "-c", "print(6*7)"], env={}, capture_output=True, check=False).stdout)
    pid = os.fork()
    if pid == 0:
        os._exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print(os.system("exit 4"), os.popen("echo popen").read())
    print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], os.environ), 0)[1]))


def asyncio_app():
    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def client(port, n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for i in range(20):
            writer.write(f"client {n} line {i}\n".encode())
            answers.append(await asyncio.wait_for(reader.readline(), 10))
        writer.close()
        return answers[-1]

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        print(await asyncio.gather(*(client(port, n) for n in range(30))))
        process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        print(len((await process.communicate(b"z" * 300000))[0]), process.returncode)
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.02)
        except asyncio.TimeoutError:
            print("timeout")
        loop = asyncio.get_running_loop()
        print(await loop.run_in_executor(None, sum, range(1000)))
        print((await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))[0][4])
        try:
            await asyncio.open_connection("127.0.0.1", 1)
        except ConnectionRefusedError:
            print("refused")
        server.close()

    asyncio.run(main())


def threads():
    class Echo(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                self.wfile.write(line[::-1])

    class EchoServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    server = EchoServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def client(n):
        with socket.create_connection(server.server_address, timeout=10) as s:
            total = 0
            for i in range(50):
                s.sendall(f"{n}:{i}\n".encode())
                total += len(s.recv(100))
            s.settimeout(0.01)
            try:
                s.recv(1)
            except TimeoutError:
                total += 1000
            return total

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        print(sum(pool.map(client, range(60))))
    server.shutdown()
    r, w = os.pipe()
    print(select.select([r], [], [], 0.01))
    os.write(w, b"x")
    print(len(select.select([r], [w], [], 5)[0]))
    with multiprocessing.Pool(3) as pool:
        print(pool.map(abs, range(-20, 0)))
    log = open(os.devnull, "a", encoding="utf-8")
    for i in range(100):
        print("line", i, file=log, flush=True)
    print("stderr too", file=sys.stderr)


{"http": http_server, "subprocess": subprocesses, "asyncio": asyncio_app, "threads": threads}[sys.argv[1]]()
sys.exit(9)
