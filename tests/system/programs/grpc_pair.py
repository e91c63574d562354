"""A gRPC service and its client, without generated code: unary calls with three outcomes, and calls that stream: either way, both ways,
failing behind their first messages, given up by the client, and past their deadline; large messages either way."""
import sys
import threading
from concurrent import futures

import grpc

WORD = b"s3cr3t"


def get(request, context):
    if request == b"missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "s3cr3t")
    if request == b"broken":
        context.abort(grpc.StatusCode.INTERNAL, "s3cr3t")
    return WORD * int(request) if request.isdigit() else WORD


def watch(request, context):
    for _ in range(20):
        yield WORD * 100
    if request == b"broken":
        context.abort(grpc.StatusCode.DATA_LOSS, "s3cr3t")


def until_given_up(request, context):
    yield WORD
    over = threading.Event()
    if context.add_callback(over.set):
        over.wait()


def add(requests, context):
    return str(sum(len(one) for one in requests)).encode()


def talk(requests, context):
    for one in requests:
        if one == b"enough":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "s3cr3t")
        yield one


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Cart", {
        "Get": grpc.unary_unary_rpc_method_handler(get), "Watch": grpc.unary_stream_rpc_method_handler(watch),
        "Forever": grpc.unary_stream_rpc_method_handler(until_given_up), "Add": grpc.stream_unary_rpc_method_handler(add),
        "Talk": grpc.stream_stream_rpc_method_handler(talk)})])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def fails(call, status):
    """What is asked for ends with this status: the truth that spans are compared with."""
    try:
        answer = call()
        for _ in answer if hasattr(answer, "__iter__") else ():
            pass
    except grpc.RpcError as error:
        assert error.code() == status, error
    else:
        raise AssertionError(f"{status} was to come")


def ask(port):
    codes = grpc.StatusCode
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call, stream = channel.unary_unary("/shop.Cart/Get"), channel.unary_stream("/shop.Cart/Watch")
        waiting = [call.future(WORD) for _ in range(40)]
        for one in waiting:
            one.result()
        for what, n, code in ((b"missing", 5, codes.NOT_FOUND), (b"broken", 3, codes.INTERNAL)):
            for _ in range(n):
                fails(lambda what=what: call(what), code)
        for n in (3000, 12000, 160000):  # answers and requests beyond what is captured of a call
            assert len(call(str(n).encode())) == n * len(WORD)
            call(WORD * n)
        for _ in range(2):
            list(stream(WORD))
        fails(lambda: stream(b"broken"), codes.DATA_LOSS)
        for n in (0, 1, 200):
            assert channel.stream_unary("/shop.Cart/Add")(iter([WORD] * n)) == str(n * len(WORD)).encode()
        talked = channel.stream_stream("/shop.Cart/Talk")
        for _ in range(3):
            assert len(list(talked(iter([WORD * 1000] * 30)))) == 30
        fails(lambda: talked(iter([WORD, b"enough"])), codes.RESOURCE_EXHAUSTED)
        fails(lambda: channel.unary_unary("/shop.Cart/None")(WORD), codes.UNIMPLEMENTED)
        forever = channel.unary_stream("/shop.Cart/Forever")
        for _ in range(4):
            one = forever(WORD)
            next(one)
            one.cancel()
        for _ in range(2):
            fails(lambda: forever(WORD, timeout=1), codes.DEADLINE_EXCEEDED)
        call(WORD)  # behind it, so that the server has read the last reset


(serve if sys.argv[1] == "server" else ask)(int(sys.argv[2]))
