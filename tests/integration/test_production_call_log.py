"""CallLog of examples/production behind real Envoy, and inside it."""

import asyncio
import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from harness import http
from harness.processes import eventually, free_port
from harness.production import INSIDE, WAYS, Production, lines_of


def told(path, count: int = 1) -> list[dict]:
    """The lines, once there are so many."""
    eventually(lambda: len(lines_of(path)) >= count, f"{count} lines", 20)
    return [json.loads(line) for line in lines_of(path)]


@pytest.mark.parametrize("way", WAYS)
def test_a_line_for_each_request(own_launcher, raw_port, tmp_path, way):
    file = tmp_path / "calls.log"
    production = Production(own_launcher, {"CallLog": {"file": str(file), "user_header": "x-user"}}, raw_port, way=way)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = [("x-user", b"ann\xe9"), ("x-request-id", "one"), ("traceparent", trace)]
    response = production.request("POST", "/a?token=secret&b=2", headers=headers, body=b"12345")
    assert (response.status, response.body) == (200, b"12345")
    production.request("GET", "/second")
    # Which stream ends first nobody says.
    first, second = sorted(told(file, 2), key=lambda line: line["path"])
    assert (first["method"], first["path"], first["status"]) == ("POST", "/a?token=***&b=2", 200)
    assert (first["request_bytes"], first["response_bytes"], first["user"]) == (5, 5, "ann\ufffd")
    assert (first["request_id"], first["trace_id"], first["route"]) == ("one", "0af7651916cd43dd8448eb211c80319c", "all")
    assert first["client"].startswith("127.0.0.1:")
    assert 0 <= first["response_ms"] <= first["duration_ms"]
    assert (second["path"], second["request_bytes"]) == ("/second", 0)
    assert "error" not in first | second and "cut" not in first | second


# Envoy ends a stream that only looks on some time after its request: deferred_close_timeout, 5 s unless it is stated.
@pytest.mark.parametrize("way", WAYS)
def test_an_upstream_that_dies_midway(own_launcher, tmp_path, way):
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        await writer.drain()
        writer.close()

    async def play(port: int, listen: int) -> None:
        server = await asyncio.start_server(dies, "127.0.0.1", listen)
        connection = await http.Connection.open(port)
        await connection.send("GET", "/")
        assert (await connection.read_head()).status == 200
        await connection._reader.read()
        connection.close()
        server.close()

    upstream = free_port()
    file = tmp_path / "calls.log"
    production = Production(own_launcher, {"CallLog": {"file": str(file), "sample": 0}}, upstream, way=way)
    asyncio.run(play(production.port, upstream))
    (line,) = told(file)
    assert (line["status"], line["response_bytes"], line["aborted"]) == (200, 9, True)


def test_standard_output_and_a_file_that_is_moved(own_launcher, raw_port, tmp_path):
    file = tmp_path / "calls.log"
    production = Production(own_launcher, {"CallLog": {"file": str(file), "bodies": False}}, raw_port)
    production.request(path="/old")
    assert [line["path"] for line in told(file)] == ["/old"]
    moved = tmp_path / "calls.log.1"
    os.rename(file, moved)
    production.server.process.signal(signal.SIGUSR1)
    eventually(file.exists, "the file to be there again")
    production.request(path="/new")
    assert [line["path"] for line in told(file)] == ["/new"]
    assert len(lines_of(moved)) == 1

    printed = Production(own_launcher, {"CallLog": {}}, raw_port)
    printed.request(path="/printed")
    assert json.loads(printed.server.process.wait_for_log('"path":"/printed"', 20))["status"] == 200


def test_a_request_waits_for_nobody(own_launcher, raw_port, tmp_path):
    """A pipe that nobody reads: what does not fit is dropped, and told."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    production = Production(own_launcher, {"CallLog": {"file": str(pipe), "bodies": False, "queue": "4k"}}, raw_port)

    async def load() -> None:
        connection = await http.Connection.open(production.port)
        for i in range(600):
            assert (await connection.request("GET", f"/{i}/{'x' * 400}")).status == 200
        connection.close()

    asyncio.run(load())
    assert production.request(path="/last").status == 200
    text = b""

    def read_some() -> bool:
        nonlocal text
        try:
            text += os.read(reader, 1 << 16)
        except BlockingIOError:
            pass
        return b'"dropped":' in text

    eventually(read_some, "what was dropped is told")
    lines = [json.loads(line) for line in text.splitlines()]
    assert sum(line.get("dropped", 1) for line in lines) <= 601


class LogCollector:
    """Takes records by OTLP over HTTP."""

    def __init__(self):
        self.records: list = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                assert (self.path, self.headers["content-type"]) == ("/v1/logs", "application/x-protobuf")
                collector.take(ExportLogsServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/logs"

    def take(self, request: ExportLogsServiceRequest) -> None:
        for resource in request.resource_logs:
            self.services |= {each.value.string_value for each in resource.resource.attributes if each.key == "service.name"}
            self.records += [record for scope in resource.scope_logs for record in scope.log_records]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("way", ["clear", INSIDE])
def test_lines_for_a_collector(own_launcher, raw_port, way):
    collector = LogCollector()
    own = {"otlp": collector.url, "service": "shop", "bodies": False}
    production = Production(own_launcher, {"CallLog": own}, raw_port, way=way)
    trace = "0af7651916cd43dd8448eb211c80319c"
    before = time.time_ns()
    production.request(path="/one", headers=[("traceparent", f"00-{trace}-b7ad6b7169203331-01")])
    production.request(path="/two")
    eventually(lambda: len(collector.records) >= 2, "two records", 20)
    one, two = sorted(collector.records, key=lambda record: record.time_unix_nano)
    assert json.loads(one.body.string_value)["path"] == "/one"
    assert json.loads(two.body.string_value)["path"] == "/two"
    assert (one.severity_text, one.trace_id.hex(), two.trace_id) == ("INFO", trace, b"")
    assert before <= one.time_unix_nano <= one.observed_time_unix_nano
    assert collector.services == {"shop"}
    collector.close()


def test_inside_the_settings_are_checked(own_launcher, raw_port):
    with pytest.raises((AssertionError, ConnectionError)):
        Production(own_launcher, {"CallLog": {"sample": 2}}, raw_port, way=INSIDE)
    assert any("`sample` is neither" in file.read_text() for file in own_launcher.folder.glob("*envoy.log"))
