"""The cluster and the names that the tests share. All of it runs in a network of its own (scripts/control_plane_test.sh)."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "deploy")]

from cluster import Cluster  # noqa: E402
from names import Names  # noqa: E402

from harness import paths  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from harness.processes import Launcher  # noqa: E402

UPSTREAM = "10.77.2.1"


def stopping(folder: Path):
    programs = Launcher(folder)
    try:
        yield programs
    finally:
        programs.stop_all()


@pytest.fixture(scope="session")
def launcher(tmp_path_factory):
    yield from stopping(tmp_path_factory.mktemp("session"))


@pytest.fixture(scope="session")
def names(launcher):
    """What kube-dns is in a cluster."""
    return Names(launcher)


@pytest.fixture(scope="session")
def cluster(launcher):
    """A real API server, with the resources that gateways define."""
    return Cluster(launcher)


@pytest.fixture(scope="session")
def upstream(launcher) -> str:
    """Where the echo upstream is: what the Pod of deploy/kubernetes/gateway.yaml would be."""
    process = launcher.start("echo", [paths.built("echo_upstream"), "--address", UPSTREAM, "--port", 8081])
    process.wait_for_log("", 5)
    return UPSTREAM


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def own_launcher(tmp_path):
    yield from stopping(tmp_path)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What the programs said last, where a test fails."""
    report = (yield).get_result()
    if report.when != "call" or not report.failed:
        return
    for name in ("own_launcher", "launcher"):
        for process in getattr(item.funcargs.get(name), "_processes", ()):
            report.sections.append((process.name, process.log()[-3000:]))
