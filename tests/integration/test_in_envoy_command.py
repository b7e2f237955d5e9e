"""`extproc config`, `check` and `dev` for processors inside Envoy (--in-process)."""

import signal

import pytest
import yaml

from harness import http, paths
from harness.command import check, config, extproc
from harness.dev import Dev
from harness.envoy import Envoy
from harness.inside import environment
from harness.processes import free_port

TRIVIAL, DIGEST, ECHO = ("examples." + name for name in ("TrivialExtProcService", "DigestExtProcService", "EchoExtProcService"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dev")


@pytest.mark.parametrize(("flags", "filters"), [((), 1), (("--separate",), 2)])
def test_traffic(own_launcher, echo_port, flags, filters):
    """With one variable for Envoy, what is written serves as it is."""
    port, admin = free_port(), free_port()
    text = config(
        "--in-process", "-s", f"{TRIVIAL},{DIGEST}", *flags, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    assert [cluster["name"] for cluster in yaml.safe_load(text)["static_resources"]["clusters"]] == ["upstream"]
    assert text.count("DynamicModuleFilter\n") == filters
    Envoy(own_launcher, text, admin, env=environment())
    response = http.request(port, "PUT", "/path", body=b"some body")
    assert response.json()["body"] == "some body"
    assert len(response.json()["headers"]["x-request-digest"]) == 64
    assert set(response.get("x-ext-procs-applied").split(",")) == {"TrivialExtProcService", "DigestExtProcService"}
    assert check(text, "-s", f"{TRIVIAL},{DIGEST}", *flags).returncode == 0


def test_the_header_of_the_chain_is_as_the_server_has_it():
    hidden = config("--in-process", "-s", TRIVIAL, "--format", "filter", env={"REVEAL_EXTPROC_CHAIN": "false"})
    named = config("--in-process", "-s", TRIVIAL, "--format", "filter", env={"EXTPROCS_APPLIED_HEADER": "x-by"})
    filters = [yaml.safe_load(text)[0]["typed_config"]["filter_config"]["value"] for text in (hidden, named)]
    assert (filters[0]["reveal_chain"], filters[1]["applied_header"]) == (False, "x-by")


def test_handlers_over_whole_bodies_get_them_streamed():
    text = config("--in-process", "-s", "streaming.Uppercase", "--format", "filter")
    mode = yaml.safe_load(text)[0]["typed_config"]["filter_config"]["value"]["processing_mode"]
    assert mode["response_body_mode"] == "STREAMED" or mode["request_body_mode"] == "STREAMED"
    assert "FULL_DUPLEX_STREAMED" not in text


@pytest.mark.parametrize(
    ("flags", "status", "reason"),
    [
        (("--format", "cluster"), 1, "there are filter and full"),
        (("--format", "istio"), 1, "there are filter and full"),
        (("--tls",), 1, "nothing goes over a network"),
        (("--request-body-mode", "FULL_DUPLEX_STREAMED"), 1, "choose STREAMED"),
        (("--address", "127.0.0.1:1"), 2, "--in-process excludes --address"),
    ],
)
def test_what_makes_no_sense_inside(flags, status, reason):
    run = extproc("config", "--in-process", "-s", ECHO, *flags)
    assert run.returncode == status
    assert reason in run.stderr


def test_check():
    good = config("--in-process", "-s", ECHO)
    for old, new, found in (
        ("request_body_mode: BUFFERED", "request_body_mode: FULL_DUPLEX_STREAMED", "[full-duplex-in-process]"),
        ("request_body_mode: BUFFERED", "request_body_mode: NONE", "[phase-not-sent]"),
        ("failure_mode_allow: false", "failure_mode_allow: false, message_timeout: 1s", "[unknown-field]"),
        ("failure_mode_allow: false", "failure_mode_allow: false, blocking_threads: 0", "[filter-config-refused]"),
        ("google.protobuf.Struct", "google.protobuf.UInt32Value", "[filter-config-refused]"),
    ):
        assert old in good
        text = good.replace(old, new.replace(", ", "\n                        "))
        run = check(text, "-s", ECHO)
        assert (run.returncode, found in run.stdout) == (1, True), run.stdout + run.stderr
    # Left out is what the processor needs.
    assert check(good.replace("request_body_mode: BUFFERED", "").replace("request_header_mode: SEND", ""), "-s", ECHO).returncode == 0


def test_dev(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "--in-process", "-l", "-s", f"{TRIVIAL},{ECHO}")
    response = http.request(dev.port, "POST", "/path", body=b"body")
    assert response.json()["body"] == "body"
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService,EchoExtProcService"
    dev.process.wait_for_log("runs TrivialExtProcService,EchoExtProcService")
    dev.process.signal(signal.SIGINT)
    assert dev.process.wait() == 0
    assert not list(folder.iterdir())


def test_dev_leaves_the_log_to_envoy():
    run = extproc("dev", "--in-process", "-s", TRIVIAL, "--upstream", "http://127.0.0.1:1", "--log-format", "json", env={"ENVOY": str(paths.envoy())})
    assert run.returncode == 1
    assert "Envoy writes the log" in run.stderr
