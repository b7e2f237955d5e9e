"""`extproc check`: what it prints, and its exit status."""

import asyncio
import re

import pytest
import yaml

from harness import http, paths
from harness.command import check, config, extproc, validate_with_envoy
from harness.envoy import Envoy
from harness.extproc import Extproc
from harness.processes import free_port

SIX = ",".join(f"examples.{name}ExtProcService" for name in ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx"))
TRIVIAL, DIGEST = "examples.TrivialExtProcService", "examples.DigestExtProcService"


def test_a_finding_has_its_line_and_its_mend(tmp_path):
    text = config("-s", DIGEST).replace("request_body_mode: BUFFERED", "request_body_mode: NONE")
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if "request_body_mode" in line)
    file = tmp_path / "envoy.yaml"
    file.write_text(text)
    run = extproc("check", file, "-s", DIGEST)
    assert run.returncode == 1
    assert run.stderr == ""
    first, mend, summary = run.stdout.splitlines()
    assert re.fullmatch(rf"{re.escape(str(file))}:{line}:\d+: error: .*handles request_body.*\[phase-not-sent\]", first)
    assert mend == "    mend: set request_body_mode: BUFFERED"
    assert summary == f"{file}: 1 error, 0 warnings"
    # The mend mends it.
    file.write_text(text.replace("request_body_mode: NONE", "request_body_mode: BUFFERED"))
    assert extproc("check", file, "-s", DIGEST).returncode == 0


def test_warnings_count_when_strict():
    text = config("-s", TRIVIAL).replace("request_body_mode: NONE", "request_body_mode: BUFFERED")
    run = check(text, "-s", TRIVIAL)
    assert run.returncode == 0
    assert "[phase-not-handled]" in run.stdout
    assert check(text, "-s", TRIVIAL, "--strict").returncode == 1


def test_what_the_issue_names():
    """Each of these makes the check fail, at the line that does it."""
    sound = config("-s", DIGEST)
    damages = {
        "phase-not-sent": ("response_body_mode: BUFFERED", "response_body_mode: NONE"),
        "full-duplex-without-trailers": ("request_body_mode: BUFFERED", "request_body_mode: FULL_DUPLEX_STREAMED"),
        "message-timeout-over-grpc-timeout": ("envoy_grpc: {", "timeout: 0.1s\n                      envoy_grpc: {"),
        "no-http2": ("http2_protocol_options:", "http_protocol_options: {}\n            unrelated:"),
    }
    for rule, (before, after) in damages.items():
        assert sound.count(before) == 1
        run = check(sound.replace(before, after), "-s", DIGEST)
        assert run.returncode == 1, rule
        assert f"[{rule}]" in run.stdout
    assert "[mode-override-not-allowed]" in check(sound, "-s", DIGEST, "--allow-mode-override").stdout


_NAMED = ("name", "load_assignment")


