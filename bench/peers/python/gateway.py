"""The gateway of bench/README.md on grpc.aio. Bodies are FULL_DUPLEX_STREAMED."""

import json

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2 as ext_proc
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc as ext_proc_grpc

SECRET = "hunter2"
MASK = "*" * len(SECRET)
CLUSTERS = {"small": "cheap", "large": "dear"}
BAD_REQUEST, NOT_FOUND = 400, 404
OVERWRITE = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


class Gateway(ext_proc_grpc.ExternalProcessorServicer):
    async def Process(self, request_iterator, context):  # noqa: N802
        call = Call()
        async for message in request_iterator:
            phase = message.WhichOneof("request")
            if phase == "request_headers":
                # They are answered with the model, which the body names.
                answers = [refusal(BAD_REQUEST, "the request has no body")] if message.request_headers.end_of_stream else []
            elif phase == "request_body":
                call.chunks.append(message.request_body.body)
                answers = call.route(True) if message.request_body.end_of_stream else []
            elif phase == "request_trailers":
                answers = [*call.route(False), ext_proc.ProcessingResponse(request_trailers=ext_proc.TrailersResponse())]
            elif phase == "response_headers":
                call.begin_answer(message.response_headers)
                answers = [ext_proc.ProcessingResponse(response_headers=ext_proc.HeadersResponse())]
            elif phase == "response_body":
                end = message.response_body.end_of_stream
                answers = call.answer(message.response_body.body, end, end)
            elif phase == "response_trailers":
                answers = [*call.answer(b"", True, False), ext_proc.ProcessingResponse(response_trailers=ext_proc.TrailersResponse())]
            else:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a message without a request")
            for answer in answers:
                yield answer
                if answer.HasField("immediate_response"):
                    return


class Call:
    """One request."""

    def __init__(self):
        self.chunks: list[bytes] = []
        self._model = ""
        self._events: Events | None = None
        self._told = 0

    def route(self, end_of_stream: bool) -> list[ext_proc.ProcessingResponse]:
        """The answer to the headers, and the body, sent on."""
        try:
            self._model = json.loads(b"".join(self.chunks))["model"]
        except (ValueError, KeyError, TypeError):
            return [refusal(BAD_REQUEST, "the body has no model")]
        if self._model not in CLUSTERS:
            return [refusal(NOT_FOUND, "no such model")]
        first = ext_proc.ProcessingResponse()
        common = first.request_headers.response
        common.clear_route_cache = True
        option = common.header_mutation.set_headers.add(append_action=OVERWRITE)
        option.header.key = "x-ai-cluster"
        option.header.raw_value = CLUSTERS[self._model].encode()
        last = len(self.chunks) - 1
        chunks = (
            ext_proc.ProcessingResponse(request_body=streamed(chunk, end_of_stream and number == last)) for number, chunk in enumerate(self.chunks)
        )
        return [first, *chunks]

    def begin_answer(self, headers: ext_proc.HttpHeaders) -> None:
        kind = next((header.raw_value for header in headers.headers.headers if header.key == "content-type"), b"")
        if kind.startswith(b"text/event-stream"):
            self._events = Events()

    def answer(self, chunk: bytes, last: bool, end_of_stream: bool) -> list[ext_proc.ProcessingResponse]:
        response = ext_proc.ProcessingResponse()
        if self._events is not None:
            chunk = self._events.take(chunk, last)
            if self._events.tokens != self._told:
                self._told = self._events.tokens
                response.dynamic_metadata.update({"ai": {"model": self._model, "tokens": self._told}})
        if not chunk and not end_of_stream and not response.HasField("dynamic_metadata"):
            return []
        response.response_body.CopyFrom(streamed(chunk, end_of_stream))
        return [response]


class Events:
    """The events of an answer on their way: tokens are counted, and the secret is masked, also where events split it."""

    def __init__(self):
        self.tokens = 0
        self._rest = b""
        self._held: dict[int, str] = {}

    def take(self, chunk: bytes, last: bool) -> bytes:
        *events, self._rest = (self._rest + chunk).split(b"\n\n")
        out = b"".join(map(self._event, events))
        if last:
            out += self._release() + self._rest
            self._rest = b""
        return out

    def _event(self, event: bytes) -> bytes:
        try:
            said = json.loads(event.removeprefix(b"data: "))
        except ValueError:
            return self._release() + event + b"\n\n"
        if usage := said.get("usage"):
            self.tokens = max(usage.get("total_tokens", 0), usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0))
        before, changed, has_text = b"", False, False
        for choice in said.get("choices", ()):
            content = choice.get("delta", {}).get("content")
            if content is None:
                continue
            has_text = True
            shown = self._masked(choice.get("index", 0), content)
            if shown != content:
                choice["delta"]["content"] = shown
                changed = True
        if not has_text:
            before = self._release()
        return before + (encoded(said) if changed else event + b"\n\n")

    def _masked(self, index: int, content: str) -> str:
        """What of a choice's text can be shown by now."""
        text = (self._held.get(index, "") + content).replace(SECRET, MASK)
        keep = min(len(text), len(SECRET) - 1)
        while not SECRET.startswith(text[len(text) - keep :]):
            keep -= 1
        self._held[index] = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _release(self) -> bytes:
        """The texts that were held back, in events of their own."""
        out = b"".join(encoded({"choices": [{"index": index, "delta": {"content": text}}]}) for index, text in self._held.items() if text)
        self._held.clear()
        return out


def encoded(event: dict) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def refusal(status: int, why: str) -> ext_proc.ProcessingResponse:
    response = ext_proc.ProcessingResponse()
    response.immediate_response.status.code = status
    response.immediate_response.body = why.encode()
    return response


def streamed(body: bytes, end_of_stream: bool) -> ext_proc.BodyResponse:
    answer = ext_proc.BodyResponse()
    response = answer.response.body_mutation.streamed_response
    response.body = body
    response.end_of_stream = end_of_stream
    return answer
