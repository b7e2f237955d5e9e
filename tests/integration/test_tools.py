"""grpc-health-probe and grpcurl against the server."""

import json
import subprocess

from harness import paths, protos


def run(*command) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20, check=False)


def test_health_probe(trivial):
    probe = run(paths.tool("grpc-health-probe"), f"-addr=127.0.0.1:{trivial.address}")
    assert probe.returncode == 0, probe.stderr
    assert "SERVING" in probe.stderr + probe.stdout


def test_health_probe_of_a_service(trivial):
    address = f"-addr=127.0.0.1:{trivial.address}"
    known = run(paths.tool("grpc-health-probe"), address, f"-service={protos.SERVICE}")
    assert known.returncode == 0, known.stderr
    unknown = run(paths.tool("grpc-health-probe"), address, "-service=unknown.Service")
    assert unknown.returncode != 0


def test_grpcurl(trivial):
    message = {
        "requestHeaders": {"endOfStream": True, "headers": {"headers": [{"key": "x-request-id", "rawValue": "cjE="}]}}
    }
    call = run(
        paths.tool("grpcurl"), "-plaintext", "-protoset", paths.DESCRIPTORS, "-d", json.dumps(message),
        f"127.0.0.1:{trivial.address}", "envoy.service.ext_proc.v3.ExternalProcessor/Process",
    )  # fmt: skip
    assert call.returncode == 0, call.stderr
    (option,) = json.loads(call.stdout)["requestHeaders"]["response"]["headerMutation"]["setHeaders"]
    assert option["header"] == {"key": "x-extra-request-id", "rawValue": "cjE="}
