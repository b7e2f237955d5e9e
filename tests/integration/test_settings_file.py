"""`extproc serve --settings`: what a file says is served, what is wrong is told, and what changes while it runs."""

import json
import os
import re
import signal

import jsonschema
import pytest
import yaml

from harness import grpc_client, http, paths, tls_client
from harness.command import extproc
from harness.envoy import envoy_in_front
from harness.envoy_config import Mode
from harness.processes import free_port
from harness.served_file import OWN, ServedFile, check, own, service

FIXED = "test_processors.FixedOwn"
SCHEMA = json.loads((paths.REPOSITORY / "deploy" / "settings.schema.json").read_text())
HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
# Flags that are of the command, or whose keys have another name.
OTHERWISE = {
    "--help": None,
    "--settings": None,
    "--check-settings": None,
    "--settings-schema": None,
    "--service": "services",
    "--separate": "services",
    "--module-path": "module_path",
    "--logging": "log_level",
    "--listen": "listen",
    "--allowed-override-mode": "filter.allowed_override_modes",
    "--mode-override": None,
    "--tls-cert": "tls.certificate_file",
    "--tls-key": "tls.key_file",
    "--tls-client-ca": "tls.client_ca_file",
    "--tls-allow-san": "tls.allowed_sans",
    "--tls-crl": "tls.crl_file",
    "--tls-min-version": "tls.min_version",
}


def reply_headers(launcher, port: int, echo_port: int) -> dict:
    """What the upstream gets, by way of an Envoy."""
    envoy, _ = envoy_in_front(launcher, port, echo_port, HEADERS_ONLY)
    return http.request(envoy, "GET", "/").json()["headers"]


def test_several_services_each_with_what_is_its_own(own_launcher, tmp_path, echo_port, pki):
    chain, single, secure = free_port(), tmp_path / "one.sock", free_port()
    tls = {"certificate_file": str(pki.server.certificate), "key_file": str(pki.server.key)}
    content = {
        "grace_period": 3,
        "threads": 1,
        "log_level": "INFO",
        "services": [
            service(chain, own("from-file"), {"name": FIXED, "settings": {"value": "7"}}),
            {"listen": f"unix:{single}", "processors": [FIXED], "threads": 2},
            service(secure, "test_processors.RequestHeadersOnly", tls=tls),
        ],
    }
    served = ServedFile(own_launcher, tmp_path, content)
    served.process.wait_until_open(chain)
    served.process.wait_until_open(single)
    served.process.wait_until_open(secure)
    served.process.wait_for_log(f"Own,FixedOwn listening on 127.0.0.1:{chain} (1 thread)")
    served.process.wait_for_log(f"FixedOwn listening on unix:{single} (2 threads)")
    with tls_client.channel(secure, pki.ca.certificate) as channel:
        assert grpc_client.check_health(channel, "RequestHeadersOnly") == 1
    headers = reply_headers(own_launcher, chain, echo_port)
    assert (headers["x-own"], headers["x-fixed"]) == ("from-file", "7")
    served.process.signal(signal.SIGTERM)
    assert served.process.wait() == 0
    assert "grace period 3 s" in served.process.log()


