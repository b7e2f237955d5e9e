"""An external processor that does what a case's script says, legal or not."""

import asyncio

from harness import envoy_cases, message_bytes, protos

DUPLEX = 4


class Script:
    """The processor's end of one gRPC stream."""

    def __init__(self, case: envoy_cases.Case, play, stream):
        self._steps = [dict(step) for step in case.data.get("processor", [])]
        self._play = play
        self._stream = stream
        self._buffer = b""
        self._modes = {}

    def start(self) -> None:
        self._stream.send_headers([(b":status", b"200"), (b"content-type", b"application/grpc")])

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 5:
            length = int.from_bytes(self._buffer[1:5], "big")
            if len(self._buffer) < 5 + length:
                return
            message, self._buffer = self._buffer[5 : 5 + length], self._buffer[5 + length :]
            self._play.on_message(message)
            self._play.spawn(self._answer(protos.ProcessingRequest.FromString(message)))

    async def _answer(self, request) -> None:
        phase = request.WhichOneof("request")
        if request.HasField("protocol_config"):
            self._modes = {
                "request": request.protocol_config.request_body_mode,
                "response": request.protocol_config.response_body_mode,
            }
        step = next((step for step in self._steps if step["phase"] == phase), None)
        if step is None:
            if not request.observability_mode:
                await self._send(self._default(phase, request))
            return
        self._steps.remove(step)
        if not step["do"]:
            self._play.answered.append((phase, None))
        for action in step["do"]:
            if not self._stream.closed:
                self._play.answered.append((phase, action))
            if "wait" in action:
                await self._play.wait(float(action["wait"]))
            elif "end" in action:
                self._end(int(action["end"].get("status", 0)), action["end"].get("message", ""))
            elif "reset" in action:
                self._stream.reset(int(action["reset"]))
            else:
                await self._send(envoy_cases.response(action))

    def _default(self, phase: str, request) -> bytes:
        """Go on, change nothing."""
        answer = protos.ProcessingResponse()
        getattr(answer, phase).SetInParent()
        direction, _, part = phase.partition("_")
        if part == "body" and self._modes.get(direction) == DUPLEX:
            sent = getattr(request, phase)
            echoed = getattr(answer, phase).response.body_mutation.streamed_response
            echoed.body = sent.body
            echoed.end_of_stream = sent.end_of_stream
        return answer.SerializeToString()

    async def _send(self, message: bytes) -> None:
        self._play.touch()
        await self._stream.send_data(message_bytes.grpc(message))

    def _end(self, status: int, message: str) -> None:
        self._play.touch()
        trailers = [(b"grpc-status", str(status).encode())]
        if message:
            trailers.append((b"grpc-message", message.encode()))
        self._stream.send_trailers(trailers)


async def cancel(tasks) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
