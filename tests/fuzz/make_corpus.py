"""Writes the seeds of the corpus: what Envoy and health checks send, for each target in its own form.

Needs the packages of scripts/requirements-test.txt; run from anywhere: `python tests/fuzz/make_corpus.py`.
"""

import contextlib
import ssl
import struct
import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import protos  # noqa: E402
from harness.message_bytes import grpc  # noqa: E402

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM, END_HEADERS = 1, 4
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"

GET = {":method": "GET", ":path": "/a?b", ":authority": "host", "x-request-id": "id-1", "content-type": "text/plain"}
POST = {**GET, ":method": "POST", "content-length": "4"}
OK = {":status": "200", "content-type": "text/plain", "x-ext-procs-applied": "Later"}


def with_config(message, body_mode: int):
    """As a stream's first message: with the filter's setup, and what else Envoy adds."""
    message.protocol_config.request_body_mode = body_mode
    message.protocol_config.response_body_mode = body_mode
    message.metadata_context.filter_metadata["envoy.filters"]["key"] = "value"
    message.attributes["envoy.filters.http.ext_proc"]["request.path"] = "/a"
    return message


def body(phase: str, content: bytes, end: bool = True):
    message = protos.ProcessingRequest()
    getattr(message, phase).body = content
    getattr(message, phase).end_of_stream = end
    return message


def trailers(phase: str):
    message = protos.ProcessingRequest()
    getattr(message, phase).trailers.headers.add(key="grpc-status", raw_value=b"0")
    return message


def observed(message):
    message.observability_mode = True
    return message


def old_envoy():
    message = protos.ProcessingRequest()
    message.request_headers.headers.headers.add(key=":path", value="/old")
    return message


def flow_controlled(message, window: int):
    """As a client that bounds the bytes of bodies itself: it takes `window` of each, and lets as many be sent."""
    for direction in message.flow_control_init.DESCRIPTOR.fields:
        setattr(message.flow_control_init, direction.name, window)
    return message


def window(increment: int):
    message = protos.ProcessingRequest()
    message.client_window_update.window_increment_sidestream_to_upstream = increment
    message.client_window_update.window_increment_sidestream_to_downstream = increment
    return message


def grpc_body(phase: str, content: bytes, **flags: bool):
    message = body(phase, content, False)
    for name, value in flags.items():
        setattr(getattr(message, phase), name, value)
    return message


NONE, STREAMED, BUFFERED, PARTIAL, DUPLEX, GRPC = range(6)
STREAMS = {
    "get": [with_config(protos.request_headers(GET), BUFFERED), protos.response_headers(OK)],
    "post": [
        with_config(protos.request_headers(POST, False), BUFFERED),
        body("request_body", b"body"),
        protos.response_headers(OK, False),
        body("response_body", b"answer"),
    ],
    "streamed": [
        with_config(protos.request_headers(POST, False), STREAMED),
        body("request_body", b"first", False),
        body("request_body", b"", False),
        trailers("request_trailers"),
        protos.response_headers(OK, False),
        body("response_body", b"x" * 300, False),
        trailers("response_trailers"),
    ],
    "duplex": [
        with_config(protos.request_headers(POST, False), DUPLEX),
        body("request_body", b"chunk", False),
        body("request_body", b"", True),
    ],
    "both-ways": [
        with_config(protos.request_headers(POST, False), DUPLEX),
        body("request_body", b"chunk", False),
        protos.response_headers(OK, False),
        body("response_body", b"answer", False),
        body("request_body", b"", True),
        body("response_body", b"more", False),
        trailers("response_trailers"),
    ],
    "flow-control": [
        flow_controlled(with_config(protos.request_headers(POST, False), DUPLEX), 4),
        body("request_body", b"chunk", False),
        body("response_body", b"answer", False),
        body("request_body", b"held", True),
        window(1),
        window(-5),
        window(100),
        trailers("request_trailers"),
    ],
    "grpc": [
        with_config(protos.request_headers(POST, False), GRPC),
        grpc_body("request_body", b"message", grpc_message_compressed=True),
        grpc_body("request_body", b""),
        grpc_body("response_body", b"answer", drain_complete=True),
        grpc_body("request_body", b"", end_of_stream=True, end_of_stream_without_message=True),
    ],
    "observed": [observed(protos.request_headers(POST, False)), observed(body("request_body", b"body"))],
    "local-reply": [protos.response_headers({":status": "503"})],
    "old-envoy": [old_envoy()],
    "empty": [protos.ProcessingRequest()],
}