@pytest.mark.parametrize(
    ("flags", "environment", "counts"),
    [
        ((), {}, "grace_period: 7 ({path}:1)"),
        ((), {"SHUTDOWN_GRACE_PERIOD": "9"}, "grace_period: 7 ({path}:1)"),
        (("-g", "8"), {"SHUTDOWN_GRACE_PERIOD": "9"}, "grace_period: 8 (--grace-period)"),
        ((), {"EXTPROCS_APPLIED_HEADER": "x-chain"}, "applied_header: x-chain (EXTPROCS_APPLIED_HEADER)"),
        ((), {"LOG_LEVEL": "DEBUG"}, "log_level: WARNING (without --logging)"),
        (("-l",), {"LOG_LEVEL": "DEBUG"}, "log_level: DEBUG (LOG_LEVEL)"),
        (("--connections", "9"), {}, "limits.connections: 9 (--connections)"),
        (("--no-early-end",), {}, "early_end: false (--no-early-end)"),
        (("-p", "0"), {}, "port: 0 (--port)"),
        (("--listen", "unix:/tmp/x"), {}, "listen: unix:/tmp/x (--listen)"),
        (("-s", FIXED), {}, "\nFixedOwn\n"),
    ],
)
def test_what_is_stronger(tmp_path, flags, environment, counts):
    path = tmp_path / "serve.yaml"
    path.write_text(
        f"grace_period: 7\nlimits: {{connections: 5}}\nearly_end: true\nport: 1\nservices: [{{processors: [{FIXED}]}}]\n"
    )
    run = check(path, *flags, env={**clean_environment(), **environment})
    assert run.returncode == 0, run.stderr
    assert counts.format(path=path) in run.stdout
    assert run.stdout.startswith(f"{path} is good")


def clean_environment() -> dict:
    return {name: value for name, value in os.environ.items() if name not in ("LOG_LEVEL", "GRPC_PORT", "SHUTDOWN_GRACE_PERIOD")}


def test_every_flag_has_its_key_and_every_key_its_flag():
    flags = set(re.findall(r"^\s+(?:-\w,)?(--[\w-]+)", extproc("serve", "--help").stdout, re.M))
    assert len(flags) > 40
    keys = {key for key, value in SCHEMA["properties"].items() if key not in ("filter", "limits", "tls")}
    for group in ("filter", "limits"):
        keys |= {f"{group}.{key}" for key in SCHEMA["properties"][group]["properties"]}
    keys |= {f"tls.{key}" for key in SCHEMA["$defs"]["tls"]["properties"]}
    of_flags = {OTHERWISE[flag] for flag in flags if flag in OTHERWISE}
    for flag in flags - OTHERWISE.keys():
        name = flag.removeprefix("--").removeprefix("no-").replace("-", "_")
        of_flags |= {key for key in keys if key.rpartition(".")[2] == name} or {f"no key for {flag}"}
    # The environment sets these; and PEM as text is for files.
    more = {"reveal_chain", "applied_header", "tls.certificate", "tls.key", "tls.client_ca", "tls.crl"}
    assert of_flags - {None} | more == keys


def test_the_schema_is_current():
    assert json.loads(extproc("serve", "--settings-schema").stdout) == SCHEMA
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


GOOD = [
    "",
    "grace_period: 1.5",
    "grace_period: '5'",
    "limits: {message_bytes: 1m, connections: '7'}",
    "limits:",
    "log_level: info\nlog_format: JSON",
    "early_end: false\nautomatic_mode_override: 'true'",
    "redacted_headers: [x-a, x-b]",
    "redacted_headers: x-a,x-b",
    "listen: 127.0.0.1:0",
    "filter: {message_timeout: 0.5, allowed_override_modes: [{request_body_mode: NONE, response_header_mode: SKIP}]}",
    f"services: [{{processors: [{FIXED}]}}]",
    f"services: [{{port: 0, processors: [{{name: {OWN}, settings: {{value: a}}}}]}}]",
    f"services: [{{port: 0, limits: {{connections: 5}}, processors: [{{name: {FIXED}, settings: }}]}}]",
]
BAD = [
    "grace_perod: 1.5",
    "grace_period: 5s",
    "grace_period: -1",
    "grace_period: [1]",
    "threads: many",
    "threads:",
    "threads: 1.5",
    "limits: {message_bytes: 1x}",
    "limits: {conections: 1}",
    "limits: {streams_per_connection: 0}",
    "limits: [1]",
    "log_level: loud",
    "early_end: maybe",
    "early_end: 1",
    "log_file: 5",
    "port: 65536",
    "port: 1\nlisten: 127.0.0.1:1",
    "services: []",
    "services: [{}]",
    "services: [{processors: []}]",
    f"services: [{{processors: [{FIXED}], log_level: INFO}}]",
    "services: [{processors: [{settings: {a: 1}}]}]",
    f"services: [{{processors: [{{name: {FIXED}, more: 1}}]}}]",
    f"services: [{{processors: [{{name: {FIXED}, settings: 7}}]}}]",
    "filter: {allowed_override_modes: [{request_body_mode: LOUD}]}",
    "filter: {allowed_override_modes: []}",
    "tls: {key_file: a}",
    "tls: {certificate_file: a, certificate_flie: b}",
    "module_path: 5",
    "processors: [a.B]",
    "[1]",
]


