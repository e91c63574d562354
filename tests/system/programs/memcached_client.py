"""A client of memcached (pymemcache)."""
import sys

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError

client = Client(("127.0.0.1", int(sys.argv[1])))
for i in range(10):
    client.set(f"s3cr3t{i}", "s3cr3t" * 100, noreply=False)
for i in range(20):
    client.get(f"s3cr3t{i}")
for i in range(5):
    client.delete(f"s3cr3t{i}", noreply=False)
try:
    client.incr("s3cr3t7", 1)
except MemcacheClientError:
    pass
client.version()
client.close()
