"""What `extproc config` writes: Envoy accepts it, Kubernetes' schemas too, `extproc check` finds nothing in it, and traffic passes."""

import copy

import pytest
import yaml

from harness import http, paths, schemas
from harness.command import BODY_MODES, EXAMPLES, body_mode_flags, check, config, extproc, handled_bodies, validate_with_envoy
from harness.envoy import Envoy
from harness.extproc import Extproc
from harness.processes import free_port

NOTHING_FOUND = "<standard input>: nothing found\n"
ADDRESSES = {"tcp": "127.0.0.1:50051", "unix": "unix:/run/extproc.sock", "dns": "extproc.example:50051"}
TRIVIAL, TIMER = "examples.TrivialExtProcService", "examples.TimerExtProcService"


def modes_of(service: str) -> tuple[str, ...]:
    return BODY_MODES if handled_bodies(service) else BODY_MODES[:1]


def with_pieces(bootstrap: str, filters: list[str], clusters: list[str]) -> str:
    """A bootstrap with these filters and clusters in place of its own."""
    root = yaml.safe_load(bootstrap)
    resources = root["static_resources"]
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    pieces = [piece for text in filters for piece in yaml.safe_load(text)]
    manager["http_filters"] = [*pieces, manager["http_filters"][-1]]
    pieces = [piece for text in clusters for piece in yaml.safe_load(text)]
    resources["clusters"] = [*pieces, resources["clusters"][-1]]
    return yaml.safe_dump(root)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("service", EXAMPLES)
def test_envoy_accepts_the_pieces(service, address, tmp_path):
    filters, clusters = [], []
    for mode in modes_of(service):
        flags = ["-s", service, "--address", ADDRESSES[address], "--cluster-name", mode.lower(), *body_mode_flags(service, mode)]
        filters.append(config(*flags, "--format", "filter"))
        clusters.append(config(*flags, "--format", "cluster"))
    validate_with_envoy(with_pieces(config("-s", service), filters, clusters), tmp_path)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("service", EXAMPLES)
def test_envoy_accepts_the_whole_and_nothing_is_found_in_it(service, address, tmp_path):
    for mode in modes_of(service):
        modes = body_mode_flags(service, mode)
        text = config("-s", service, "--format", "full", "--address", ADDRESSES[address], *modes)
        validate_with_envoy(text, tmp_path)
        found = check(text, "-s", service, "--strict", *modes)
        assert found.returncode == 0, found.stdout + found.stderr
        assert found.stdout == NOTHING_FOUND


@pytest.mark.parametrize(
    "flags",
    [
        ("--failure-mode-allow",),
        ("--message-timeout", "1.5", "--max-message-timeout", "3"),
        ("--allow-mode-override",),
        ("--mode-override",),
        ("--skip-request-headers",),
        ("--upstream", "https://localhost:8443"),
        ("--listen", "[::1]:0", "--admin", "unix:/tmp/admin.sock"),
    ],
    ids=lambda flags: flags[0].strip("-"),
)
def test_envoy_accepts_the_flags(flags, tmp_path):
    validate_with_envoy(config("-s", TIMER, *flags), tmp_path)


@pytest.mark.parametrize("format", ["filter", "istio"])
def test_nothing_is_found_in_pieces(format):
    for service in EXAMPLES:
        found = check(config("-s", service, "--format", format), "-s", service, "--strict")
        assert found.returncode == 0, found.stdout + found.stderr


def test_several_services(tmp_path):
    services = ("-s", f"{TRIVIAL},{TIMER}")
    for flags, filters in ((services, 1), ((*services, "--separate"), 2)):
        text = config(*flags)
        validate_with_envoy(text, tmp_path)
        assert len(yaml.safe_load(text)["static_resources"]["clusters"]) == filters + 1
        assert check(text, *flags, "--strict").returncode == 0


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("format", ["envoy-gateway", "istio"])
@pytest.mark.parametrize("service", EXAMPLES)
def test_kubernetes_resources_fit_their_schemas(service, format, address):
    for mode in modes_of(service):
        flags = body_mode_flags(service, mode)
        if format == "envoy-gateway" and service.endswith("BaseExtProcService") and mode != "FULL_DUPLEX_STREAMED":
            # It handles trailers, which an EnvoyExtensionPolicy sends in no other mode.
            refused = extproc("config", "-s", service, "--format", format, *flags)
            assert refused.returncode == 1 and "FULL_DUPLEX_STREAMED" in refused.stderr
            continue
        text = config("-s", service, "--format", format, "--address", ADDRESSES[address], *flags)
        for resource in yaml.safe_load_all(text):
            schemas.validate(resource)


