"""The ext_proc messages as Python classes, made at run time from Envoy's descriptors."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from harness import paths

PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"


def _load_pool() -> descriptor_pool.DescriptorPool:
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(paths.DESCRIPTORS.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


POOL = _load_pool()


def _message(name: str):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"envoy.service.ext_proc.v3.{name}"))


ProcessingRequest = _message("ProcessingRequest")
ProcessingResponse = _message("ProcessingResponse")


def request_headers(headers: dict[str, str], end_of_stream: bool = True):
    """The first message of a stream, as Envoy sends it."""
    return _headers("request_headers", headers, end_of_stream)


def response_headers(headers: dict[str, str], end_of_stream: bool = True):
    return _headers("response_headers", headers, end_of_stream)


def request_body(body: bytes, end_of_stream: bool = True):
    message = ProcessingRequest()
    message.request_body.body = body
    message.request_body.end_of_stream = end_of_stream
    return message


def set_headers(mutation) -> dict[str, bytes]:
    """What a HeaderMutation sets."""
    return {option.header.key: option.header.raw_value for option in mutation.set_headers}


def _headers(phase: str, headers: dict[str, str], end_of_stream: bool):
    message = ProcessingRequest()
    data = getattr(message, phase)
    data.end_of_stream = end_of_stream
    for name, value in headers.items():
        data.headers.headers.add(key=name, raw_value=value.encode())
    return message
