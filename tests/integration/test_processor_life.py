"""What a processor does besides handlers: its start and end, its health, the end of its streams, and what it needs of its filter."""

import subprocess

import pytest
import yaml
from grpc_health.v1 import health_pb2

from harness import http, paths, schemas
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.extproc import Extproc
from harness.grpc_client import check_health, watch_health
from harness.processes import free_port

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIVELY = "test_processors.Lively"
ONLY_REQUEST_HEADERS = Mode(request_body="NONE", response_body="NONE", response_header="SKIP")


def extproc(*arguments, **options) -> subprocess.CompletedProcess:
    command = [str(paths.built("extproc")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, **options)


def test_config_and_check_make_a_processor_and_do_not_start_it(tmp_path):
    written = extproc("config", "-s", LIVELY)
    assert written.returncode == 0, written.stderr
    assert "lively made" in written.stderr
    assert "lively starts" not in written.stderr
    assert "lively stops" not in written.stderr
    (tmp_path / "envoy.yaml").write_text(written.stdout)
    checked = extproc("check", tmp_path / "envoy.yaml", "-s", LIVELY)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "lively made" in checked.stderr
    assert "lively starts" not in checked.stderr


def test_one_that_cannot_start_keeps_the_command_from_serving():
    run = extproc("serve", "-s", LIVELY, "-p", free_port(), env={"LIVELY_FAILS": "1"})
    assert run.returncode == 1
    assert "Lively cannot start: the database is away" in run.stderr


def test_it_starts_is_ready_and_stops(own_launcher, tmp_path):
    ready = tmp_path / "ready"
    server = Extproc(own_launcher, LIVELY, env={"LIVELY_READY": str(ready)})
    with server.channel() as channel:
        assert check_health(channel) == NOT_SERVING
        watch = watch_health(channel)
        assert next(watch).status == NOT_SERVING
        ready.touch()
        assert next(watch).status == SERVING
        assert check_health(channel) == SERVING
    server.process.signal(15)
    assert server.process.wait() == 0
    told = [line for line in server.process.log().splitlines() if line.startswith("lively ")]
    assert told == ["lively made", "lively starts", "lively stops"]


@pytest.mark.parametrize(("name", "status"), [("Lively", "OK"), ("LivelyToTheEnd", "CANCELLED")])
def test_the_end_of_a_stream_is_told_behind_envoy(own_launcher, echo_port, name, status):
    """With an early end that is the server's own; without it the stream lasts until Envoy ends it, with the HTTP request."""
    server = Extproc(own_launcher, f"test_processors.{name}", env={"REVEAL_EXTPROC_CHAIN": "false"})
    port, admin = free_port(), free_port()
    clusters = [Cluster("processor", (server.address,)), Cluster("upstream", (echo_port,), http2=False)]
    filters = (Filter("processor", ONLY_REQUEST_HEADERS, extra={"request_attributes": ["request.path"]}),)
    Envoy(own_launcher, bootstrap(admin, [Listener("http", port, filters)], clusters), admin, concurrency=1)
    for number in range(3):
        assert http.request(port, "GET", f"/{number}").status == 200
        server.process.wait_for_log(f"lively completes /{number} {status}")
    assert len(server.lines("lively completes")) == 3


def test_what_it_needs_is_written_and_works(own_launcher, echo_port, tmp_path):
    server = Extproc(own_launcher, LIVELY, env={"REVEAL_EXTPROC_CHAIN": "false"})
    port, admin = free_port(), free_port()
    written = extproc(
        "config", "-s", LIVELY, "--address", f"127.0.0.1:{server.address}", "--listen", f"127.0.0.1:{port}",
        "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{echo_port}", env={"REVEAL_EXTPROC_CHAIN": "false"},
    )  # fmt: skip
    assert written.returncode == 0, written.stderr
    assert "message_timeout: 1.5s" in written.stdout
    assert "receiving_namespaces" in written.stdout
    envoy = Envoy(own_launcher, written.stdout, admin, concurrency=1)
    envoy.wait_for_healthy("lively", 1)
    assert http.request(port, "GET", "/needed").status == 200
    server.process.wait_for_log("lively completes /needed")


@pytest.mark.parametrize("format", ["envoy-gateway", "istio"])
def test_what_it_needs_fits_the_schemas_of_kubernetes(format):
    written = extproc("config", "-s", LIVELY, "--format", format)
    assert written.returncode == 0, written.stderr
    assert "com.example.lively" in written.stdout
    for resource in yaml.safe_load_all(written.stdout):
        schemas.validate(resource)


def test_a_filter_that_lacks_what_it_needs_is_found(tmp_path):
    written = extproc("config", "-s", LIVELY).stdout
    damaged = "\n".join(line for line in written.splitlines() if "request_attributes" not in line)
    assert damaged != written
    (tmp_path / "envoy.yaml").write_text(damaged)
    checked = extproc("check", tmp_path / "envoy.yaml", "-s", LIVELY)
    assert checked.returncode == 1
    assert "Lively needs the attribute request.path" in checked.stdout
    assert "mend: add request.path to request_attributes" in checked.stdout
