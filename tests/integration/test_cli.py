"""The command's options, its errors, and the places where it can listen."""

import shutil
import subprocess

import pytest
from grpc_health.v1 import health_pb2

from harness import http, paths
from harness.envoy import envoy_in_front_of
from harness.extproc import Extproc
from harness.grpc_client import check_health
from harness.processes import free_port

SERVING = health_pb2.HealthCheckResponse.SERVING


def extproc(*arguments, env: dict | None = None, cwd=None) -> subprocess.CompletedProcess:
    """Runs the command to its end, which must not be that it serves."""
    command = [str(paths.built("extproc")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, env=env, cwd=cwd)


def refused(*arguments, **options) -> str:
    run = extproc(*arguments, **options)
    assert run.returncode > 0, run.stdout + run.stderr
    return run.stderr


def test_version():
    run = extproc("--version")
    assert run.returncode == 0
    assert "0.1.0" in run.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("serve", "--help")])
def test_help(arguments):
    run = extproc(*arguments)
    assert run.returncode == 0
    assert "serve" in run.stdout


def test_help_of_serve_names_every_option():
    text = extproc("serve", "--help").stdout
    for option in ("-s", "--service", "-p", "--port", "-g", "--grace-period", "-l", "--logging", "--listen", "--threads"):
        assert option in text
    assert "--module-path" in text


def test_missing_module_lists_where_it_looked():
    error = refused("serve", "-s", "nowhere.Processor", "-p", free_port())
    assert "nowhere" in error
    assert str(paths.build_dir()) in error


def test_missing_processor_lists_what_there_is():
    error = refused("serve", "-s", "examples.Trivail", "-p", free_port())
    assert "Trivail" in error
    for name in ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx"):
        assert f"{name}ExtProcService" in error


@pytest.mark.parametrize("service", ["examples", "examples.", ".Trivial", ""])
def test_service_that_is_no_import_spec(service):
    assert refused("serve", "-s", service, "-p", free_port())


def test_file_that_is_no_module(tmp_path):
    (tmp_path / "text.so").write_text("not a module")
    assert "text" in refused("serve", "-s", "text.Processor", "--module-path", tmp_path, "-p", free_port())


def test_module_of_another_version(tmp_path):
    module = paths.built("examples.so").read_bytes()
    assert b"version 0.1.0" in module
    (tmp_path / "examples.so").write_bytes(module.replace(b"version 0.1.0", b"version 0.0.9"))
    error = refused("serve", "-s", "examples.TrivialExtProcService", "--module-path", tmp_path, "-p", free_port())
    assert "0.0.9" in error and "0.1.0" in error


@pytest.mark.parametrize("port", ["-1", "65536", "http", "", "1.5"])
def test_bad_port(port):
    error = refused("serve", "-p", port)
    assert "port" in error.lower()


def test_port_in_use(trivial):
    error = refused("serve", "-p", trivial.address)
    assert str(trivial.address) in error
    assert "in use" in error


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1", "127.0.0.1:", "[::1", "unix:", "256.0.0.1:1"])
def test_bad_listen_address(listen):
    assert listen in refused("serve", "--listen", listen)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GRPC_PORT", "http"),
        ("GRPC_PORT", "70000"),
        ("SHUTDOWN_GRACE_PERIOD", "soon"),
        ("SHUTDOWN_GRACE_PERIOD", "-1"),
        ("REVEAL_EXTPROC_CHAIN", "perhaps"),
        ("EXTPROCS_APPLIED_HEADER", "not a name"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_bad_value_in_the_environment(variable, value):
    error = refused("serve", "-l", env={variable: value})
    assert variable in error
    assert value in error


@pytest.mark.parametrize("option", ["--grace-period=-1", "--threads=-1", "--nonsense"])
def test_bad_option(option):
    assert option.lstrip("-").split("=")[0] in refused("serve", option)


def test_environment_gives_the_port(own_launcher):
    port = free_port()
    server = own_launcher.start("extproc", [paths.built("extproc"), "serve", "-l"], env={"GRPC_PORT": str(port)})
    server.wait_until_open(port)


def test_flag_wins_over_the_environment(own_launcher):
    server = Extproc(own_launcher, None, env={"GRPC_PORT": "not looked at"})
    with server.channel() as channel:
        assert check_health(channel) == SERVING


def test_debug_lines_for_each_phase(own_launcher, echo_port):
    server = Extproc(own_launcher, None, env={"LOG_LEVEL": "DEBUG"})
    port = envoy_in_front_of(own_launcher, server.address, echo_port)
    assert http.request(port, "POST", "/", body=b"body").status == 200
    for phase in ("request_headers", "request_body", "response_headers", "response_body"):
        server.process.wait_for_log(phase)


@pytest.mark.parametrize(("reveal", "shown"), [("false", None), ("t", "BaseExtProcService"), ("1", "BaseExtProcService")])
def test_chain_header_is_a_setting(own_launcher, echo_port, reveal, shown):
    env = {"REVEAL_EXTPROC_CHAIN": reveal, "EXTPROCS_APPLIED_HEADER": "X-Chain"}
    server = Extproc(own_launcher, None, env=env)
    response = http.request(envoy_in_front_of(own_launcher, server.address, echo_port), "GET", "/")
    assert response.status == 200
    assert response.get("x-chain") == shown
    assert response.get("x-ext-procs-applied") is None


def test_unix_domain_socket_behind_envoy(own_launcher, echo_port, tmp_path):
    server = Extproc(own_launcher, "examples.TrivialExtProcService", socket=tmp_path / "extproc.sock")
    response = http.request(envoy_in_front_of(own_launcher, server.address, echo_port), "GET", "/")
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"
    server.process.signal(15)
    assert server.process.wait() == 0
    assert not (tmp_path / "extproc.sock").exists()


def test_socket_left_behind_is_taken_over(own_launcher, tmp_path):
    path = tmp_path / "extproc.sock"
    first = Extproc(own_launcher, None, socket=path)
    first.process.signal(9)
    first.process.wait()
    assert path.exists()
    with Extproc(own_launcher, None, socket=path).channel() as channel:
        assert check_health(channel) == SERVING


@pytest.mark.parametrize("how", ["option", "environment", "current folder"])
def test_where_modules_are_found(own_launcher, tmp_path, how):
    shutil.copy(paths.built("examples.so"), tmp_path / "elsewhere.so")
    arguments = ["serve", "-s", "elsewhere.Missing", "-p", free_port()]
    env = {"EXTPROC_MODULE_PATH": str(tmp_path)} if how == "environment" else {}
    if how == "option":
        arguments += ["--module-path", tmp_path]
    error = refused(*arguments, env=env, cwd=tmp_path if how == "current folder" else None)
    # It was found and loaded, so the error is about the name.
    assert "TrivialExtProcService" in error