def serialised(stream) -> list[bytes]:
    return [message.SerializeToString(deterministic=True) for message in stream]


def message_seed(mode: int, messages: list[bytes]) -> bytes:
    return bytes([mode]) + b"".join(struct.pack(">H", len(message)) + message for message in messages)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: str) -> bytes:
    """A header without indexing, without Huffman coding (RFC 7541, 6.2.2)."""
    parts = [bytes([len(text)]) + text.encode() for text in (name, value)]
    return b"\x00" + b"".join(parts)


def call_headers(path: str, **extra: str) -> bytes:
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "host", "te": "trailers"}
    headers |= {"content-type": "application/grpc", **{name.replace("_", "-"): value for name, value in extra.items()}}
    return b"".join(literal(name, value) for name, value in headers.items())


def connection(*frames: bytes) -> bytes:
    return PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_536)) + frame(SETTINGS, 1, 0) + b"".join(frames)


def process_call(stream: int, messages: list[bytes], end: bytes) -> bytes:
    frames = [frame(HEADERS, END_HEADERS, stream, call_headers(protos.PROCESS, grpc_timeout="30S"))]
    frames += [frame(DATA, 0, stream, grpc(message)) for message in messages]
    return b"".join([*frames, end])


def http2_seeds() -> dict[str, bytes]:
    seeds = {}
    for name, stream in STREAMS.items():
        messages = serialised(stream)
        reset = frame(RST_STREAM, 0, 1, struct.pack(">I", 8))
        seeds[f"{name}-reset"] = connection(process_call(1, messages, reset))
        seeds[f"{name}-end"] = connection(process_call(1, messages, frame(DATA, END_STREAM, 1)))
    check = frame(HEADERS, END_HEADERS, 1, call_headers(HEALTH_CHECK)) + frame(DATA, END_STREAM, 1, grpc(b""))
    watch = frame(HEADERS, END_HEADERS, 3, call_headers(HEALTH_WATCH)) + frame(DATA, END_STREAM, 3, grpc(b""))
    ping = frame(PING, 0, 0, b"12345678")
    window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1000))
    seeds["health"] = connection(check, watch, ping, window)
    seeds["not-grpc"] = connection(frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(":method", "GET")))
    return seeds


def call_seeds() -> dict[str, bytes]:
    open_process, send_message, send_bytes, end, reset, pass_time = b"\x00\x00", b"\x02\x00", b"\x03\x00", b"\x04\x00", b"\x05\x00\x08", b"\x07\xff"

    def sized(message: bytes) -> bytes:
        return struct.pack(">H", len(message)) + message

    seeds = {}
    for name, stream in STREAMS.items():
        messages = b"".join(send_message + sized(message) for message in serialised(stream))
        seeds[f"{name}-end"] = open_process + messages + end
        seeds[f"{name}-reset"] = open_process + messages + reset
    split = grpc(serialised(STREAMS["get"])[0])
    seeds["split"] = open_process + b"".join(send_bytes + sized(split[at : at + 7]) for at in range(0, len(split), 7)) + end
    seeds["health"] = b"\x00\x02" + send_message + sized(b"") + end + b"\x00\x03" + b"\x02\x01" + sized(b"") + b"\x04\x01"
    seeds["deadline"] = b"\x01\x0310m" + send_message + sized(serialised(STREAMS["post"])[0]) + pass_time
    return seeds


