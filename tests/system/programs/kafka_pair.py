"""kafka-python's producer and consumer, and a stub of a broker for them: one topic of one partition, in versions of Kafka 0.10 to 4.

server PORT COUNTS GENERATION: answers with the codecs of kafka-python, in no newer versions than the generation has, and writes into the file
how many requests of each kind it answered. client PORT: ten messages sent one by one, one that is refused, a place that is not there asked
for, and all of them read.
"""
import collections
import json
import socketserver
import struct
import sys
import threading
import uuid

import kafka
from kafka.protocol import consumer, metadata, producer

TOPIC, MESSAGES = "orders", 10
ID = uuid.UUID(int=0x5eed)
# Newest versions of produce, fetch, list offsets, metadata, api versions, init producer id
GENERATIONS = {"0.10": {0: 2, 1: 2, 2: 1, 3: 1, 18: 0}, "2": {0: 8, 1: 11, 2: 5, 3: 8, 18: 2, 22: 1}, "3": {0: 9, 1: 12, 2: 6, 3: 9, 18: 3, 22: 4},
               "4": {0: 12, 1: 17, 2: 9, 3: 12, 18: 4, 22: 5}}
OLDEST = {2: 1}
KINDS = {0: producer.ProduceRequest, 1: consumer.FetchRequest, 2: consumer.ListOffsetsRequest, 3: metadata.MetadataRequest,
         18: metadata.ApiVersionsRequest, 22: producer.InitProducerIdRequest}
NAMES = {0: "send", 1: "poll", 2: "list_offsets", 3: "metadata", 18: "api_versions", 22: "init_producer_id"}
REFUSED, NOWHERE = 10, 1  # MESSAGE_TOO_LARGE, OFFSET_OUT_OF_RANGE


