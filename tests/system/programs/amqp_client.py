"""A client of RabbitMQ (pika): publishes by an exchange and by a queue's name, consumes all of it, and gets from an empty queue; then bodies
of several frames, and publishes that are confirmed."""
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
channel = connection.channel()
channel.queue_declare("jobs")
channel.exchange_declare("shop", "fanout")
channel.queue_bind("jobs", "shop")
for _ in range(10):
    channel.basic_publish("shop", "s3cr3t", b"s3cr3t" * 10)
for _ in range(5):
    channel.basic_publish("", "jobs", b"s3cr3t")
for n, (method, _, _) in enumerate(channel.consume("jobs"), 1):
    channel.basic_ack(method.delivery_tag)
    if n == 15:
        break
channel.cancel()
channel.basic_get("jobs")
for size in (100000, 300000, 1000):
    for _ in range(3):
        channel.basic_publish("shop", "s3cr3t", b"s3cr3t" * (size // 6))
channel.confirm_delivery()
for _ in range(4):
    channel.basic_publish("", "jobs", b"s3cr3t" * 50000)
for n, (method, _, body) in enumerate(channel.consume("jobs"), 1):
    channel.basic_ack(method.delivery_tag)
    if n == 13:
        break
channel.cancel()
connection.close()
