"""deploy/compose.yaml as docker-compose reads it, with the same programs, settings, names and ports, and no engine: asked as its
documentation says. Needs root, for networks. Images are made by `make image`; Jaeger's is in no registry of packages, and only its
place in the file is looked at."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from compose_network import ECHO, EXTPROC, Network
from harness import paths
from harness.processes import Launcher, Process, eventually

COMPOSE = paths.REPOSITORY / "deploy" / "compose.yaml"
DOCKERFILE = paths.REPOSITORY / "examples" / "Dockerfile"
PROCESSORS = ("trivial", "timer", "echo", "digest", "decorated", "context")
START_TIMEOUT = 60

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes networks, which root may")


def composed() -> dict:
    """The file as docker-compose understands it."""
    command = ["docker-compose", "-f", COMPOSE, "--profile", "observability", "config"]
    return yaml.safe_load(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["services"]


def default_command(target: str) -> list[str]:
    """What a stage of examples/Dockerfile runs where the file says nothing."""
    stage = re.search(rf"^FROM .* AS {target}$(.*?)(?=^FROM|\Z)", DOCKERFILE.read_text(), re.M | re.S)[1]
    return json.loads(re.search(r"^CMD (\[.*\])$", stage, re.M)[1])


class Composed:
    """All services, running; the ports that are published, in the network `host`."""

    def __init__(self, network: Network, launcher: Launcher, services: dict, folder: Path):
        self.network = network
        self.services = services
        self._folder = folder
        self.processes: dict[str, Process] = {}
        published = []
        for name in (*PROCESSORS, "upstream", "envoy", "prometheus"):
            # As depends_on has it: all that Envoy needs is healthy before.
            if name == "envoy":
                for processor in PROCESSORS:
                    self.wait_for_health(processor)
            self.processes[name] = self.start(name, services[name])
            for port in services[name].get("ports", []):
                host, outer, inner = port.removesuffix("/tcp").split(":")
                published.append(f"{host}:{outer}={network.addresses[name]}:{inner}")
        launcher.start("forward", network.within("host", sys.executable, Path(__file__).parent / "forward.py", *published))

    def start(self, name: str, service: dict) -> Process:
        env = {key: value or "" for key, value in service.get("environment", {}).items()}
        command = service.get("command", [])
        match service["image"].partition(":")[0]:
            case "extproc-examples":
                program, env = [EXTPROC], env | {"EXTPROC_MODULE_PATH": str(paths.build_dir())}
            case "extproc-echo":
                program, command = [ECHO], command or default_command("echo")
            case "envoyproxy/envoy":
                # Of what it would share with other Envoys of this machine.
                program, command = [paths.envoy()], [*command[1:], "--disable-hot-restart"]
            case "prom/prometheus":
                data = self._folder / "prometheus-data"
                data.mkdir()
                data.chmod(0o777)
                program, command = [shutil.which("prometheus")], [part.replace("=/prometheus", f"={data}") for part in command]
        return self.network.start(name, [*program, *self.with_volumes(name, service, command)], env)

    def with_volumes(self, name: str, service: dict, command: list[str]) -> list[str]:
        """The files are where the volumes say, below a folder of the service's own."""
        root = self._folder / name
        for volume in service.get("volumes", []):
            source, target, mode = volume.split(":") if isinstance(volume, str) else (volume["source"], volume["target"], "ro")
            assert mode == "ro"
            copy = root / target.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
            command = [part.replace(target, str(copy)) for part in command]
        return command

    def wait_for_health(self, name: str) -> None:
        """As the image's HEALTHCHECK asks."""
        check = self.network.within(name, EXTPROC, "health", "127.0.0.1:50051")
        self.processes[name].wait_for(lambda: subprocess.run(check, capture_output=True).returncode == 0, f"{name} to be healthy", START_TIMEOUT)

    def get(self, url: str) -> str:
        """From the machine, through what is published."""
        command = self.network.within("host", "curl", "--silent", "--show-error", "--fail", "--max-time", "5", url)
        result = subprocess.run(command, capture_output=True, text=True)
        return result.stdout if result.returncode == 0 else ""


@pytest.fixture(scope="module")
def services() -> dict:
    return composed()


@pytest.fixture(scope="module")
def compose(services, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compose")
    # It is read by another user.
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    launcher = Launcher(folder)
    try:
        with Network(list(services), launcher, folder) as network:
            try:
                yield Composed(network, launcher, services, folder)
            finally:
                launcher.stop_all()
    finally:
        for process in launcher._processes:
            print(f"--- {process.name}\n{process.log()[-2000:]}")


def test_the_transcripts(compose):
    """Those of tests/integration, through the published port."""
    admin = "http://127.0.0.1:9901/clusters"
    healthy = lambda: len(re.findall(r"::health_flags::healthy", compose.get(admin))) == len(PROCESSORS) + 1  # noqa: E731
    compose.processes["envoy"].wait_for(healthy, "all clusters to be healthy", START_TIMEOUT)
    tests = [sys.executable, "-m", "pytest", "-q", paths.REPOSITORY / "tests" / "integration" / "test_deployment.py", "-p", "no:cacheprovider"]
    # Which puts another Envoy in front of a processor.
    tests += ["--deselect", "test_deployment.py::test_echo_only_without_other_processors", "--junitxml", "/dev/null"]
    result = subprocess.run(compose.network.within("host", *tests), env={**os.environ, "EXTPROC_DEPLOYMENT_PORT": "8080"}, capture_output=True, text=True)
    print(result.stdout[-6000:])
    assert result.returncode == 0
    assert re.search(r"\b2\d passed", result.stdout)


def test_prometheus_sees_all(compose):
    def targets() -> dict:
        answer = compose.get("http://127.0.0.1:9090/api/v1/targets")
        active = json.loads(answer)["data"]["activeTargets"] if answer else []
        return {target["labels"]["instance"]: target["health"] for target in active}

    expected = {f"{name}:9902": "up" for name in PROCESSORS} | {"envoy:9901": "up"}
    eventually(lambda: targets() == expected, "all targets to be up", START_TIMEOUT)
    rules = json.loads(compose.get("http://127.0.0.1:9090/api/v1/rules"))["data"]["groups"]
    assert rules and all(rule["health"] != "err" for group in rules for rule in group["rules"])
    query = "http://127.0.0.1:9090/api/v1/query?query=sum(extproc_streams_total)%20by%20(instance)"
    counted = lambda: {  # noqa: E731
        row["metric"]["instance"]: float(row["value"][1]) for row in json.loads(compose.get(query))["data"]["result"]
    }
    eventually(lambda: len(counted()) == len(PROCESSORS) and all(counted().values()), "streams of all processors", START_TIMEOUT)


def test_a_processor_ends_as_it_should(compose):
    """Last: `docker compose stop` sends SIGTERM to each."""
    for name in PROCESSORS:
        process = compose.processes[name]
        process.signal(15)
        assert process.wait(10) == 0


def test_jaeger_and_traces_are_off_unless_asked_for(services):
    assert services["jaeger"]["image"].startswith("jaegertracing/jaeger:2")
    for name in PROCESSORS:
        assert services[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""
