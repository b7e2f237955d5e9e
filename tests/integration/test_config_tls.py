"""What `extproc config --tls` writes: Envoy speaks TLS with the server, shows its certificate, and takes renewed ones."""

import os
import ssl
from concurrent import futures

import grpc
import pytest
import yaml
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from harness import http, protos, schemas
from harness.certificates import Authority
from harness.command import check, config, extproc, validate_with_envoy
from harness.envoy_tls import CLUSTER, TRIVIAL, Files, ask
from harness.tls_peer import Handshake, TlsPeer

NAME = "processor.example"
NOTHING_FOUND = "<standard input>: nothing found\n"


@pytest.mark.parametrize("mutual", [True, False], ids=["mutual", "server"])
@pytest.mark.parametrize("address", ["127.0.0.1:50051", f"{NAME}:50051", "[::1]:50051"])
def test_envoy_accepts_it_and_nothing_is_found_in_it(tls_files, tmp_path, address, mutual):
    flags = [*TRIVIAL, "--address", address, *tls_files.flags(mutual)]
    tls_files.write_sds(*flags)
    text = config(*flags)
    validate_with_envoy(text, tmp_path)
    for told, status in (("--tls", 0), ("--no-tls", 1)):
        found = check(text, *TRIVIAL, "--strict", told)
        assert found.returncode == status, found.stdout
        assert status or found.stdout == NOTHING_FOUND
    # Without a word about the server it is worth one.
    found = check(text, *TRIVIAL)
    assert found.returncode == 0 and "warning:" in found.stdout and "[tls]" in found.stdout
    assert check(config(*TRIVIAL, "--address", address), *TRIVIAL, "--tls").returncode == 1


def test_the_cluster_alone_is_that_of_the_whole(tls_files):
    flags = [*TRIVIAL, *tls_files.flags()]
    whole = yaml.safe_load(config(*flags))["static_resources"]["clusters"][0]
    assert yaml.safe_load(config(*flags, "--format", "cluster")) == [whole]
    patch = yaml.safe_load(config(*flags, "--format", "istio", "--address", "127.0.0.1:50051"))["spec"]["configPatches"][0]
    assert patch["patch"]["value"] == whole


def test_envoy_starts_with_the_files_of_sds_alone(tls_files, tmp_path):
    """As the comment beside the transport_socket says."""
    text = config(*TRIVIAL, *tls_files.flags())
    with pytest.raises(AssertionError, match="extproc-certificate.yaml"):
        validate_with_envoy(text, tmp_path)


@pytest.mark.parametrize("name", [None, NAME], ids=["address", "name"])
def test_envoy_offers_what_the_server_asks_for(own_launcher, tls_files, authority, server_pair, name):
    with TlsPeer(server_pair, authority.certificate) as peer:
        ask(own_launcher, tls_files, peer.port, *(("--tls-server-name", name) if name else ()))
        assert peer.next() == Handshake(version="TLSv1.3", protocol="h2", server_name=name, client=("first.example",))


def test_a_server_of_the_newest_version_alone(own_launcher, tls_files, server_pair):
    with TlsPeer(server_pair, least_version=ssl.TLSVersion.TLSv1_3) as peer:
        ask(own_launcher, tls_files, peer.port, mutual=False)
        assert peer.next().version == "TLSv1.3"


@pytest.mark.parametrize("by", ["renaming", "kubernetes"])
def test_envoy_takes_renewed_certificates(own_launcher, tmp_path, authority, server_pair, by):
    """Its own, and then another CA, by which it trusts the server no more."""
    tls_files = Files(tmp_path, authority, by == "kubernetes")
    other = Authority(tmp_path, "other")
    with TlsPeer(server_pair, authority.certificate) as peer:
        ask(own_launcher, tls_files, peer.port)
        assert peer.next().client == ("first.example",)
        renewed = authority.client("DNS:second.example")
        tls_files.put(authority.certificate, renewed)
        peer.next_with(lambda one: one.client == ("second.example",), "the renewed certificate")
        assert peer.next().client == ("second.example",)
        tls_files.put(other.certificate, renewed)
        peer.next_with(lambda one: one.failure, "Envoy to refuse the server")
        assert "CERTIFICATE_UNKNOWN" in peer.next().failure or "UNKNOWN_CA" in peer.next().failure


@pytest.mark.parametrize("by", ["renaming", "kubernetes"])
def test_envoy_takes_other_files_of_sds(own_launcher, tmp_path, authority, server_pair, by):
    """Which name certificates in another folder."""
    tls_files = Files(tmp_path, authority, by == "kubernetes")
    (tmp_path / "moved").mkdir()
    moved = Files(tmp_path / "moved", authority)
    moved.put(authority.certificate, authority.client("DNS:moved.example"))
    with TlsPeer(server_pair, authority.certificate) as peer:
        ask(own_launcher, tls_files, peer.port)
        assert peer.next().client == ("first.example",)
        tls_files.write_sds(*TRIVIAL, *moved.flags())
        peer.next_with(lambda one: one.client == ("moved.example",), "the certificate of the other folder")


def test_what_is_written_in_place_is_not_seen_until_something_is_moved(own_launcher, tls_files, authority, server_pair):
    """As docs/configuration.md says of renewing them."""
    second = authority.client("DNS:second.example")
    with TlsPeer(server_pair, authority.certificate) as peer:
        ask(own_launcher, tls_files, peer.port)
        assert peer.next().client == ("first.example",)
        for name, file in (("tls.crt", second.certificate), ("tls.key", second.key)):
            (tls_files.certificates / name).write_bytes(file.read_bytes())
        for _ in range(3):
            assert peer.next().client == ("first.example",)
        (tls_files.certificates / "anything").touch()
        os.rename(tls_files.certificates / "anything", tls_files.certificates / "moved")
        peer.next_with(lambda one: one.client == ("second.example",), "the second certificate")