@pytest.mark.parametrize("format", ["envoy-gateway", "istio"])
def test_kubernetes_resources_of_several_services_and_a_target(format):
    flags = ("-s", f"{TRIVIAL},{TIMER}", "--separate", "--format", format, "--target", "HTTPRoute/shop", "--namespace", "shop")
    resources = list(yaml.safe_load_all(config(*flags)))
    for resource in resources:
        schemas.validate(resource)
        assert resource["metadata"]["namespace"] == "shop"
    policy = next(one for one in resources if one["kind"] in ("EnvoyExtensionPolicy", "EnvoyFilter"))
    assert policy["spec"]["targetRefs"][0]["name"] == "shop"


def test_bodies_that_are_buffered_have_a_policy_for_envoy_gateway():
    flags = ("-s", "examples.DigestExtProcService", "--format", "envoy-gateway")
    for target, gateway in (("Gateway/edge", "edge"), ("HTTPRoute/shop", "gateway")):
        policy = list(yaml.safe_load_all(config(*flags, "--target", target)))[-1]
        schemas.validate(policy)
        assert policy["kind"] == "ClientTrafficPolicy"
        assert policy["spec"]["targetRefs"][0]["name"] == gateway
        assert policy["spec"]["connection"] == {"bufferLimit": "1Mi"}
        assert policy["spec"]["http2"] == {"initialStreamWindowSize": "1Mi"}


def test_a_handler_over_the_whole_body_is_streamed(tmp_path):
    for flags, mode in (((), "FULL_DUPLEX_STREAMED"), (("--failure-mode-allow",), "STREAMED")):
        text = config("-s", "streaming.Uppercase", *flags)
        assert f"response_body_mode: {mode}" in text
        validate_with_envoy(text, tmp_path)
        assert check(text, "-s", "streaming.Uppercase", "--strict").stdout == NOTHING_FOUND
    # One of messages beside it in the chain needs the whole in one message.
    chain = "streaming.Uppercase,examples.CtxExtProcService"
    assert "response_body_mode: BUFFERED" in config("-s", chain)


@pytest.mark.parametrize(
    "flags",
    [
        ("--allow-mode-override",),
        ("--mode-override",),
        ("--allowed-override-mode", "response_body_mode=FULL_DUPLEX_STREAMED,response_trailer_mode=SEND"),
    ],
    ids=lambda flags: flags[0].strip("-"),
)
def test_one_whose_mode_may_be_overridden_begins_in_another(flags, tmp_path):
    """Envoy ignores overrides in FULL_DUPLEX_STREAMED, so none is written beside them; the check reads the same flags."""
    service = ("-s", "streaming.Uppercase")
    text = config(*service, *flags)
    assert "allow_mode_override: true" in text and "response_body_mode: STREAMED" in text
    validate_with_envoy(text, tmp_path)
    for told in (flags, ()):
        found = check(text, *service, "--strict", *told)
        assert found.stdout == NOTHING_FOUND, found.stdout
    refused = extproc("config", *service, *flags, "--response-body-mode", "FULL_DUPLEX_STREAMED")
    assert refused.returncode == 1 and "--allow-mode-override" in refused.stderr
    # The processor asks for the body itself.
    off = (*flags, "--response-body-mode", "NONE")
    found = check(config(*service, *off), *service, "--strict", *flags)
    assert found.stdout == NOTHING_FOUND, found.stdout


@pytest.mark.parametrize("format", ["envoy-gateway", "istio"])
def test_the_schemas_refuse_what_is_wrong(format):
    """The check itself can fail: on a field that is not there, and on a value of another type."""
    good = list(yaml.safe_load_all(config("-s", TRIVIAL, "--format", format)))[-1]
    for wrong in ({"nonsense": 1}, {"targetRefs": "all"}):
        resource = copy.deepcopy(good)
        resource["spec"] |= wrong
        with pytest.raises(AssertionError, match=next(iter(wrong))):
            schemas.validate(resource)


@pytest.mark.parametrize("transport", ["tcp", "unix"])
@pytest.mark.parametrize("body_mode", ["BUFFERED", "BUFFERED_PARTIAL"])
def test_traffic_through_the_whole(own_launcher, echo_port, tmp_path, transport, body_mode):
    service = "examples.DigestExtProcService"
    processor = Extproc(own_launcher, service, socket=tmp_path / "a.sock" if transport == "unix" else None)
    address = f"unix:{processor.address}" if transport == "unix" else f"127.0.0.1:{processor.address}"
    port, admin = free_port(), free_port()
    text = config(
        "-s", service, "--address", address, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://localhost:{echo_port}", *body_mode_flags(service, body_mode),
    )  # fmt: skip
    envoy = Envoy(own_launcher, text, admin)
    envoy.wait_for_healthy("digest-ext-proc-service", 1)
    response = http.request(port, "PUT", "/path", body=b"some body")
    assert response.status == 200
    assert response.json()["body"] == "some body"
    assert response.get("x-ext-procs-applied") == "DigestExtProcService"
    assert len(response.json()["headers"]["x-request-digest"]) == 64
    assert not envoy.ext_proc_failures()


