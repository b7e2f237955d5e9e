"""A hundred thousand requests through Envoy at full speed: none fails, and no connection to the processor is lost."""

import re
import subprocess

import pytest

from harness import paths
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.extproc import Extproc
from harness.processes import free_port

REQUESTS = 100_000
CONNECTIONS = 64

pytestmark = pytest.mark.load


@pytest.fixture(scope="module")
def loaded(launcher, echo_port):
    """One filter that sends both headers, and fails closed, with Envoy's default limit of resets."""
    processor = Extproc(launcher, "examples.TrivialExtProcService")
    port, admin = free_port(), free_port()
    clusters = [Cluster("processor", (processor.address,)), Cluster("upstream", (echo_port,), http2=False)]
    headers_only = Mode(request_body="NONE", response_body="NONE")
    listener = Listener("load", port, (Filter("processor", headers_only),))
    return processor, port, Envoy(launcher, bootstrap(admin, [listener], clusters), admin)


def test_hundred_thousand_requests(loaded):
    processor, port, envoy = loaded
    run = subprocess.run(
        [paths.tool("h2load"), "--h1", "-n", str(REQUESTS), "-c", str(CONNECTIONS), "-t", "1", f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    outcome = re.search(r"requests: .*", run.stdout).group()
    print(outcome, re.search(r"finished in .*", run.stdout).group())
    assert re.search(rf"{REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout", outcome), run.stdout
    assert f"{REQUESTS} 2xx" in run.stdout

    assert envoy.ext_proc_failures() == {}
    cluster = envoy.stats(r"^cluster\.processor\.upstream_(cx|rq)_")
    lost = ("cx_destroy", "cx_close_notify", "cx_connect_fail", "cx_protocol_error", "rq_pending_failure_eject")
    assert {name: cluster[f"cluster.processor.upstream_{name}"] for name in lost} == dict.fromkeys(lost, 0)
    assert cluster["cluster.processor.upstream_rq_total"] >= REQUESTS
    for level in ("warning", "error", "critical"):
        assert not [line for line in processor.process.log().splitlines() if f"[{level}]" in line]
