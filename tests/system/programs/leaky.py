"""A service that logs every value it is given, and speaks them over a socket: line by line from a file, then waits to be told to end.

usage: leaky.py VALUES READY [PORT]; with a PORT it listens there, and begins when it is told to by a line.
"""
import pathlib
import socket
import sys

values = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").split("\n")
near, far = socket.socketpair(socket.AF_UNIX)
server = socket.create_server(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0))
if len(sys.argv) > 3:
    sys.stdin.readline()
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for i, line in enumerate(values):
    if i % 3 == 0:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    elif i % 3 == 1:
        # a line that comes in two writes
        sys.stderr.write(line[:len(line) // 2])
        sys.stderr.flush()
        sys.stderr.write(line[len(line) // 2:] + "\n")
        sys.stderr.flush()
    else:
        request = f"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: {len(line.encode()) + 2}\r\n\r\n{line}\r\n".encode()
        cut = len(request) - len(line) // 2
        for part in (request[:cut], request[cut:]):
            client.sendall(part)
            got = 0
            while got < len(part):
                got += len(peer.recv(65536))
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.recv(65536)
pathlib.Path(sys.argv[2]).write_text("ready", encoding="utf-8")
sys.stdin.readline()