def test_traffic_through_separate_services(own_launcher, echo_port, tmp_path):
    services = ("-s", f"{TRIVIAL},{TIMER}", "--separate")
    sockets = [tmp_path / "trivial.sock", tmp_path / "timer.sock"]
    listen = [part for socket in sockets for part in ("--listen", f"unix:{socket}")]
    server = own_launcher.start("extproc", [paths.built("extproc"), "serve", *services, *listen, "-l"])
    for socket in sockets:
        server.wait_until_open(socket)
    port, admin = free_port(), free_port()
    addresses = [part for socket in sockets for part in ("--address", f"unix:{socket}")]
    text = config(
        *services, *addresses, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    envoy = Envoy(own_launcher, text, admin)
    for cluster in ("trivial-ext-proc-service", "timer-ext-proc-service"):
        envoy.wait_for_healthy(cluster, 1)
    response = http.request(port, "GET", "/")
    assert set(response.get("x-ext-procs-applied").split(",")) == {"TrivialExtProcService", "TimerExtProcService"}
    assert response.get("x-extra-request-id") and response.get("x-duration-ns")
    assert not envoy.ext_proc_failures()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("-s", "examples.DigestExtProcService", "--request-body-mode", "NONE"), "handles request_body"),
        (("-s", TRIVIAL, "--request-body-mode", "STREAMED"), "does not handle request_body"),
        (("-s", "examples.Nobody"), "examples.so exports no Nobody"),
        (("-s", TRIVIAL, "--address", "nowhere"), "--address"),
        (("-s", TRIVIAL, "--upstream", "localhost:3000"), "http://"),
        (("-s", TRIVIAL, "--listen", "example.com:80"), "--listen"),
        (("-s", TRIVIAL, "--format", "envoy-gateway", "--allow-envoy"), "mutation_rules"),
        (("-s", TRIVIAL, "--target", "shop"), "Kind/name"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(flags, reason):
    run = extproc("config", *flags)
    assert run.returncode == 1
    assert run.stdout == ""
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1


ENVOY_GATEWAYS_BUFFER = 32 << 10
LARGER = 40_000


def as_of_envoy_gateway(bootstrap: str, resources: list[dict]) -> str:
    """The bootstrap with the buffers that Envoy Gateway gives each connection, but for what the resources say."""
    client, backend = {}, {}
    for resource in resources:
        if resource["kind"] == "ClientTrafficPolicy":
            client = resource["spec"]
        elif resource["kind"] == "EnvoyExtensionPolicy":
            backend = resource["spec"]["extProc"][0]["backendSettings"]

    def size(text: str | None, otherwise: int) -> int:
        return otherwise if text is None else int(text.removesuffix("Mi")) << 20

    def buffer(settings: dict) -> int:
        return size(settings.get("connection", {}).get("bufferLimit"), ENVOY_GATEWAYS_BUFFER)

    root = yaml.safe_load(bootstrap)
    listener, clusters = root["static_resources"]["listeners"][0], root["static_resources"]["clusters"]
    listener["per_connection_buffer_limit_bytes"] = buffer(client)
    listener["filter_chains"][0]["filters"][0]["typed_config"]["http2_protocol_options"] = {
        "initial_stream_window_size": size(client.get("http2", {}).get("initialStreamWindowSize"), 64 << 10),
        "initial_connection_window_size": 1 << 20,
    }
    for cluster in clusters:
        # The upstream's is the affair of its own policy.
        cluster["per_connection_buffer_limit_bytes"] = buffer({} if cluster["name"] == "upstream" else backend)
    return yaml.safe_dump(root)


@pytest.mark.parametrize("policies", [True, False], ids=["written", "none"])
def test_a_body_over_the_buffer_of_envoy_gateway(own_launcher, streaming_port, policies):
    """40 kB are held for the processor with what `config` writes for it, and refused without: of requests and of responses."""
    service = "examples.DigestExtProcService"
    processor = Extproc(own_launcher, service)
    port, admin = free_port(), free_port()
    text = config(
        "-s", service, "--address", f"127.0.0.1:{processor.address}", "--listen", f"127.0.0.1:{port}",
        "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://localhost:{streaming_port}",
    )  # fmt: skip
    assert text.count("body_mode: BUFFERED") == 2
    written = list(yaml.safe_load_all(config("-s", service, "--format", "envoy-gateway")))
    envoy = Envoy(own_launcher, as_of_envoy_gateway(text, written if policies else []), admin)
    envoy.wait_for_healthy("digest-ext-proc-service", 1)
    request = http.request(port, "PUT", "/sink", body=b"x" * LARGER)
    response = http.request(port, "GET", f"/source/{LARGER}")
    assert (request.status, response.status) == ((200, 200) if policies else (413, 500))
    if policies:
        assert request.json()["bytes"] == len(response.body) == LARGER
    # What fits passes either way.
    assert http.request(port, "PUT", "/sink", body=b"x" * 1000).json()["bytes"] == 1000
