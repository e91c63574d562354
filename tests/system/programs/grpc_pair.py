"""A gRPC service and its client, without generated code: unary calls with three outcomes, and calls that stream."""
import sys
from concurrent import futures

import grpc


def get(request, context):
    if request == b"missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "s3cr3t")
    if request == b"broken":
        context.abort(grpc.StatusCode.INTERNAL, "s3cr3t")
    return b"s3cr3t"


def watch(request, context):
    for _ in range(20):
        yield b"s3cr3t" * 100


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Cart", {
        "Get": grpc.unary_unary_rpc_method_handler(get), "Watch": grpc.unary_stream_rpc_method_handler(watch)})])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def ask(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call, stream = channel.unary_unary("/shop.Cart/Get"), channel.unary_stream("/shop.Cart/Watch")
        waiting = [call.future(b"s3cr3t") for _ in range(40)]
        for one in waiting:
            one.result()
        for what, n in ((b"missing", 5), (b"broken", 3)):
            for _ in range(n):
                try:
                    call(what)
                except grpc.RpcError:
                    pass
        for _ in range(2):
            list(stream(b"s3cr3t"))


(serve if sys.argv[1] == "server" else ask)(int(sys.argv[2]))
