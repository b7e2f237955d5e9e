"""The processors of docs/recipes.md do what it says, and its code is theirs."""

import asyncio
import gzip
import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from harness import http, paths
from harness.command import check, config
from harness.envoy import Envoy
from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.processes import eventually, free_port
from harness.stage import Site, Stage

NAMES = ("UpgradesPass", "EventsStream", "PlainBodies", "RouteSettings", "ChooseRoute", "Usage")
_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"
_WEBSOCKET = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
_CONNECT = {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}
_FORWARD = {"cluster": "upstream", "timeout": "0s"}


async def _upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")[1:-2]
            fields: dict[str, str] = {}
            for name, value in (line.split(": ", 1) for line in lines):
                known = fields.get(name.lower())
                fields[name.lower()] = value if known is None else f"{known},{value}"
            if length := int(fields.get("content-length", "0")):
                await reader.readexactly(length)
            await _answer(*head.split()[:2], fields, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _answer(
    method: str, path: str, fields: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    def whole(body: bytes, more: str = "") -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body)

    if fields.get("upgrade") == "websocket":
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        writer.write((await reader.readexactly(4)).upper())
    elif method == "CONNECT":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.write((await reader.readexactly(4)).upper())
    elif fields.get("content-type") == "application/grpc":
        # Each message is answered before the next: the caller's end is never waited for.
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(2):
            chunk = await reader.readexactly(len(b"4\r\nping\r\n"))
            writer.write(chunk.upper())
            await writer.drain()
        await reader.read()
    elif path == "/events":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"9\r\ndata: 1\n\n\r\n")
        # The rest comes when nobody waits for it any more.
        await reader.read()
    elif path == "/banana":
        accepts = "gzip" in fields.get("accept-encoding", "")
        whole(gzip.compress(b"banana") if accepts else b"banana", "content-encoding: gzip\r\n" if accepts else "")
    elif path == "/moved":
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://localhost/there\r\ncontent-length: 0\r\n\r\n")
    elif path == "/packed":
        whole(gzip.compress(b"banana"), "content-encoding: gzip\r\n")
    else:
        whole(";".join(f"{name}={value}" for name, value in fields.items()).encode())
    await writer.drain()


async def _end() -> None:
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


