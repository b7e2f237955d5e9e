"""What the tests share: programs that are started once, and their logs when a test fails."""

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

# What starts a program forks, and gRPC's own threads end such a child now and then, when it looks after them: before it is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from harness import paths
from harness.certificates import Authority, Pair
from harness.envoy import Envoy
from harness.envoy_config import with_ports
from harness.envoy_tls import Files
from harness.extproc import Extproc, serve_examples
from harness.lab import Lab
from harness.processes import Launcher, Process, free_port
from harness.tls_server import Pki

LOG_TAIL = 4000


@pytest.fixture(scope="session")
def launcher(tmp_path_factory):
    """Starts programs that run until the end of the session."""
    programs = Launcher(tmp_path_factory.mktemp("session"))
    yield programs
    programs.stop_all()


@pytest.fixture
def own_launcher(tmp_path):
    """Starts programs that run until the end of the test."""
    programs = Launcher(tmp_path)
    yield programs
    programs.stop_all()


@pytest.fixture
def folder():
    """A folder with a short name, as sockets in it need."""
    path = Path("/tmp") / f"extproc-test-{os.getpid()}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def echo_port(launcher) -> int:
    """The echo upstream of the examples."""
    port = free_port()
    launcher.start("echo_upstream", [paths.built("echo_upstream"), "--port", port]).wait_until_open(port)
    return port


@pytest.fixture(scope="session")
def raw_port(launcher) -> int:
    """The upstream of harness/upstream.py, which returns bodies as they came, and trailers."""
    port = free_port()
    script = Path(__file__).parent / "harness" / "upstream.py"
    launcher.start("raw_upstream", [sys.executable, script, port]).wait_until_open(port)
    return port


@pytest.fixture(scope="session")
def streaming_port(launcher) -> int:
    """The upstream of harness/streaming_upstream.py, for bodies of any size."""
    port = free_port()
    script = Path(__file__).parent / "harness" / "streaming_upstream.py"
    launcher.start("streaming_upstream", [sys.executable, script, port]).wait_until_open(port)
    return port


@pytest.fixture(scope="session")
def deployment(request):
    """The example deployment: deploy/envoy.yaml with its ports replaced, and all six examples. Or one that runs already, behind a
    port of this machine."""
    if port := os.environ.get("EXTPROC_DEPLOYMENT_PORT"):
        return SimpleNamespace(port=int(port))
    return Deployment(request.getfixturevalue("launcher"), request.getfixturevalue("echo_port"))


@pytest.fixture(scope="session")
def lab(launcher, raw_port) -> Lab:
    """Envoy with many filters of the processors of tests/integration/module."""
    return Lab(launcher, raw_port)


@pytest.fixture(scope="module")
def trivial(launcher) -> Extproc:
    """A server to talk to without Envoy."""
    return Extproc(launcher, "examples.TrivialExtProcService")


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """A CA."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def server_pair(authority) -> Pair:
    """The certificate of a server of it, for processor.example and the loopback."""
    return authority.server("DNS:processor.example", "IP:127.0.0.1")


@pytest.fixture
def tls_files(tmp_path, authority) -> Files:
    """Those of an Envoy that speaks TLS."""
    return Files(tmp_path, authority)


@pytest.fixture(scope="module")
def pki(tmp_path_factory) -> Pki:
    ca = Authority(tmp_path_factory.mktemp("ca"))
    client = ca.client("DNS:envoy.example", "URI:spiffe://example.org/envoy")
    return Pki(ca, ca.server(), client, Authority(tmp_path_factory.mktemp("other"), "other"))


class Deployment:
    """Envoy with the six examples."""

    def __init__(self, launcher: Launcher, echo_port: int):
        self.processors = serve_examples(launcher)
        self.port, admin = free_port(), free_port()
        ports = {8080: self.port, 9901: admin, 8081: echo_port}
        for default, processor in enumerate(self.processors.values(), start=50051):
            ports[default] = processor.address
        self.envoy = Envoy(launcher, with_ports(paths.REPOSITORY / "deploy" / "envoy.yaml", ports), admin)
        for cluster in ("trivial", "timer", "echo", "digest", "decorated", "context"):
            self.envoy.wait_for_healthy(cluster, 1)


def pytest_collection_modifyitems(config, items):
    """An Envoy that was built without a sanitizer loads no filter that has one: the filter's own tests do that (tests/unit/filter)."""
    if paths.build_dir().name == "release":
        return
    inside = [item for item in items if _is_inside(item)]
    items[:] = [item for item in items if item not in inside]
    config.hook.pytest_deselected(items=inside)


def _is_inside(item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return item.path.name.startswith("test_in_envoy") or item.name.startswith("test_inside") or "inside" in parameters


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    for process in Process.running:
        new = process.new_log()
        if report.failed and new:
            report.sections.append((f"log of {process.name}", new[-LOG_TAIL:]))
    return report
