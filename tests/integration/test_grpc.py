"""grpcio against the server: what a careful gRPC client expects."""

import threading
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2

from harness import protos
from harness.extproc import Extproc
from harness.grpc_client import Requests, check_health, process, watch_health
from harness.processes import eventually

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
GET = {":method": "GET", ":path": "/", "x-request-id": "r1"}


@pytest.fixture(scope="module")
def scripted(launcher) -> Extproc:
    return Extproc(launcher, "test_processors.AsyncScripted")


@pytest.fixture
def channel(trivial):
    with trivial.channel() as chan:
        yield chan


@pytest.fixture
def scripted_channel(scripted):
    with scripted.channel() as chan:
        yield chan


def status_of(call) -> grpc.StatusCode:
    """How a call ends whose answers do not matter."""
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    return error.value.code()


def scripted_get(*actions: str):
    message = protos.request_headers(GET, end_of_stream=False)
    for action in actions:
        message.request_headers.headers.headers.add(key="x-do", raw_value=action.encode())
    return message


def test_process_round_trip(channel):
    call = process(channel)(iter([protos.request_headers(GET), protos.response_headers({":status": "200"})]), timeout=5)
    first, second = list(call)
    assert protos.set_headers(first.request_headers.response.header_mutation) == {"x-extra-request-id": b"r1"}
    assert protos.set_headers(second.response_headers.response.header_mutation) == {
        "x-extra-request-id": b"r1",
        "x-ext-procs-applied": b"TrivialExtProcService",
    }
    assert call.code() == grpc.StatusCode.OK


def test_conversation(channel):
    """Each answer comes before the next message is sent."""
    requests = Requests()
    call = process(channel)(iter(requests), timeout=5)
    requests.send(protos.request_headers(GET, end_of_stream=False))
    assert next(call).HasField("request_headers")
    requests.send(protos.request_body(b"body"))
    assert next(call).HasField("request_body")
    requests.send(protos.response_headers({":status": "200"}))
    assert next(call).HasField("response_headers")
    requests.close()
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


def test_chain_header_stands_before_the_names_that_came(channel):
    answer = next(
        process(channel)(iter([protos.response_headers({":status": "200", "x-ext-procs-applied": "Later"})]), timeout=5)
    )
    headers = protos.set_headers(answer.response_headers.response.header_mutation)
    assert headers["x-ext-procs-applied"] == b"TrivialExtProcService,Later"


def test_stream_without_a_message(channel):
    call = process(channel)(iter([]), timeout=5)
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


def test_many_messages_pipelined(scripted_channel):
    """None waits for the answer to the one before; each gets exactly one, in order."""
    count = 2000
    messages = [scripted_get(), *(protos.request_body(b"%d" % number, False) for number in range(count))]
    answers = list(process(scripted_channel)(iter(messages), timeout=20))
    assert answers[0].HasField("request_headers")
    assert len(answers) == count + 1
    assert all(answer.HasField("request_body") for answer in answers[1:])


def test_messages_wait_in_order_behind_a_slow_handler(scripted_channel):
    messages = [scripted_get("request_headers sleep 200", "request_body set a=1"), protos.request_body(b"1", False)]
    answers = list(process(scripted_channel)(iter(messages), timeout=5))
    assert [answer.WhichOneof("response") for answer in answers] == ["request_headers", "request_body"]


def test_many_streams_on_one_connection(channel):
    calls = [process(channel)(iter([protos.request_headers(GET)]), timeout=20) for _ in range(500)]
    assert all(len(list(call)) == 1 for call in calls)


def test_deadline_exceeded_while_a_handler_waits(scripted_channel):
    start = time.monotonic()
    call = process(scripted_channel)(iter([scripted_get("request_headers sleep 3000")]), timeout=0.2)
    assert status_of(call) == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - start < 2


def test_deadline_exceeded_of_an_idle_stream(channel):
    requests = Requests(protos.request_headers(GET))
    call = process(channel)(iter(requests), timeout=0.2)
    assert status_of(call) == grpc.StatusCode.DEADLINE_EXCEEDED
    requests.close()


