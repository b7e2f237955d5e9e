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


def test_the_services_of_a_settings_file(own_launcher, echo_port, tmp_path):
    """With settings that YAML could take for something else."""
    values = ["plain", "true", "012", "1.50", "a: b # c", '"quoted" \\ back', "ünï", "{x}", " spaces ", "9007199254740993", "no", "line\nbreak"]
    for value in values:
        file = tmp_path / "serve.yaml"
        processors = [{"name": "test_processors.Own", "settings": {"value": value}}, {"name": TRIVIAL}]
        file.write_text(yaml.safe_dump({"services": [{"processors": processors}], "module_path": [str(paths.build_dir())]}))
        text = config("--in-process", "--settings", file, "--format", "filter")
        inside = yaml.safe_load(text)[0]["typed_config"]["filter_config"]["value"]
        assert inside["processors"] == [{"name": "test_processors.Own", "settings": {"value": value}}, {"name": TRIVIAL}]
        assert inside["module_path"] == [str(paths.build_dir())]
        assert check(text, "--module-path", paths.build_dir()).returncode == 0
    port, admin = free_port(), free_port()
    file.write_text(yaml.safe_dump({"services": [{"processors": [{"name": "test_processors.Own", "settings": {"value": "a, b"}}]}]}))
    text = config(
        "--in-process", "--settings", file, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    Envoy(own_launcher, text, admin, env=environment())
    assert http.request(port, "GET", "/path").json()["headers"]["x-own"] == "a, b"


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


def _with_settings(settings: str, route: str | None = None) -> str:
    """A listener with a processor inside Envoy that needs settings, perhaps others on a route."""

    def config(processors: str) -> str:
        return f'{{"@type": type.googleapis.com/google.protobuf.Struct, value: {{processors: [{processors}]}}}}'

    module = "dynamic_module_config: {name: extproc_envoy, metrics_namespace: extproc}"
    of_modules = "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"
    override = f'typed_per_filter_config: {{own: {{"@type": {of_modules}PerRoute, {module}, filter_config: {config(route)}}}}}' if route else ""
    return f"""
static_resources:
  listeners:
  - name: one
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                direct_response: {{status: 200}}
                {override}
          http_filters:
          - name: own
            typed_config:
              "@type": {of_modules}
              {module}
              filter_config:
                "@type": type.googleapis.com/google.protobuf.Struct
                value:
                  processors:
                  - name: test_processors.Own
                    settings:
                      {settings}
"""


def _line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def test_check_makes_the_processors_that_a_filter_names():
    good = _with_settings("value: a")
    run = check(good)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    for settings, why in (("valeu: a", "value"), ("value: [a]", "value"), ("value: a\n                      more: 1", "more")):
        text = _with_settings(settings)
        run = check(text)
        assert run.returncode == 1, run.stdout + run.stderr
        assert run.stdout.count("[filter-config-refused]") == 1
        assert why in run.stdout
        assert any(f":{_line_of(text, part)}:" in run.stdout for part in (why, settings.split("\n", maxsplit=1)[0])), run.stdout
    run = check(good.replace("test_processors.Own", "examples.EchoExtProcService"))
    assert (run.returncode, "takes no settings" in run.stdout) == (1, True), run.stdout + run.stderr
    # Nothing can be told of it.
    run = check(good.replace("test_processors.Own", "absent.Own"))
    assert (run.returncode, "the filter own: there is no module absent" in run.stderr) == (2, True), run.stderr


def test_check_of_a_route_with_other_processors():
    good = _with_settings("value: a", "{name: test_processors.FixedOwn}")
    assert check(good).returncode == 0
    for route, found in (
        ("{name: test_processors.Own}", "[filter-config-refused]"),
        ("{name: test_processors.FixedOwn, settings: {other: 1}}", "[filter-config-refused]"),
    ):
        run = check(_with_settings("value: a", route))
        assert (run.returncode, found in run.stdout) == (1, True), run.stdout + run.stderr
    hidden = _with_settings("value: a", "{name: streaming.Uppercase}], processing_mode: {request_body_mode: NONE, response_body_mode: NONE}, x: [")
    assert "[phase-not-sent]" in check(hidden.replace(", x: []", "")).stdout


def test_check_compares_the_processors_with_those_of_s():
    good = _with_settings("value: a")
    assert check(good, "-s", "test_processors.FixedOwn").stdout.count("[another-processor]") == 1
    of_a_server = config("-s", ECHO)
    run = check(of_a_server)
    assert (run.returncode, "name them with -s" in run.stderr) == (2, True)


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