class Broker:
    """What was sent, and how often was asked."""

    def __init__(self, port, counts, generation):
        self.port, self.path, self.lock = port, counts, threading.Lock()
        self.newest, self.batches, self.messages, self.counts = GENERATIONS[generation], [], 0, collections.Counter()

    def produce(self, body, version):
        answer = producer.ProduceResponse
        partition = answer.TopicProduceResponse.PartitionProduceResponse
        records = bytes(body.topic_data[0].partition_data[0].records)
        error = REFUSED if len(records) > 5000 else 0
        if not error:
            base = self.messages
            if records[16] == 2:
                n = struct.unpack_from(">i", records, 57)[0]
                self.batches.append((base, struct.pack(">q", base) + records[8:]))
                self.messages += n
            else:
                at = 0
                while at < len(records):
                    size = 12 + struct.unpack_from(">i", records, at + 8)[0]
                    self.batches.append((self.messages, struct.pack(">q", self.messages) + records[at + 8:at + size]))
                    self.messages += 1
                    at += size
        one = partition(version=version, index=0, error_code=error, base_offset=self.messages - 1, log_start_offset=0)
        return answer(version=version, responses=[answer.TopicProduceResponse(version=version, name=TOPIC, topic_id=ID, partition_responses=[one])])

    def fetch(self, body, version):
        answer = consumer.FetchResponse
        offset = body.topics[0].partitions[0].fetch_offset
        found = b"".join(batch for base, batch in self.batches if base >= offset)
        lost = offset > self.messages
        if not found and not lost:
            threading.Event().wait(0.05)  # as a broker that has nothing new
        one = answer.FetchableTopicResponse.PartitionData(version=version, partition_index=0, error_code=NOWHERE if lost else 0,
                                                         high_watermark=self.messages, last_stable_offset=self.messages, log_start_offset=0,
                                                         records=found, aborted_transactions=[])
        return answer(version=version, throttle_time_ms=0, error_code=0, session_id=0,
                      responses=[answer.FetchableTopicResponse(version=version, topic=TOPIC, topic_id=ID, partitions=[one])])

    def offsets(self, body, version):
        answer = consumer.ListOffsetsResponse
        one = answer.ListOffsetsTopicResponse.ListOffsetsPartitionResponse(version=version, partition_index=0, error_code=0, timestamp=-1, offset=0)
        return answer(version=version, topics=[answer.ListOffsetsTopicResponse(version=version, name=TOPIC, partitions=[one])])

    def where(self, body, version):
        answer = metadata.MetadataResponse
        one = answer.MetadataResponseTopic.MetadataResponsePartition(version=version, error_code=0, partition_index=0, leader_id=1,
                                                                      replica_nodes=[1], isr_nodes=[1], offline_replicas=[])
        topic = answer.MetadataResponseTopic(version=version, error_code=0, name=TOPIC, topic_id=ID, partitions=[one])
        broker = answer.MetadataResponseBroker(version=version, node_id=1, host="127.0.0.1", port=self.port, rack=None)
        return answer(version=version, throttle_time_ms=0, brokers=[broker], cluster_id="c", controller_id=1, topics=[topic])

    def versions(self, body, version):
        answer = metadata.ApiVersionsResponse
        return answer(version=version, error_code=0, throttle_time_ms=0, api_keys=[
            answer.ApiVersion(version=version, api_key=k, min_version=OLDEST.get(k, 0), max_version=v) for k, v in self.newest.items()])

    def producer_id(self, body, version):
        return producer.InitProducerIdResponse(version=version, throttle_time_ms=0, error_code=0, producer_id=7, producer_epoch=0)

    def answer(self, key, version, request):
        body = KINDS[key].decode(request, version=version, header=True)
        how = {0: self.produce, 1: self.fetch, 2: self.offsets, 3: self.where, 18: self.versions, 22: self.producer_id}[key]
        with self.lock if key != 1 else threading.Lock():
            answer = how(body, version)
        number = struct.unpack_from(">i", request, 4)[0]
        answer.with_header(correlation_id=number)
        return answer.encode(header=True, framed=True)

    def count(self, key):
        with self.lock, open(self.path, "w", encoding="utf-8") as out:
            self.counts[NAMES[key]] += 1
            json.dump(self.counts, out)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        broker = self.server.broker
        while head := self.rfile.read(4):
            request = self.rfile.read(struct.unpack(">i", head)[0])
            key, version, number = struct.unpack_from(">hhi", request)
            if key == 18 and version > broker.newest[18]:  # asked in a newer way: not supported, in version 0
                answer = struct.pack(">ihi", number, 35, len(broker.newest)) + b"".join(
                    struct.pack(">hhh", k, OLDEST.get(k, 0), v) for k, v in broker.newest.items())
                answer = struct.pack(">i", len(answer)) + answer
            else:
                answer = broker.answer(key, version, request)
            broker.count(key)
            self.wfile.write(answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(port):
    where = {"bootstrap_servers": f"127.0.0.1:{port}"}
    sender = kafka.KafkaProducer(linger_ms=0, retries=0, **where)
    for _ in range(MESSAGES):
        sender.send(TOPIC, b"s3cr3t", partition=0).get(timeout=30)
    try:
        sender.send(TOPIC, b"s3cr3t" * 1000, partition=0).get(timeout=30)
    except kafka.errors.MessageSizeTooLargeError as error:
        print(error)
    sender.close()
    reader = kafka.KafkaConsumer(group_id=None, auto_offset_reset="earliest", **where)
    part = kafka.TopicPartition(TOPIC, 0)
    reader.assign([part])
    reader.seek(part, 1000)
    got = 0
    while got < MESSAGES:
        got += sum(len(batch) for batch in reader.poll(1000).values())
    reader.close()
    print(got)


if sys.argv[1] == "server":
    with Server(("127.0.0.1", int(sys.argv[2])), Handler) as server:
        server.broker = Broker(int(sys.argv[2]), sys.argv[3], sys.argv[4])
        server.serve_forever()
else:
    ask(int(sys.argv[2]))
