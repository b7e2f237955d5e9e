"""examples/production/compose.yaml: its files are consistent, and what they say serves, each program with its own address."""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from harness import http, paths
from harness.command import check, config
from harness.envoy import Envoy
from harness.processes import eventually, free_port
from harness.redis import Redis
from harness.served_file import ServedFile

FOLDER = paths.REPOSITORY / "examples" / "production"
NAMES = "production.CallLog,production.JwtAuth,production.Idempotency,production.AiGateway"
SERVICES = {"envoy", "processors", "redis", "small", "large"}


def _read(name: str) -> str:
    return (FOLDER / "compose" / name).read_text()


def _at_home(text: str, ports: dict[str, int]) -> str:
    """With a port of this machine for each "service:port", and as text for what is written in two fields."""
    for address, port in ports.items():
        host, _, inner = address.rpartition(":")
        text = text.replace(address, f"127.0.0.1:{port}")
        text = text.replace(f"address: {host}, port_value: {inner} ", f"address: 127.0.0.1, port_value: {port} ")
    return text


def test_its_parts_are_there():
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert set(services) == SERVICES
    volumes = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    assert {Path(volume).name for volume in volumes} == {"envoy.yaml", "serve.yaml", "jwks.json"}
    assert all((FOLDER / volume).exists() for volume in volumes if not volume.endswith("jwks.json"))
    stages = re.findall(r"^FROM .* AS (\w+)$", (FOLDER.parent / "Dockerfile").read_text(), re.M)
    assert {service["build"]["target"] for service in services.values() if "build" in service} <= set(stages)
    assert services["processors"]["command"][:2] == ["serve", "--settings"]


def test_envoy_is_set_up_for_what_is_served():
    text = _read("envoy.yaml")
    assert check(text, "-s", NAMES).returncode == 0
    written = yaml.safe_load(config("-s", NAMES, "--format", "filter", "--cluster-name", "processors"))[0]["typed_config"]
    manager = yaml.safe_load(text)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["http_filters"][0]["typed_config"] == written
    served = [each["name"] for each in yaml.safe_load(_read("serve.yaml"))["services"][0]["processors"]]
    assert ",".join(served) == NAMES


def test_it_serves(own_launcher, tmp_path, echo_port):
    redis = Redis(own_launcher)
    addresses = ["0.0.0.0:8080", "127.0.0.1:9901", "envoy:8082", "0.0.0.0:8082", "processors:50051", "0.0.0.0:50051"]
    ports = {address: free_port() for address in addresses} | {"redis:6379": redis.port, "small:8081": echo_port, "large:8081": echo_port}
    ports["0.0.0.0:50051"], ports["0.0.0.0:8082"] = ports["processors:50051"], ports["envoy:8082"]
    issuer = [sys.executable, FOLDER / "compose" / "issuer.py", tmp_path]
    token = subprocess.run(issuer, check=True, capture_output=True, text=True).stdout.strip()

    envoy = _at_home(_read("envoy.yaml"), ports).replace("/etc/envoy/jwks.json", str(tmp_path / "jwks.json"))
    served = ServedFile(own_launcher, tmp_path, _at_home(_read("serve.yaml"), ports), "--logging")
    served.process.wait_until_open(ports["processors:50051"])
    Envoy(own_launcher, envoy, ports["127.0.0.1:9901"])

    def ask(**more) -> http.Response:
        headers = [("authorization", f"Bearer {token}"), ("idempotency-key", "1")]
        return http.request(ports["0.0.0.0:8080"], "POST", "/v1/chat", headers=headers, body=b'{"model":"small"}', **more)

    eventually(lambda: ask().status == 200, "the issuer's keys", 20)
    assert ask().get("idempotent-replayed") == "true"
    echoed = dict(ask().json()["headers"])
    assert (echoed["x-user"], echoed["x-tenant"], echoed["x-ai-cluster"]) == ("alice", "acme", "small")
    assert http.request(ports["0.0.0.0:8080"], "POST", "/v1/chat", body=b"{}").status == 401
    line = json.loads(served.process.wait_for_log('"status":200'))
    assert (line["user"], line["path"]) == ("alice", "/v1/chat")
