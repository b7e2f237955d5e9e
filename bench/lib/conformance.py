"""Whether a server answers as bench/README.md says, asked through grpcio with Envoy's own message classes."""

from pathlib import Path

from harness import grpc_client, tls_client
from harness.protos import ProcessingRequest

from lib import messages
from lib.errors import WrongAnswer

_CHUNK = 64 << 10
_CHUNKS = 20
_REPLACEMENT = b"r" * (1 << 20)
_OVERWRITE = 2
_TIMEOUT = 20
_CHANNEL_OPTIONS = {"grpc.max_receive_message_length": 16 << 20}
# grpcio's own authority for a Unix socket is its path, which tonic's HTTP/2 library takes for malformed.
_CLEAR_OPTIONS = {**_CHANNEL_OPTIONS, "grpc.default_authority": "bench"}


def check(
    name: str, endpoint: int | str, variant: str, suffixes: tuple[str, ...] = ("",), tls_ca: Path | None = None
) -> None:
    """Raises WrongAnswer with the first difference. A suffix stands for each header to be set."""
    with _channel(endpoint, tls_ca) as channel:
        requests = _requests(variant)
        try:
            answers = list(grpc_client.process(channel)(iter(requests), timeout=_TIMEOUT))
        except grpc_client.grpc.RpcError as error:
            raise WrongAnswer(f"{name} ended the stream of {variant} with {error.code()}: {error.details()}") from None
        problem = _compare(requests, answers, variant, suffixes)
        if problem:
            raise WrongAnswer(f"{name}, {variant}: {problem}")


def _channel(endpoint: int | str, tls_ca: Path | None):
    if tls_ca is not None:
        return tls_client.channel(endpoint, tls_ca, **_CHANNEL_OPTIONS)
    return grpc_client.channel(endpoint, **_CLEAR_OPTIONS)


def _requests(variant: str) -> list[ProcessingRequest]:
    mode = messages.BODY_MODES[variant]
    first = [ProcessingRequest.FromString(messages.request_headers(body_mode=mode))]
    last = [ProcessingRequest.FromString(messages.response_headers())]
    if variant == "buffered":
        return [*first, _body(b"b" * (1 << 20), True), *last]
    if mode:
        return [*first, *(_body(_chunk(i), i == _CHUNKS - 1) for i in range(_CHUNKS)), *last]
    return first + last


def _chunk(number: int) -> bytes:
    """Chunks that differ, the last of them empty, as Envoy ends a body."""
    return b"" if number == _CHUNKS - 1 else bytes([number]) * (_CHUNK - number)


def _body(body: bytes, end: bool) -> ProcessingRequest:
    message = ProcessingRequest()
    message.request_body.body = body
    message.request_body.end_of_stream = end
    return message


def _compare(requests: list, answers: list, variant: str, suffixes: tuple[str, ...]) -> str | None:
    if len(answers) != len(requests):
        return f"{len(answers)} answers to {len(requests)} messages"
    for number, (request, answer) in enumerate(zip(requests, answers, strict=True)):
        phase = request.WhichOneof("request")
        if answer.WhichOneof("response") != phase:
            return f"answer {number} is {answer.WhichOneof('response')}, the message was {phase}"
        if phase.endswith("_headers"):
            names = {f"x-bench-{phase.partition('_')[0]}{suffix}" for suffix in suffixes}
            problem = _compare_headers(getattr(answer, phase).response, names)
        else:
            problem = _compare_body(request.request_body, answer.request_body.response, variant)
        if problem:
            return f"answer {number} ({phase}): {problem}"
    return None


def _compare_headers(response, names: set[str]) -> str | None:
    options = list(response.header_mutation.set_headers)
    expected = {(name, messages.REQUEST_ID.encode()) for name in names}
    if len(options) != len(expected) or {(each.header.key, each.header.raw_value) for each in options} != expected:
        return f"sets {options}"
    # Without either field Envoy overwrites; `append` is the one that it reads.
    overwrites = all(not each.append.value and each.append_action in (0, _OVERWRITE) for each in options)
    return None if overwrites else f"does not overwrite: {options}"


def _compare_body(body, response, variant: str) -> str | None:
    mutation = response.body_mutation
    if variant == "streamed":
        return None if not response.HasField("body_mutation") else "changes a body that it should leave alone"
    if variant == "buffered":
        return None if mutation.body == _REPLACEMENT else f"replaces by {len(mutation.body)} other bytes"
    streamed = mutation.streamed_response
    passed = mutation.WhichOneof("mutation") == "streamed_response" and streamed.body == body.body
    return None if passed and streamed.end_of_stream == body.end_of_stream else "does not pass the chunk on as it came"