def write(target: str, name: str, content: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def reflection_seeds() -> dict[str, bytes]:
    def sized(message: bytes) -> bytes:
        return struct.pack(">H", len(message)) + message

    def text(field: int, content: bytes) -> bytes:
        return bytes([field << 3 | 2, len(content)]) + content

    name, symbol, extension, numbers, services = (partial(text, field) for field in (3, 4, 5, 6, 7))
    of_options = text(1, b"google.protobuf.FieldOptions")
    queries = {
        "services": [services(b"*")],
        "files": [name(b"validate/validate.proto"), name(b"google/protobuf/any.proto"), name(b"none")],
        "symbols": [symbol(protos.SERVICE.encode()), symbol(b"grpc.health.v1.Health.Watch"), symbol(b".x")],
        "extensions": [numbers(of_options[2:]), extension(of_options + b"\x10\xaf\x08"), extension(of_options + b"\x10\x01")],
        "odd": [b"", text(1, b"host"), services(b"")[:-1]],
    }
    seeds = {kind: b"\0" + b"".join(map(sized, requests)) for kind, requests in queries.items()}
    # A file of package a that has some of everything.
    extends = text(1, b"x") + text(2, b".a.M") + b"\x18\x05"
    message = text(1, b"M") + text(2, text(1, b"f")) + text(3, text(1, b"N")) + text(6, extends)
    enum, service = (text(1, kind) + text(2, text(1, kind.lower())) for kind in (b"E", b"S"))
    file = text(1, b"a") + text(2, b"a") + text(3, b"a") + text(4, message) + text(5, enum) + text(6, service)
    seeds["descriptors"] = b"\1" + sized(text(1, file)) + sized(name(b"a")) + sized(symbol(b"a.M.f"))
    return seeds


def client_hello() -> bytes:
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    return out.read()


def write_tls_seeds() -> None:
    # A byte in 4 is for bytes; each is cut by its own values, so that long parts begin with a large one.
    write("fuzz_tls", "hello", bytes([0]) + client_hello())
    write("fuzz_tls", "clear-text", bytes([0]) + PREFACE)
    # Pairs of what to do with the client's next bytes, and with which record or byte of them.
    write("fuzz_tls", "undisturbed", bytes([1] + [0, 0] * 6))
    for how, name in enumerate(("truncated", "flipped", "doubled", "reordered", "dropped"), 1):
        write("fuzz_tls", f"{name}-text", bytes([1] + [0, 0] * 3 + [how, 1] * 2))
        write("fuzz_tls", f"{name}-handshake", bytes([1, how, 7, how, 1, how, 2]))


def write_settings_seeds() -> None:
    root = HERE.parents[1]
    write("fuzz_settings_file", "example", (root / "examples" / "settings" / "serve.yaml").read_bytes())
    every = "grace_period: 1.5\nlimits: {message_bytes: 16m, connections: 5}\nfilter:\n  allowed_override_modes:\n"
    every += "  - {request_body_mode: STREAMED}\ntls: {certificate_file: a, key_file: b, allowed_sans: ['dns:x']}\n"
    every += "redacted_headers: [x-a]\nmodule_path: /a\nservices: [{processors: [a.B, {name: a.C, settings: {k: [1, {l: ~}]}}]}]\n"
    write("fuzz_settings_file", "every-kind", every.encode())
    write("fuzz_settings_file", "wrong", b"a: &x 1\nb: *x\n? [c]\n: !t d\n---\ne: {f: 1, f: 2}\n")


def main() -> None:
    for name, content in reflection_seeds().items():
        write("fuzz_reflection", name, content)
    write_tls_seeds()
    write_settings_seeds()
    # Bodies as a whole; then with answers that are not taken, time that passes, and a half-close in the middle.
    for mode, style in ((4, "streams"), (4 | 8 | 16 | 32, "streams-late"), (4 | 64, "streams-half")):
        for name in ("streamed", "duplex", "both-ways", "flow-control", "grpc", "post"):
            write("fuzz_messages", f"{name}-{style}", message_seed(mode, serialised(STREAMS[name])))
    for mode in (0, 1):
        style = "suspends" if mode else "plain"
        for name, stream in STREAMS.items():
            write("fuzz_messages", f"{name}-{style}", message_seed(mode, serialised(stream)))
        for name, content in http2_seeds().items():
            write("fuzz_http2", f"{name}-{style}", bytes([mode, 255]) + content)
        for name, content in call_seeds().items():
            write("fuzz_calls", f"{name}-{style}", bytes([mode]) + content)
    # The other modes once each: shut down in the middle, small limits, a slow reader.
    post = serialised(STREAMS["streamed"])
    write("fuzz_http2", "shutdown", bytes([2, 8]) + connection(process_call(1, post, frame(DATA, END_STREAM, 1))))
    write("fuzz_http2", "small-limits", bytes([4, 2]) + connection(process_call(1, post, frame(DATA, END_STREAM, 1))))
    write("fuzz_calls", "slow-reader", bytes([8]) + call_seeds()["streamed-end"])
    # And bodies as a whole.
    for name in ("streamed", "duplex", "flow-control", "grpc"):
        write("fuzz_calls", f"{name}-streams", bytes([16 | 8]) + call_seeds()[f"{name}-end"])


if __name__ == "__main__":
    main()
