"""The benchmark's processor on grpc.aio, with uvloop and the message classes of xds-protos.

One process is one thread of Python, so --threads above 1 starts as many processes that share the port.
What each variant answers is in bench/README.md.
"""

import argparse
import asyncio
import os
import signal

import grpc
import uvloop
from envoy.config.core.v3 import base_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2 as ext_proc
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc as ext_proc_grpc

from gateway import Gateway

REPLACEMENT = b"r" * (1 << 20)
OVERWRITE = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
OPTIONS = (("grpc.max_receive_message_length", 16 << 20), ("grpc.so_reuseport", 1))


def set_header(name: str, value: bytes) -> ext_proc.HeadersResponse:
    answer = ext_proc.HeadersResponse()
    option = answer.response.header_mutation.set_headers.add(append_action=OVERWRITE)
    option.header.key = name
    option.header.raw_value = value
    return answer


def request_id(headers: ext_proc.HttpHeaders) -> bytes:
    for header in headers.headers.headers:
        if header.key == "x-request-id":
            return header.raw_value
    return b""


class Processor(ext_proc_grpc.ExternalProcessorServicer):
    def __init__(self, variant: str):
        self._variant = variant

    async def Process(self, request_iterator, context):  # noqa: N802
        value = b""
        async for message in request_iterator:
            phase = message.WhichOneof("request")
            if phase == "request_headers":
                value = request_id(message.request_headers)
                yield ext_proc.ProcessingResponse(request_headers=set_header("x-bench-request", value))
            elif phase == "response_headers":
                yield ext_proc.ProcessingResponse(response_headers=set_header("x-bench-response", value))
            elif phase == "request_body":
                yield ext_proc.ProcessingResponse(request_body=self._answer_body(message.request_body))
            elif phase == "response_body":
                yield ext_proc.ProcessingResponse(response_body=self._answer_body(message.response_body))
            elif phase in ("request_trailers", "response_trailers"):
                yield ext_proc.ProcessingResponse(**{phase: ext_proc.TrailersResponse()})
            else:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a message without a request")

    def _answer_body(self, body: ext_proc.HttpBody) -> ext_proc.BodyResponse:
        answer = ext_proc.BodyResponse()
        if self._variant == "buffered":
            answer.response.body_mutation.body = REPLACEMENT
        elif self._variant == "fds":
            streamed = answer.response.body_mutation.streamed_response
            streamed.body = body.body
            streamed.end_of_stream = body.end_of_stream
        return answer


async def serve(listen: str, variant: str) -> None:
    server = grpc.aio.server(options=OPTIONS)
    processor = Gateway() if variant == "gateway" else Processor(variant)
    ext_proc_grpc.add_ExternalProcessorServicer_to_server(processor, server)
    server.add_insecure_port(listen)
    await server.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await server.stop(grace=None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:50051")
    parser.add_argument("--variant", choices=("headers", "buffered", "streamed", "fds", "gateway"), default="headers")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    for _ in range(options.threads - 1):
        if os.fork() == 0:
            break
    uvloop.run(serve(options.listen, options.variant))


if __name__ == "__main__":
    main()