@pytest.fixture(scope="module")
def upstream_port():
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_upstream, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(_end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def _route(prefix: str, action: dict | None = None, **more) -> dict:
    return {"match": {"prefix": prefix}, "route": _FORWARD | (action or {}), **more}


@pytest.fixture(scope="module")
def stage(launcher, upstream_port) -> Stage:
    servers = {name: Extproc(launcher, f"recipes.{name}") for name in NAMES}
    servers["Scripted"] = Extproc(launcher, "test_processors.Scripted")
    override = {"allow_mode_override": True}
    plan = {"@type": _PER_ROUTE, "overrides": {"grpc_initial_metadata": [{"key": "plan", "value": "paid"}]}}
    no_bodies = {"@type": _PER_ROUTE, "overrides": {"processing_mode": {"response_header_mode": "SEND"}}}
    headers = Mode(request_body="NONE", response_body="NONE")
    pool = [{"name": "x-pool", "string_match": {"exact": "canary"}}]
    sites = [
        Site(
            "UpgradesPass",
            ("UpgradesPass",),
            extra=override,
            routes=({"match": {"connect_matcher": {}}, "route": _FORWARD | _CONNECT}, _route("/", _WEBSOCKET)),
        ),
        Site(
            "ByRoute",
            ("UpgradesPass",),
            routes=(_route("/live", _WEBSOCKET, typed_per_filter_config={"envoy.filters.http.ext_proc.UpgradesPass": no_bodies}),),
        ),
        Site("EventsStream", ("EventsStream",), extra=override),
        Site("PlainBodies", ("PlainBodies",)),
        Site(
            "RouteSettings",
            ("RouteSettings",),
            headers,
            extra={"request_attributes": ["xds.route_name"]},
            routes=(_route("/paid", name="paid", typed_per_filter_config={"envoy.filters.http.ext_proc.RouteSettings": plan}),),
        ),
        Site(
            "ChooseRoute",
            ("ChooseRoute",),
            headers,
            routes=({"match": {"prefix": "/", "headers": pool}, "direct_response": {"status": 203}},),
        ),
        Site("Redirects", ("Scripted",), headers, routes=(_route("/moved", {"internal_redirect_policy": {}}),)),
        Site(
            "Usage",
            ("Usage",),
            Mode(request_body="NONE", response_body="FULL_DUPLEX_STREAMED", response_trailer="SEND"),
            extra={"metadata_options": {"receiving_namespaces": {"untyped": ["usage"]}}},
        ),
    ]
    return Stage(launcher, servers, sites, upstream_port, {"usage": "%DYNAMIC_METADATA(usage:bytes)%"})


_UPGRADE = b"GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


async def _tunnel(port: int, request: bytes) -> bytes:
    """The status, and what comes back of what is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ping")
        answer = await reader.readexactly(4)
    writer.close()
    return head.split(b" ")[1] + b" " + answer


@pytest.mark.parametrize("site", ["UpgradesPass", "ByRoute"])
def test_upgrades_pass_beside_bodies_that_are_buffered(stage, site):
    assert asyncio.run(_tunnel(stage.ports[site], _UPGRADE)) == b"101 PING"
    assert b"x-request-bytes=5" in stage.request(site, "POST", body=b"hello").body


def test_connect_passes_beside_bodies_that_are_buffered(stage):
    assert asyncio.run(_tunnel(stage.ports["UpgradesPass"], b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n")) == b"200 PING"


def test_a_grpc_stream_passes_beside_bodies_that_are_buffered(stage):
    """Its caller waits for the answer to each message before it sends the next."""

    async def play() -> list[bytes]:
        connection = await http.Connection.open(stage.ports["UpgradesPass"])
        await connection.open_chunked("POST", "/call", [("content-type", "application/grpc"), ("te", "trailers")])
        answers = []
        async with asyncio.timeout(10):
            for i in range(2):
                await connection.write_chunk(b"ping")
                if i == 0:
                    assert (await connection.read_head()).status == 200
                answers.append(await connection.read_chunk())
        connection.close()
        return answers

    assert asyncio.run(play()) == [b"PING", b"PING"]


async def _first_event(port: int) -> bytes:
    connection = await http.Connection.open(port)
    await connection.send("GET", "/events")
    async with asyncio.timeout(10):
        head = await connection.read_head()
        assert head.status == 200
        chunk = await connection.read_chunk()
    connection.close()
    return chunk


def test_events_come_as_they_are_sent(stage):
    assert asyncio.run(_first_event(stage.ports["EventsStream"])).startswith(b"data: 1\n\n")
    assert stage.request("EventsStream", path="/").body.endswith(b"\n")


def test_bodies_come_plain(stage):
    asking = [("accept-encoding", "gzip")]
    assert stage.request("PlainBodies", path="/banana", headers=asking).body == b"bAnAnA"
    assert gzip.decompress(stage.request("PlainBodies", path="/packed", headers=asking).body) == b"banana"


def test_the_route_and_its_settings(stage):
    assert b"x-route=paid;x-plan=paid" in stage.request("RouteSettings", path="/paid").body
    assert b"x-route=all;x-plan=free" in stage.request("RouteSettings", path="/other").body


def test_the_route_is_chosen_again(stage):
    assert stage.request("ChooseRoute", headers=[("x-tester", "1")]).status == 203
    assert stage.request("ChooseRoute").status == 200


def test_what_callers_got_is_counted(stage):
    async def leave_early(name: str) -> None:
        connection = await http.Connection.open(stage.ports["Usage"])
        await connection.send("GET", "/events", headers=[("x-request-id", name)])
        await connection.read_head()
        await connection.read_chunk()
        connection.close()

    asyncio.run(leave_early("usage-early"))
    assert eventually(lambda: stage.access("usage-early")["usage"], "the access log") == 9
    response, logged = stage.logged("Usage")
    assert logged["usage"] == len(response.body)


def test_an_internal_redirect_asks_the_processor_again(stage):
    """With the request as it was changed: what docs/protocol.md says of it."""
    response = stage.request("Redirects", path="/moved", do=["request_headers append x-a=1", "request_headers set x-b=1"])
    assert response.status == 200
    seen = response.body.split(b";")
    assert [field for field in seen if field.startswith((b"x-a=", b"x-b="))] == [b"x-a=1,1", b"x-b=1"]


def _of_the_page(mark: str, folder: Path) -> dict:
    """The YAML behind the mark, with one key pair in place of all."""
    page = (paths.REPOSITORY / "docs" / "recipes.md").read_text()
    text = re.search(rf"<!-- {mark} -->\n```yaml\n(.*?)```", page, re.DOTALL)[1]
    text, count = re.subn(r"filename: /etc/\w+/\w+\.(\w+)", lambda file: f"filename: {folder}/tls.{file[1]}", text)
    assert count == 3
    return yaml.safe_load(text)


def _refuses_strangers(port: int, certificate: Path) -> bool:
    context = ssl.create_default_context(cafile=certificate)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="extproc") as connection:
                return connection.recv(1) == b""
        except ssl.SSLError as error:
            return "CERTIFICATE_REQUIRED" in str(error).upper()


def test_something_that_ends_tls_in_front_of_the_processor(own_launcher, upstream_port, tmp_path):
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    pair = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate]
    subject = ["-subj", "/CN=extproc", "-addext", "subjectAltName=DNS:extproc"]
    subprocess.run(["openssl", "req", *pair, *subject], check=True, capture_output=True)
    processor = Extproc(own_launcher, "recipes.ChooseRoute")
    tls, tls_admin, port, admin = (free_port() for _ in range(4))

    front = _of_the_page("tls", tmp_path)
    resources = front["static_resources"]
    resources["listeners"][0]["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": tls}
    endpoint = resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"]["port_value"] = processor.address
    front["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": tls_admin}}}
    Envoy(own_launcher, front, tls_admin)

    service = ("-s", "recipes.ChooseRoute")
    flags = (
        *service, "--address", f"127.0.0.1:{tls}", "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://127.0.0.1:{upstream_port}", "--cluster-name", "asked", "--tls-ca", certificate, "--tls-cert", certificate,
        "--tls-key", key, "--tls-server-name", "extproc", "--tls-sds-folder", tmp_path,
    )  # fmt: skip
    for name in ("ca", "certificate"):
        (tmp_path / f"extproc-{name}.yaml").write_text(config(*flags, "--format", f"sds-{name}"))
    asks = config(*flags)
    assert check(asks, *service, "--strict", "--tls").returncode == 0
    # Its health checks come through as well.
    Envoy(own_launcher, asks, admin).wait_for_healthy("asked", 1)
    assert b"x-pool=stable" in http.request(port, "GET", "/").body
    assert _refuses_strangers(tls, certificate)


def test_the_code_of_the_page_is_the_code_of_the_examples():
    page = (paths.REPOSITORY / "docs" / "recipes.md").read_text()
    assert set(re.findall(r"<!-- from examples/recipes/(\w+)\.cc -->", page)) == {
        file.stem for file in (paths.REPOSITORY / "examples" / "recipes").glob("*.cc")
    }
    assert len(re.findall(r"```cpp\n", page)) == len(re.findall(r"<!-- from examples/recipes", page))
