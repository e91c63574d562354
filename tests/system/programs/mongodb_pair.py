"""pymongo's commands, and a stub of a server that answers them (OP_MSG; documents by pymongo's own encoder), compressed if the client is."""
import socketserver
import struct
import sys
import zlib

import bson


def answer(command):
    name = next(iter(command))
    if name.lower() in ("hello", "ismaster"):
        return {"ok": 1.0, "ismaster": True, "isWritablePrimary": True, "maxWireVersion": 17, "minWireVersion": 0,
                "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "readOnly": False, "compression": ["zlib"]}
    if name == "find":
        return {"ok": 1.0, "cursor": {"id": 0, "ns": "shop.users", "firstBatch": [{"name": "s3cr3t"}]}}
    if name == "aggregate":
        return {"ok": 0.0, "errmsg": "s3cr3t", "code": 26, "codeName": "NamespaceNotFound"}
    return {"ok": 1.0, "n": 1}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(16):
            size, number, _, code = struct.unpack("<iiii", head)
            body = self.rfile.read(size - 16)
            if code == 2004:  # the first hello of old times: flags, a name, two numbers, a document
                document = bson.encode(answer(bson.decode(body[body.index(b"\0", 4) + 9:])))
                text = struct.pack("<iqii", 8, 0, 0, 1) + document
                self.wfile.write(struct.pack("<iiii", 16 + len(text), 1, number, 1) + text)
                continue
            packed = code == 2012  # the code inside, its size, 2 = zlib
            body = zlib.decompress(body[9:]) if packed else body
            length = struct.unpack_from("<i", body, 5)[0]
            text = b"\0\0\0\0\0" + bson.encode(answer(bson.decode(body[5:5 + length])))
            text = struct.pack("<iiB", 2013, len(text), 2) + zlib.compress(text) if packed else text
            self.wfile.write(struct.pack("<iiii", 16 + len(text), 1, number, code) + text)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(port, compressors):
    import pymongo

    client = pymongo.MongoClient("127.0.0.1", port, directConnection=True, retryReads=False, **({"compressors": compressors} if compressors else {}))
    client.admin.command("ping")
    users = client.shop.users
    for _ in range(10):
        users.insert_one({"name": "s3cr3t"})
    for _ in range(7):
        list(users.find({"name": "s3cr3t"}))
    for _ in range(2):
        try:
            list(client.shop.orders.aggregate([{"$match": {"name": "s3cr3t"}}]))
        except pymongo.errors.OperationFailure:
            pass
    client.close()


if sys.argv[1] == "server":
    Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
else:
    ask(int(sys.argv[2]), sys.argv[3])
