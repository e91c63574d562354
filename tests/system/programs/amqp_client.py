"""A client of RabbitMQ (pika): publishes by an exchange and by a queue's name, consumes all of it, and gets from an empty queue."""
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
connection.close()
