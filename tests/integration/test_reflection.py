"""Server reflection: clients that have no files of the services."""

import json
import subprocess

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from harness import paths, protos
from harness.extproc import Extproc
from harness.grpc_client import Requests

SERVICES = [
    protos.SERVICE,
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]
PROCESSOR = "examples.TrivialExtProcService"
GET = {"requestHeaders": {"endOfStream": True, "headers": {"headers": [{"key": "x-request-id", "rawValue": "cjE="}]}}}


@pytest.fixture(scope="module")
def reflecting(launcher) -> Extproc:
    return Extproc(launcher, PROCESSOR, arguments=("--reflection",))


@pytest.fixture
def channel(reflecting):
    with reflecting.channel() as chan:
        yield chan


def grpcurl(server: Extproc, *arguments: str, data: str | None = None) -> subprocess.CompletedProcess:
    """Without a file; flags come first."""
    what = [argument for argument in arguments if not argument.startswith("-")]
    flags = [argument for argument in arguments if argument.startswith("-")]
    flags += ["-d", data] if data else []
    command = [paths.tool("grpcurl"), "-plaintext", *flags, f"127.0.0.1:{server.address}", *what]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20, check=False)


def infos(channel, version: str, *requests) -> list:
    """The answers to what is sent on one stream; v1alpha's messages are v1's."""
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return list(call(iter(requests), timeout=10))


def names(answer) -> list[str]:
    files = answer.file_descriptor_response.file_descriptor_proto
    return [descriptor_pb2.FileDescriptorProto.FromString(file).name for file in files]


def test_grpcurl_lists_and_describes(reflecting):
    listed = grpcurl(reflecting, "list")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.split() == SERVICES
    methods = grpcurl(reflecting, "list", protos.SERVICE)
    assert methods.stdout.split() == [f"{protos.SERVICE}.Process"]
    described = grpcurl(reflecting, "describe", "envoy.service.ext_proc.v3.ProcessingRequest")
    assert described.returncode == 0, described.stderr
    assert "message ProcessingRequest" in described.stdout
    assert ".envoy.service.ext_proc.v3.HttpHeaders request_headers = 2" in described.stdout
    for service in SERVICES:
        assert grpcurl(reflecting, "describe", service).returncode == 0
    missing = grpcurl(reflecting, "describe", "envoy.Missing")
    assert missing.returncode != 0
    assert "Symbol not found: envoy.Missing" in missing.stderr


def test_grpcurl_calls_with_json(reflecting):
    call = grpcurl(reflecting, f"{protos.SERVICE}/Process", data=json.dumps(GET))
    assert call.returncode == 0, call.stderr
    (option,) = json.loads(call.stdout)["requestHeaders"]["response"]["headerMutation"]["setHeaders"]
    assert option["header"] == {"key": "x-extra-request-id", "rawValue": "cjE="}
    health = grpcurl(reflecting, "grpc.health.v1.Health/Check")
    assert json.loads(health.stdout) == {"status": "SERVING"}


