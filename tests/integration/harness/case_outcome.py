"""What came of a case, in one form for both runners: the program `envoy_cases` prints the same."""

import json
import zlib

from harness import protos

# What Envoy adds on its own account, whatever the filter does.
LEFT_OUT = {
    b"date",
    b"server",
    b"x-forwarded-proto",
    b"x-request-id",
    b"x-envoy-expected-rq-timeout-ms",
    b"x-envoy-upstream-service-time",
    b"x-envoy-case",
}
LONG = 200


def to_line(outcome: dict) -> str:
    return json.dumps(outcome, sort_keys=True, separators=(",", ":"))


def headers(pairs) -> list[list[str]]:
    """Sorted by name; values of one name keep their order."""
    kept = [(bytes(name), bytes(value)) for name, value in pairs if bytes(name) not in LEFT_OUT]
    return [[text(name), text(value)] for name, value in sorted(kept, key=lambda pair: pair[0])]


def text(data: bytes) -> str:
    if len(data) <= LONG:
        return bytes(data).decode("latin-1")
    return f"{bytes(data[:32]).decode('latin-1')}...[{len(data)} bytes, crc {zlib.crc32(data):08x}]"


def message(serialised: bytes) -> dict:
    """A ProcessingRequest."""
    request = protos.ProcessingRequest.FromString(serialised)
    phase = request.WhichOneof("request")
    data = getattr(request, phase)
    told: dict = {"phase": phase}
    if phase.endswith("body"):
        told |= {"body": text(data.body), "end_of_stream": data.end_of_stream}
    elif phase.endswith("headers"):
        told |= {"headers": _header_map(data.headers), "end_of_stream": data.end_of_stream}
    else:
        told |= {"headers": _header_map(data.trailers)}
    if request.observability_mode:
        told["observability_mode"] = True
    if request.HasField("protocol_config"):
        config = request.protocol_config
        told["protocol_config"] = [
            config.request_body_mode,
            config.response_body_mode,
            int(config.send_body_without_waiting_for_header_response),
        ]
    if request.attributes:
        told["attributes"] = {name: _struct(value) for name, value in request.attributes.items()}
    if request.metadata_context.filter_metadata:
        told["metadata"] = {name: _struct(value) for name, value in request.metadata_context.filter_metadata.items()}
    return told


def _header_map(header_map) -> list[list[str]]:
    return headers((header.key.encode(), header.raw_value or header.value.encode()) for header in header_map.headers)


def _struct(struct) -> dict:
    return {name: _value(value) for name, value in struct.fields.items()}


def _value(value):
    match value.WhichOneof("kind"):
        case "string_value":
            return text(value.string_value.encode())
        case "number_value":
            return f"number {value.number_value:g}"
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
    return "null"