def _manager(root: dict) -> dict:
    return root["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def _filters_and_clusters(root: dict) -> tuple[list[dict], list[dict]]:
    filters = [one["typed_config"] for one in _manager(root)["http_filters"]]
    return [one for one in filters if "grpc_service" in one], root["static_resources"]["clusters"]


# Ours, with their processors, and what each does on purpose: in the deployment all processors get everything.
CONFIGURATIONS = {
    "deploy/envoy.yaml": (SIX, {"phase-not-handled"}),
    "deploy/compose/envoy.yaml": (SIX, {"phase-not-handled"}),
    "examples/starter/envoy.yaml": ("test_processors.Starter", set()),
    "examples/production/compose/envoy.yaml": (
        ",".join(f"production.{name}" for name in ("CallLog", "JwtAuth", "Idempotency", "AiGateway")),
        set(),
    ),
}
# Those whose processors are found by names.
BY_NAME = {"deploy/compose/envoy.yaml", "examples/production/compose/envoy.yaml"}


@pytest.mark.parametrize("file", CONFIGURATIONS)
def test_our_own_configurations(file):
    services, on_purpose = CONFIGURATIONS[file]
    run = extproc("check", paths.REPOSITORY / file, "-s", services)
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(re.findall(r"\[([a-z-]+)\]$", run.stdout, re.MULTILINE)) == on_purpose, run.stdout


@pytest.mark.parametrize("file", CONFIGURATIONS)
def test_our_own_configurations_have_what_config_writes(file):
    """Retries, windows, health checks, limits, and no end of responses: but for names and modes."""
    address = "processor:50051" if file in BY_NAME else "127.0.0.1:50051"
    (written, *_), (cluster, *_) = _filters_and_clusters(yaml.safe_load(config("-s", DIGEST, "--address", address)))
    own = yaml.safe_load((paths.REPOSITORY / file).read_text())
    filters, clusters = _filters_and_clusters(own)
    for one in filters:
        for field in ("retry_policy", "timeout"):
            assert one["grpc_service"].get(field) == written["grpc_service"].get(field)
    names = {one["grpc_service"]["envoy_grpc"]["cluster_name"] for one in filters}
    processors = [one for one in clusters if one["name"] in names]
    assert len(processors) == len(filters)
    for one in processors:
        assert {k: v for k, v in one.items() if k not in _NAMED} == {k: v for k, v in cluster.items() if k not in _NAMED}
    for route in _manager(own)["route_config"]["virtual_hosts"][0]["routes"]:
        assert "route" not in route or route["route"]["timeout"] == "0s"


def test_no_configuration_of_ours_is_left_out():
    folders = (path for path in paths.REPOSITORY.iterdir() if path.is_dir() and path.name not in ("build", ".git"))
    files = (file for folder in folders for file in folder.rglob("*envoy*.yaml"))
    with_filter = {str(file.relative_to(paths.REPOSITORY)) for file in files if "ext_proc.v3.ExternalProcessor" in file.read_text()}
    assert with_filter == set(CONFIGURATIONS)


REFUSED = {
    "full-duplex-without-trailers": ("request_body_mode: BUFFERED", "request_body_mode: FULL_DUPLEX_STREAMED"),
    "unknown-field": ("failure_mode_allow: false", "failure_mode_allowed: false"),
    "unknown-value": ("request_body_mode: BUFFERED", "request_body_mode: BUFERED"),
    "not-a-duration": ("message_timeout: 0.2s", "message_timeout: 200ms"),
    "no-grpc-service": ("envoy_grpc: { cluster_name: digest-ext-proc-service }", ""),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_what_envoy_is_said_to_refuse(rule, tmp_path):
    sound = config("-s", DIGEST)
    validate_with_envoy(sound, tmp_path)
    before, after = REFUSED[rule]
    assert sound.count(before) == 1
    damaged = sound.replace(before, after)
    run = check(damaged, "-s", DIGEST)
    assert run.returncode == 1
    assert "Envoy refuses the configuration" in next(line for line in run.stdout.splitlines() if f"[{rule}]" in line)
    with pytest.raises(AssertionError, match="Envoy refuses it"):
        validate_with_envoy(damaged, tmp_path)


def test_without_http2_every_request_fails(own_launcher, echo_port):
    processor = Extproc(own_launcher, DIGEST)
    port, admin = free_port(), free_port()
    text = config(
        "-s", DIGEST, "--address", f"127.0.0.1:{processor.address}", "--listen", f"127.0.0.1:{port}",
        "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    of_http2 = ("connection_keepalive", "max_concurrent_streams", "initial_stream_window_size")
    lines = [line for line in text.splitlines() if not any(name in line for name in of_http2)]
    damaged = "\n".join(lines).replace("http2_protocol_options:", "http_protocol_options: {}")
    # Envoy itself refuses the health check of gRPC without HTTP/2.
    damaged = re.sub(r"grpc_health_check: {.*}", "tcp_health_check: {}", damaged)
    assert "[no-http2]" in check(damaged, "-s", DIGEST).stdout
    Envoy(own_launcher, damaged, admin)
    assert http.request(port, "GET", "/").status == 500


async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(1)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


def test_envoy_does_not_apply_the_timeout_of_the_stream(own_launcher):
    """What the rule stream-timeout and the documentation say of Envoy 1.40."""
    processor = Extproc(own_launcher, TRIVIAL)
    port, admin = free_port(), free_port()

    async def ask_a_slow_upstream() -> http.Response:
        server = await asyncio.start_server(answer_late, "127.0.0.1", 0)
        async with server:
            upstream = server.sockets[0].getsockname()[1]
            text = config(
                "-s", TRIVIAL, "--address", f"127.0.0.1:{processor.address}", "--listen", f"127.0.0.1:{port}",
                "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{upstream}",
            )  # fmt: skip
            text = text.replace("envoy_grpc: {", "timeout: 0.3s\n                      envoy_grpc: {")
            assert "[stream-timeout]" in check(text, "-s", TRIVIAL).stdout
            await asyncio.to_thread(Envoy, own_launcher, text, admin)
            return await http.request_async(port, "GET", "/")

    response = asyncio.run(ask_a_slow_upstream())
    assert response.status == 200
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("/nowhere.yaml", "-s", TRIVIAL), "cannot read /nowhere.yaml"),
        (("/", "-s", TRIVIAL), "cannot read /"),
        (("-", "-s", TRIVIAL), "cannot read -"),
        ((str(paths.REPOSITORY / "README.md"), "-s", TRIVIAL), "README.md"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", TRIVIAL), "6 ext_proc filters"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", TRIVIAL, "--filter", "none"), "there are: context"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", "examples.Nobody"), "exports no Nobody"),
    ],
)
def test_what_cannot_be_checked(arguments, reason):
    run = extproc("check", *arguments, input="")
    assert run.returncode == 2
    assert run.stdout == ""
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1


def test_what_envoy_dumps_is_read_as_what_it_was_given(own_launcher, echo_port):
    """What a dump tells twice, or leaves out, makes no finding."""
    port, admin = free_port(), free_port()
    text = config(
        "-s", DIGEST, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    damaged = text.replace("request_body_mode: BUFFERED", "request_body_mode: STREAMED")
    Envoy(own_launcher, damaged, admin)
    dump = http.request(admin, "GET", "/config_dump").body.decode()
    assert "failure_mode_allow" not in dump
    found = {rule: len(re.findall(rf"\[{rule}\]", check(dump, "-s", DIGEST).stdout)) for rule in _rules(check(damaged, "-s", DIGEST).stdout)}
    assert found == {"body-mode": 1}
    assert _rules(check(dump, "-s", DIGEST).stdout) == set(found)


def _rules(output: str) -> set[str]:
    return set(re.findall(r"\[([a-z-]+)\]$", output, re.MULTILINE))


ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "status", "line", "reason"),
    [
        ("a: &a [*a]\n", 2, 1, "without end"),
        ("b: 1\nc: &c\n  d: { e: *c }\n", 2, 2, "without end"),
        (ALIASES, 2, None, "stand for more"),
        ("a: &a { b: 1 }\nc:\n  <<: *a\n", 1, 3, "[merge-key]"),
        ("a: {{ .Values.a }}\n", 1, 1, "[template]"),
        ("a:\n  {{- if .Values.a }}\n  b: 1\n  {{- end }}\n", 2, 2, "template"),
    ],
)
def test_hostile_yaml(text, status, line, reason):
    run = check(text, "-s", DIGEST)
    output = run.stdout + run.stderr
    assert run.returncode == status, output
    assert reason in output
    assert line is None or f"line {line}," in output or f"<standard input>:{line}:" in output, output
