"""Compares the messages of exporters/proto/otlp.proto with the published descriptors: every name, number, type, and label is a fact of the
specification. What is ours alone is the envelope (Packed*), whose numbers must be those of the three signals' requests and responses."""
import otlp

otlp.need_proto()

from google.protobuf import descriptor_pb2  # noqa: E402
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2  # noqa: E402
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: E402
from opentelemetry.proto.common.v1 import common_pb2  # noqa: E402
from opentelemetry.proto.logs.v1 import logs_pb2  # noqa: E402
from opentelemetry.proto.metrics.v1 import metrics_pb2  # noqa: E402
from opentelemetry.proto.resource.v1 import resource_pb2  # noqa: E402
from opentelemetry.proto.trace.v1 import trace_pb2  # noqa: E402

from otlp import gs  # noqa: E402

MODULES = [common_pb2, resource_pb2, trace_pb2, metrics_pb2, logs_pb2, trace_service_pb2, metrics_service_pb2, logs_service_pb2]
SIGNALS = {
    "Trace": ("ResourceSpans", "ScopeSpans", "spans", "rejected_spans"),
    "Metrics": ("ResourceMetrics", "ScopeMetrics", "metrics", "rejected_data_points"),
    "Logs": ("ResourceLogs", "ScopeLogs", "log_records", "rejected_log_records"),
}


def gather(file, prefix, messages, enums):
    for enum in file.enum_type:
        enums[prefix + enum.name] = {v.name: v.number for v in enum.value}
    for m in file.message_type if hasattr(file, "message_type") else file.nested_type:
        messages[prefix + m.name] = {f.name: f for f in m.field}
        gather(m, prefix + m.name + ".", messages, enums)


def published():
    messages, enums = {}, {}
    for module in MODULES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        gather(file, "", messages, enums)
    return messages, enums


def ours():
    with gs.workdir() as top:
        out = top / "otlp.desc"
        folder = otlp.ROOT / "exporters" / "proto"
        gs.checked(["protoc", f"--proto_path={folder}", f"--descriptor_set_out={out}", "otlp.proto"])
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    messages, enums = {}, {}
    gather(files.file[0], "", messages, enums)
    return messages, enums


def short(type_name):
    """ ".opentelemetry.proto.trace.v1.Span.Event" and ".otlp.Span.Event" as "Span.Event"."""
    parts = type_name.lstrip(".").split(".")
    return ".".join(p for p in parts if p[:1].isupper())


def same_field(name, mine, theirs):
    gs.expect(mine.number == theirs.number, f"{name} has number {mine.number}, published {theirs.number}")
    gs.expect(mine.type == theirs.type, f"{name} has type {mine.type}, published {theirs.type}")
    gs.expect(mine.label == theirs.label, f"{name} has another label than published")
    gs.expect(short(mine.type_name) == short(theirs.type_name), f"{name} is a {mine.type_name}, published {theirs.type_name}")


def envelope(mine, theirs):
    for signal, (resource, scope, items, rejected) in SIGNALS.items():
        request, response = theirs[f"Export{signal}ServiceRequest"], theirs[f"Export{signal}ServiceResponse"]
        list_name, = request
        scopes, = (f for f in theirs[resource].values() if f.type_name.endswith(scope))
        partial = theirs[f"Export{signal}PartialSuccess"]
        pairs = [
            ("PackedRequest", "resources", request[list_name]), ("PackedResource", "resource", theirs[resource]["resource"]),
            ("PackedResource", "scopes", scopes), ("PackedScope", "scope", theirs[scope]["scope"]), ("PackedScope", "items", theirs[scope][items]),
            ("PackedResponse", "partial_success", response["partial_success"]), ("PackedPartialSuccess", "rejected", partial[rejected]),
            ("PackedPartialSuccess", "error_message", partial["error_message"]),
        ]
        for message, field, original in pairs:
            gs.expect(mine[message][field].number == original.number, f"{message}.{field} differs from {signal}'s {original.name}")
            gs.expect(mine[message][field].label == original.label, f"{message}.{field} has another label than {signal}'s")


def test():
    messages, enums = ours()
    their_messages, their_enums = published()
    fields = 0
    for name, members in messages.items():
        if name.startswith("Packed"):
            continue
        gs.expect(name in their_messages, f"{name} is not in the specification")
        for field, mine in members.items():
            gs.expect(field in their_messages[name], f"{name}.{field} is not in the specification")
            same_field(f"{name}.{field}", mine, their_messages[name][field])
            fields += 1
    for name, values in enums.items():
        gs.expect(name in their_enums, f"enum {name} is not in the specification")
        for value, number in values.items():
            gs.expect(their_enums[name].get(value) == number, f"{name}.{value} is {number}, published {their_enums[name].get(value)}")
    envelope(messages, their_messages)
    gs.expect(fields > 50, f"only {fields} fields were compared")
    print(f"{len(messages)} messages, {fields} fields, {len(enums)} enums are as published")


otlp.main(test)
