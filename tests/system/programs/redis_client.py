"""redis-py in both versions of the protocol: values that are larger than what is captured of a call, transactions, pub/sub, a pipeline."""
import sys

import redis

for protocol in (2, 3):
    r = redis.Redis(port=int(sys.argv[1]), protocol=protocol)
    for i in range(5):
        r.set(f"s3cr3t{i}", "s3cr3t" * 2000)
    for i in range(5):
        assert len(r.get(f"s3cr3t{i}")) == 12000
    with r.pipeline(transaction=True) as batch:
        for _ in range(5):
            batch.incr("n")
        batch.execute()
    with r.pipeline(transaction=True) as batch:
        batch.set("text", "s3cr3t").lpush("text", "s3cr3t")
        assert isinstance(batch.execute(raise_on_error=False)[1], redis.ResponseError)
    r.hset("s3cr3th", mapping={"s3cr3t": 1, "b": 2})
    r.hgetall("s3cr3th")
    r.zadd("z", {"s3cr3t": 1.5})
    r.zrange("z", 0, -1, withscores=True)
    listener = r.pubsub()
    listener.subscribe("s3cr3tchannel")
    listener.get_message(timeout=30)
    for _ in range(7):
        r.publish("s3cr3tchannel", "s3cr3t")
    for _ in range(7):
        assert listener.get_message(timeout=30)["type"] == "message"
    listener.unsubscribe("s3cr3tchannel")
    listener.get_message(timeout=30)
    listener.close()
    batch = r.pipeline(transaction=False)
    for _ in range(100):
        batch.get("s3cr3t1")
    assert len(batch.execute()) == 100
    r.close()