def test_a_server_has_none_unless_it_is_told_to(trivial):
    listed = grpcurl(trivial, "list")
    assert listed.returncode != 0
    assert "does not support the reflection API" in listed.stderr
    with trivial.channel() as chan:
        for version in ("v1", "v1alpha"):
            with pytest.raises(grpc.RpcError) as error:
                infos(chan, version, reflection_pb2.ServerReflectionRequest(list_services=""))
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_grpcio_builds_its_messages_from_it(channel):
    """Its client speaks v1alpha, and asks for one thing on each stream."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert sorted(database.get_services()) == SERVICES
    pool = DescriptorPool(database)
    method = pool.FindServiceByName(protos.SERVICE).FindMethodByName("Process")
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    message = request()
    message.request_headers.headers.headers.add(key="x-request-id", raw_value=b"r1")
    call = channel.stream_stream(
        f"/{protos.SERVICE}/Process",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
    (answer,) = call(iter([message]), timeout=5)
    assert protos.set_headers(answer.request_headers.response.header_mutation) == {"x-extra-request-id": b"r1"}
    field_options = pool.FindMessageTypeByName("google.protobuf.FieldOptions")
    assert pool.FindExtensionByNumber(field_options, 1071).full_name == "validate.rules"
    assert 1071 in database.FindAllExtensionNumbers("google.protobuf.FieldOptions")
    assert pool.FindExtensionByName("envoy.annotations.deprecated_at_minor_version").number == 157299826


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_each_query_on_one_stream(channel, version):
    """What is not there is an error within its answer, and the stream goes on."""
    request = reflection_pb2.ServerReflectionRequest
    extension = reflection_pb2.ExtensionRequest
    options = "google.protobuf.FieldOptions"
    asked = [
        request(host="h", list_services="*"),
        request(file_by_filename="google/protobuf/any.proto"),
        request(file_containing_symbol=f"{protos.SERVICE}.Process"),
        request(file_containing_extension=extension(containing_type=options, extension_number=1071)),
        request(all_extension_numbers_of_type=options),
        request(all_extension_numbers_of_type="google.protobuf.Any"),
        request(file_by_filename="none.proto"),
        request(file_containing_symbol="none"),
        request(file_containing_extension=extension(containing_type=options, extension_number=7)),
        request(all_extension_numbers_of_type="none"),
        request(),
    ]
    answers = infos(channel, version, *asked)
    assert [answer.original_request for answer in answers] == asked
    assert answers[0].valid_host == "h"
    assert [service.name for service in answers[0].list_services_response.service] == SERVICES
    assert names(answers[1]) == ["google/protobuf/any.proto"]
    first, *imported = names(answers[2])
    assert first == "envoy/service/ext_proc/v3/external_processor.proto"
    assert "envoy/config/core/v3/base.proto" in imported
    assert "google/protobuf/any.proto" not in imported  # the stream has had it
    assert names(answers[3]) == ["validate/validate.proto"]
    assert 1071 in answers[4].all_extension_numbers_response.extension_number
    assert list(answers[5].all_extension_numbers_response.extension_number) == []
    assert answers[5].WhichOneof("message_response") == "all_extension_numbers_response"
    assert [answer.error_response.error_code for answer in answers[6:]] == [5, 5, 5, 5, 12]


def test_what_it_tells_is_envoys(channel):
    """The descriptors that the other tests have their messages from."""
    files = descriptor_pb2.FileDescriptorSet.FromString(paths.DESCRIPTORS.read_bytes()).file
    request = reflection_pb2.ServerReflectionRequest
    told = infos(channel, "v1", *(request(file_by_filename=file.name) for file in files))
    parse = descriptor_pb2.FileDescriptorProto.FromString
    assert [parse(answer.file_descriptor_response.file_descriptor_proto[0]) for answer in told] == list(files)


def test_a_stream_that_stays_open_does_not_hold_up_the_end(own_launcher):
    server = Extproc(own_launcher, PROCESSOR, arguments=("--reflection", "-g", "60", "--drain-delay", "0"))
    with server.channel() as chan:
        requests = Requests(reflection_pb2.ServerReflectionRequest(list_services=""))
        call = reflection_pb2_grpc.ServerReflectionStub(chan).ServerReflectionInfo(iter(requests), timeout=30)
        assert next(call).WhichOneof("message_response") == "list_services_response"
        server.process.signal(15)
        with pytest.raises(grpc.RpcError) as error:
            next(call)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        requests.close()
        assert server.process.wait() == 0


def test_a_request_may_have_only_so_many_bytes(channel):
    with pytest.raises(grpc.RpcError) as error:
        infos(channel, "v1", reflection_pb2.ServerReflectionRequest(file_by_filename="x" * (16 << 10)))
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "16384" in error.value.details()
