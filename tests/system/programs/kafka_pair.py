"""kafka-python's producer and consumer, and a stub of a broker for them: one topic of one partition, in versions of Kafka 0.10.

server PORT COUNTS: writes into the file how many requests of each kind it answered. client PORT: ten messages sent one by one, and read.
"""
import collections
import json
import socketserver
import struct
import sys
import threading

TOPIC, MESSAGES = "orders", 10
VERSIONS = {0: 2, 1: 2, 2: 1, 3: 1, 18: 0}  # produce, fetch, list offsets, metadata, api versions
NAMES = {0: "send", 1: "poll", 2: "list_offsets", 3: "metadata", 18: "api_versions"}


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Broker:
    """What was sent, and how often was asked."""

    def __init__(self, port, counts):
        self.port, self.path, self.lock = port, counts, threading.Lock()
        self.messages, self.counts = [], collections.Counter()

    def produce(self, body):
        at = 6 + 4 + 2 + len(TOPIC) + 4 + 4  # acks, timeout; one topic, its name; one partition, its number
        size, = struct.unpack_from(">i", body, at)
        at, end = at + 4, at + 4 + size
        while at < end:
            _, length = struct.unpack_from(">qi", body, at)
            self.messages.append(body[at + 12:at + 12 + length])
            at += 12 + length
        answer = struct.pack(">ihqq", 0, 0, len(self.messages) - 1, -1)
        return array([text(TOPIC) + array([answer])]) + struct.pack(">i", 0)

    def fetch(self, body):
        at = 12 + 4 + 2 + len(TOPIC) + 4 + 4  # replica, wait, least; one topic, its name; one partition, its number
        offset, = struct.unpack_from(">q", body, at)
        if offset >= len(self.messages):
            threading.Event().wait(0.05)  # as a broker that has nothing new
        found = b"".join(struct.pack(">qi", i, len(m)) + m for i, m in enumerate(self.messages) if i >= offset)
        answer = struct.pack(">ihqi", 0, 0, len(self.messages), len(found)) + found
        return struct.pack(">i", 0) + array([text(TOPIC) + array([answer])])

    def answer(self, key, body):
        if key == 0:
            return self.produce(body)
        if key == 1:
            return self.fetch(body)
        if key == 2:
            return array([text(TOPIC) + array([struct.pack(">ihqq", 0, 0, -1, 0)])])
        if key == 3:
            partition = struct.pack(">hii", 0, 0, 1) + array([struct.pack(">i", 1)]) * 2
            broker = struct.pack(">i", 1) + text("127.0.0.1") + struct.pack(">ih", self.port, -1)
            return array([broker]) + struct.pack(">i", 1) + array([struct.pack(">h", 0) + text(TOPIC) + b"\0" + array([partition])])
        return struct.pack(">h", 0) + array([struct.pack(">hhh", k, 0, v) for k, v in VERSIONS.items()])

    def count(self, key):
        with self.lock, open(self.path, "w", encoding="utf-8") as out:
            self.counts[NAMES[key]] += 1
            json.dump(self.counts, out)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(4):
            request = self.rfile.read(struct.unpack(">i", head)[0])
            key, version, number, name = struct.unpack_from(">hhih", request)
            if key == 18 and version > 0:  # asked in a newer way: not supported, in version 0
                answer = struct.pack(">h", 35) + array([struct.pack(">hhh", k, 0, v) for k, v in VERSIONS.items()])
            else:
                answer = self.server.broker.answer(key, request[10 + max(name, 0):])
            self.server.broker.count(key)
            self.wfile.write(struct.pack(">ii", 4 + len(answer), number) + answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(port):
    import kafka

    where = {"bootstrap_servers": f"127.0.0.1:{port}", "api_version": (0, 10, 0)}
    producer = kafka.KafkaProducer(linger_ms=0, retries=0, **where)
    for _ in range(MESSAGES):
        producer.send(TOPIC, b"s3cr3t", partition=0).get(timeout=30)
    producer.close()
    consumer = kafka.KafkaConsumer(group_id=None, auto_offset_reset="earliest", **where)
    consumer.assign([kafka.TopicPartition(TOPIC, 0)])
    got = 0
    while got < MESSAGES:
        got += sum(len(batch) for batch in consumer.poll(1000).values())
    consumer.close()
    print(got)


if sys.argv[1] == "server":
    with Server(("127.0.0.1", int(sys.argv[2])), Handler) as server:
        server.broker = Broker(int(sys.argv[2]), sys.argv[3])
        server.serve_forever()
ask(int(sys.argv[2]))