@pytest.mark.parametrize(("text", "good"), [(text, True) for text in GOOD] + [(text, False) for text in BAD])
def test_the_schema_says_what_the_command_does(tmp_path, text, good):
    path = tmp_path / "serve.yaml"
    path.write_text(text)
    run = check(path)
    assert (run.returncode == 0) == good, run.stdout + run.stderr
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text)) == good
    if not good:
        assert run.stderr.startswith(f"extproc: {path}:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1\n", "anchors and aliases"),
        ("a: 1\na: 2\n", "a is given twice, before in line 1"),
        ("a: [1\n", "it is no YAML"),
        ("grace_perod: 5", 'did you mean "grace_period"?'),
        (f"services: [{{processors: [{OWN}]}}]", ":1: settings.value is missing"),
        (f"services: [{{processors: [{{name: {OWN}, settings: {{valeu: 1}}}}]}}]", "settings.value is missing"),
        (
            f"services: [{{processors: [{{name: {OWN}, settings: {{value: 1, vlaue: 2}}}}]}}]",
            'settings.vlaue is read by nobody: did you mean "value"?',
        ),
        ("services: [{processors: [{name: examples.TrivialExtProcService, settings: {a: 1}}]}]", "takes no settings of its own"),
        ("services: [{processors: [nowhere.Nothing]}]", "there is no module nowhere"),
        ("services: [{processors: [nothing]}]", "does not name a service"),
        ("tls: {certificate_file: /nowhere.pem, key_file: /nowhere.pem}", "/nowhere.pem cannot be read"),
        ("limits: {message_bytes: 1g}", "Limits::buffered_bytes_per_connection"),
        ("filter: {message_timeout: 2, max_message_timeout: 1}", "max_message_timeout"),
        ("threads: 1\nmetrics_sample: 0\nservices: [{processors: [examples.TrivialExtProcService]}]", '.yaml:2: metrics_sample is "0"'),
        ("server_admin: 10.0.0.1:1", ".yaml:1: server_admin 10.0.0.1:1: other machines may reach that"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, told):
    path = tmp_path / "serve.yaml"
    path.write_text(text)
    for flags in (["--check-settings"], []):
        run = extproc("serve", "--settings", path, "-p", "0", *flags)
        assert run.returncode == 1
        assert told in run.stderr
        assert run.stderr.startswith(f"extproc: {path}")


def test_two_addresses_that_are_one(tmp_path):
    path = tmp_path / "serve.yaml"
    path.write_text(yaml.safe_dump({"services": [service(1, FIXED), {"port": 1, "processors": [FIXED]}]}))
    run = check(path)
    assert run.returncode == 1
    assert "FixedOwn on 127.0.0.1:1 and FixedOwn would share the port of [::]:1" in run.stderr


def test_a_file_that_is_not_there(tmp_path):
    run = extproc("serve", "--settings", tmp_path / "none.yaml")
    assert (run.returncode, run.stderr) == (1, f"extproc: {tmp_path}/none.yaml: there is no such file\n")
    assert extproc("serve", "--check-settings").returncode == 2


def test_the_example_is_good():
    run = check(paths.REPOSITORY / "examples" / "settings" / "serve.yaml", "--module-path", paths.build_dir())
    assert run.returncode == 0, run.stderr
    assert "\nTenants,Label\n" in run.stdout and "\nLabel\n" in run.stdout