@pytest.mark.parametrize("wrong", ["name", "ca"])
def test_envoy_refuses_another_server(own_launcher, tmp_path, tls_files, authority, server_pair, wrong):
    pair = server_pair if wrong == "name" else Authority(tmp_path, "other").server(f"DNS:{NAME}")
    with TlsPeer(pair, authority.certificate) as peer:
        name = "elsewhere.example" if wrong == "name" else NAME
        envoy = ask(own_launcher, tls_files, peer.port, "--tls-server-name", name).envoy
        assert peer.next().failure
        assert envoy.healthy_endpoints(CLUSTER) == 0
        reason = {"name": "fail_verify_san", "ca": "fail_verify_error"}[wrong]
        assert envoy.stats(rf"^cluster\.{CLUSTER}\.ssl\.{reason}$")[f"cluster.{CLUSTER}.ssl.{reason}"] > 0


def _process(requests, _):
    """A processor of grpcio: a header for each direction."""
    for request in requests:
        response = protos.ProcessingResponse()
        which = request.WhichOneof("request")
        header = getattr(response, which).response.header_mutation.set_headers.add().header
        header.key, header.raw_value = f"x-{which.replace('_', '-')}", b"tls"
        yield response


@pytest.fixture
def grpc_server(authority, server_pair):
    """The port of a processor with health service, of grpcio, that lets in who has a certificate of the CA."""
    workers = grpc.server(futures.ThreadPoolExecutor(8))
    handler = grpc.stream_stream_rpc_method_handler(
        _process,
        request_deserializer=protos.ProcessingRequest.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    workers.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(protos.SERVICE, {"Process": handler}),))
    servicer = health.HealthServicer()
    servicer.set(protos.SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, workers)
    credentials = grpc.ssl_server_credentials([server_pair.pem()], authority.certificate.read_bytes(), require_client_auth=True)
    port = workers.add_secure_port("127.0.0.1:0", credentials)
    workers.start()
    yield port
    workers.stop(None).wait()


def test_requests_pass_with_mutual_tls(own_launcher, tls_files, echo_port, grpc_server):
    asking = ask(own_launcher, tls_files, grpc_server, "--tls-server-name", NAME, upstream=echo_port)
    asking.envoy.wait_for_healthy(CLUSTER, 1)
    response = http.request(asking.port, "GET", "/path")
    assert response.status == 200
    assert response.get("x-response-headers") == "tls"
    assert response.json()["headers"]["x-request-headers"] == "tls"
    assert not asking.envoy.ext_proc_failures()


def test_nothing_is_found_in_what_envoy_dumps(own_launcher, tls_files, echo_port, grpc_server):
    asking = ask(own_launcher, tls_files, grpc_server, "--tls-server-name", NAME, upstream=echo_port)
    dump = http.request(asking.envoy.admin_port, "GET", "/config_dump").body.decode()
    assert "combined_validation_context" in dump
    assert "tls" not in check(dump, *TRIVIAL, "--tls").stdout
    assert "[tls]" in check(dump, *TRIVIAL, "--no-tls").stdout


def test_who_shows_no_certificate_is_not_let_in(own_launcher, tls_files, echo_port, grpc_server):
    asking = ask(own_launcher, tls_files, grpc_server, mutual=False, upstream=echo_port)
    assert http.request(asking.port, "GET", "/path").status == 500
    assert asking.envoy.healthy_endpoints(CLUSTER) == 0


# What is refused, and what Kubernetes has.


@pytest.mark.parametrize("flags", [("--tls-ca", "processor-ca"), ("--tls",)], ids=["config-map", "system"])
def test_envoy_gateway_has_it_in_the_backend(flags):
    resources = list(yaml.safe_load_all(config(*TRIVIAL, "--format", "envoy-gateway", *flags)))
    for resource in resources:
        schemas.validate(resource)
    tls = resources[0]["spec"]["tls"]
    assert tls["sni"] == f"{CLUSTER}.default.svc.cluster.local"
    assert tls["alpnProtocols"] == ["h2"]


def test_istio_takes_it(tls_files):
    for resource in yaml.safe_load_all(config(*TRIVIAL, "--format", "istio", *tls_files.flags())):
        schemas.validate(resource)


@pytest.mark.parametrize(
    ("flags", "status", "reason"),
    [
        (("--tls",), 1, "--tls-ca"),
        (("--tls-cert", "/a.crt"), 2, "--tls-key"),
        (("--tls-key", "/a.key"), 2, "--tls-cert"),
        (("--tls-ca", ""), 2, "--tls-ca"),
        (("--tls-ca", "/ca.crt", "--address", "unix:/a.sock"), 1, "Unix domain socket"),
        (("--format", "sds-ca"), 1, "give --tls"),
        (("--format", "sds-certificate", "--tls-ca", "/ca.crt"), 1, "--tls-cert"),
        (("--format", "envoy-gateway", "--tls-cert", "/a.crt", "--tls-key", "/a.key"), 1, "9726"),
        (("--format", "envoy-gateway", "--tls", "--address", "10.0.0.1:50051"), 1, "--tls-server-name"),
    ],
)
def test_what_is_refused(flags, status, reason):
    run = extproc("config", *TRIVIAL, *flags)
    assert run.returncode == status
    assert run.stdout == ""
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1
