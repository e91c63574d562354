"""Thousands of sequences at once: many_sequences.py PORT N. Client k asks for /op/k and tries again after its own short delays, k % 5 + 1 times in all."""
import asyncio
import sys

PORT, N = int(sys.argv[1]), int(sys.argv[2])


async def attempt(k):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(f"GET /op/{k} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    head = await reader.read(4096)
    writer.close()
    return head.split(b" ", 2)[1:2] == [b"200"]


async def client(k):
    for n in range(k % 5 + 1):
        if n:
            await asyncio.sleep(0.07 * 2 ** n)
        if await attempt(k):
            return


async def main():
    await asyncio.gather(*(client(k) for k in range(N)))


asyncio.run(main())