def test_cancel(scripted_channel):
    call = process(scripted_channel)(iter([scripted_get("request_headers sleep 3000")]), timeout=10)
    threading.Timer(0.05, call.cancel).start()
    assert status_of(call) == grpc.StatusCode.CANCELLED
    assert check_health(scripted_channel) == SERVING


def test_exception_becomes_unknown(scripted_channel):
    call = process(scripted_channel)(iter([scripted_get("request_headers throw boom")]), timeout=5)
    assert status_of(call) == grpc.StatusCode.UNKNOWN


def test_abort_has_status_and_message(scripted_channel):
    text = "no entry: 100 % é"
    call = process(scripted_channel)(iter([scripted_get(f"request_headers abort {text}")]), timeout=5)
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert error.value.details() == text


@pytest.mark.parametrize(
    ("size", "status"), [(15 << 20, None), ((16 << 20) + 1, grpc.StatusCode.RESOURCE_EXHAUSTED)], ids=["15-MiB", "over-16-MiB"]
)
def test_message_size_limit(trivial, size, status):
    unlimited = {"grpc.max_send_message_length": -1, "grpc.max_receive_message_length": -1}
    with trivial.channel(**unlimited) as chan:
        call = process(chan)(iter([protos.request_body(b"x" * size)]), timeout=20)
        if status is None:
            assert len(list(call)) == 1
        else:
            assert status_of(call) == status
        assert check_health(chan) == SERVING


def test_unknown_methods(channel):
    for method in ("/envoy.service.ext_proc.v3.ExternalProcessor/Other", "/other.Service/Process", "/x"):
        call = process(channel, method)(iter([protos.request_headers(GET)]), timeout=5)
        assert status_of(call) == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_request(channel, compression):
    message = protos.request_body(b"a" * 10_000)
    call = process(channel)(iter([message]), timeout=5, compression=compression)
    assert status_of(call) == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("message", [b"\xff", b"\x12\x7f", b"\x0a", b"not protobuf at all"])
def test_malformed_message(channel, message):
    call = process(channel)(iter([message]), timeout=5)
    assert status_of(call) == grpc.StatusCode.INTERNAL
    assert check_health(channel) == SERVING


def test_health_check(channel):
    assert check_health(channel) == SERVING
    assert check_health(channel, protos.SERVICE) == SERVING
    with pytest.raises(grpc.RpcError) as error:
        check_health(channel, "unknown.Service")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_watch(channel):
    watch = watch_health(channel)
    assert next(watch).status == SERVING
    watch.cancel()
    unknown = watch_health(channel, "unknown.Service")
    assert next(unknown).status == SERVICE_UNKNOWN
    unknown.cancel()


def test_health_watch_sees_the_drain(own_launcher):
    server = Extproc(own_launcher, "examples.TrivialExtProcService", arguments=("-g", "10"))
    with server.channel() as chan:
        watch = watch_health(chan)
        assert next(watch).status == SERVING
        server.process.signal(15)
        assert next(watch).status == NOT_SERVING
        watch.cancel()
        assert server.process.wait() == 0


def test_slow_reader_is_not_buffered_without_bound(scripted):
    """A client that sends and never reads is stopped by flow control long before the server holds what it would send."""
    window = {"grpc.http2.lookahead_bytes": 65_536, "grpc.http2.bdp_probe": 0}
    fill = 1 << 20
    with scripted.channel(**window) as chan:
        requests = Requests(scripted_get(f"request_body fill {fill}"))
        before = scripted.process.resident_kib()
        call = process(chan)(iter(requests), timeout=20)
        for _ in range(200):
            requests.send(protos.request_body(b"x" * 1000, False))
        eventually(lambda: scripted.process.resident_kib() - before > 1024, "the server to fill answers")
        # Where two hundred answers of 1 MiB would be waiting, a few are.
        peaks = [scripted.process.resident_kib() - before for _ in range(50) if not time.sleep(0.01)]
        assert max(peaks) < 64 << 10
        call.cancel()
        requests.close()


def test_peers_of_ipv6_and_ipv4(trivial):
    for target in (f"[::1]:{trivial.address}", f"127.0.0.1:{trivial.address}"):
        with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as chan:
            assert check_health(chan) == SERVING
