"""grpcio clients of the server under test."""

import queue

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from harness import over_tls, protos, tls_client


def channel(address: int | str, **options) -> grpc.Channel:
    """A channel that shares no connection with another."""
    if isinstance(address, int) and over_tls.enabled():
        return tls_client.default_channel(address, **options)
    target = f"127.0.0.1:{address}" if isinstance(address, int) else f"unix:{address}"
    arguments = {"grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0, **options}
    return grpc.insecure_channel(target, options=list(arguments.items()))


def process(chan: grpc.Channel, method: str = protos.PROCESS):
    """The Process call: an iterable of requests in, responses out."""
    return chan.stream_stream(
        method,
        request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
        response_deserializer=protos.ProcessingResponse.FromString,
    )


def check_health(chan: grpc.Channel, service: str = "", timeout: float = 5.0) -> int:
    stub = health_pb2_grpc.HealthStub(chan)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout).status


def watch_health(chan: grpc.Channel, service: str = "", timeout: float = 30.0):
    stub = health_pb2_grpc.HealthStub(chan)
    return stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=timeout)


class Requests:
    """An iterator of requests that a test feeds while the call is open."""

    def __init__(self, *messages):
        self._queue = queue.SimpleQueue()
        for message in messages:
            self.send(message)

    def send(self, message) -> None:
        self._queue.put(message)

    def close(self) -> None:
        self._queue.put(None)

    def __iter__(self):
        return iter(self._queue.get, None)
