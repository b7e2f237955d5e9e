"""What `extproc config --settings` writes is for the processors of the file, with what is their own, and for their server's settings."""

from copy import deepcopy

import pytest
import yaml

from harness import http
from harness.command import config, extproc, validate_with_envoy
from harness.envoy import Envoy
from harness.processes import free_port
from harness.served_file import ServedFile

LABEL = {"name": "labels.Label", "settings": {"header": "x-label", "value": "from-file"}}
JWT = {
    "name": "production.JwtAuth",
    "settings": {"jwks_url": "http://localhost:1/keys", "issuer": "https://issuer.example", "audiences": ["api"], "wait": 5},
}


@pytest.fixture
def write(tmp_path):
    def to_file(content: dict):
        path = tmp_path / "settings.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return to_file


def filters_of(*arguments) -> list[dict]:
    return [one["typed_config"] for one in yaml.safe_load(config(*arguments, "--format", "filter"))]


def test_a_processor_that_cannot_be_made_without_its_settings(own_launcher, write, echo_port, tmp_path):
    port, envoy, admin = free_port(), free_port(), free_port()
    content = {"services": [{"listen": f"0.0.0.0:{port}", "processors": [LABEL]}]}
    path = write(content)
    assert "value is missing: it must be given in the processor's settings" in extproc("config", "-s", LABEL["name"]).stderr
    listen = ("--listen", f"127.0.0.1:{envoy}", "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{echo_port}")
    text = config("--settings", path, *listen)
    folder = tmp_path / "served"
    folder.mkdir()
    ServedFile(own_launcher, folder, content).process.wait_until_open(port)
    Envoy(own_launcher, text, admin).process.wait_until_open(envoy)
    assert http.request(envoy, "GET", "/").json()["headers"]["x-label"] == "from-file"


def test_what_the_settings_change_is_written(write):
    (filter_of_it,) = filters_of("--settings", write({"services": [{"processors": [JWT]}]}))
    assert filter_of_it["message_timeout"] == "5.5s"
    assert filters_of("-s", JWT["name"])[0]["message_timeout"] == "2.5s"


def test_the_filter_is_as_the_server_is_told(write):
    path = write({"reveal_chain": False, "filter": {"message_timeout": 3, "allow_envoy": True}, "services": [{"processors": [LABEL]}]})
    (of_file,) = filters_of("--settings", path)
    assert (of_file["message_timeout"], of_file["mutation_rules"]["allow_envoy"]) == ("3s", True)
    assert of_file["processing_mode"]["response_header_mode"] == "SKIP"
    (of_flag,) = filters_of("--settings", path, "--message-timeout", "4")
    assert (of_flag["message_timeout"], of_flag["mutation_rules"]["allow_envoy"]) == ("4s", True)


def test_several_services_each_where_it_listens(write, tmp_path):
    # Not the same mapping twice, of which YAML makes an alias.
    services = [{"listen": "127.0.0.1:7001", "processors": [LABEL, JWT]}, {"listen": "unix:/run/label.sock", "processors": [deepcopy(LABEL)]}]
    path = write({"services": services})
    text = config("--settings", path)
    validate_with_envoy(text, tmp_path)
    clusters = yaml.safe_load(text)["static_resources"]["clusters"]
    endpoints = [one["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] for one in clusters[:2]]
    assert endpoints == [{"socket_address": {"address": "127.0.0.1", "port_value": 7001}}, {"pipe": {"path": "/run/label.sock"}}]
    assert [one["name"] for one in clusters[:2]] == ["extproc-chain", "label"]


@pytest.mark.parametrize(
    ("content", "flags", "status", "reason"),
    [
        ({"services": [{"processors": [{"name": "labels.Label"}]}]}, (), 1, "settings.value is missing"),
        ({"services": [{"processors": [LABEL]}], "thread": 1}, (), 1, 'did you mean "threads"?'),
        ({"services": [{"tls": {"certificate_file": "/c", "key_file": "/k"}, "processors": [LABEL]}]}, (), 1, "add --tls-ca FILE"),
        ({"threads": 2}, ("--in-process",), 1, "has nothing to run inside Envoy"),
    ],
    ids=["needed", "misspelt", "tls", "inside"],
)
def test_what_is_wrong_is_told(write, content, flags, status, reason):
    run = extproc("config", "--settings", write(content), *flags)
    assert (run.returncode, run.stdout) == (status, "")
    assert reason in run.stderr


def test_without_processors_and_without_a_file():
    run = extproc("config")
    assert run.returncode == 2
    assert "--service or --settings" in run.stderr
