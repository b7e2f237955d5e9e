"""`extproc serve --server-admin`: what an operator sees and sets."""

import asyncio
import os
import signal
import stat

import pytest

from harness import grpc_client, paths, protos
from harness.admin import Admin
from harness.command import extproc
from harness.envoy import envoy_in_front
from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.grpc_client import Requests, channel
from harness.http import Connection
from harness.load import Load
from harness.processes import eventually, free_port
from harness.tls_server import Served
from test_tls_reload import Folder

PAGES = ("/", "/settings", "/streams", "/certs", "/log-level", "/stats", "/version")
GET = {":method": "GET", ":path": "/", "x-request-id": "id-1"}
TRIVIAL = "examples.TrivialExtProcService"


@pytest.fixture
def admin() -> Admin:
    return Admin(free_port())


def serve(launcher, admin: Admin, *flags, service: str = TRIVIAL, **options) -> Extproc:
    """A server that its admin service shows, which it does a moment after its port is open."""
    server = Extproc(launcher, service, (*flags, *admin.flags), **options)
    server.process.wait_until_open(admin.address)
    eventually(lambda: admin.servers("/version"), "the server to be shown")
    return server


def test_every_page_for_programs_and_for_people(own_launcher, admin):
    server = serve(own_launcher, admin)
    for page in PAGES:
        found = admin.get(page, Accept="application/json").json()["servers"]
        assert [one["name"] for one in found] == ["TrivialExtProcService"], page
        assert found[0]["address"].endswith(f":{server.address}")
        for html in (admin.get(page, Accept="text/html"), admin.get(page + "?format=html")):
            assert html.status == 200 and html.headers["content-type"] == "text/html; charset=utf-8", page
            assert "default-src 'none'" in html.headers["content-security-policy"]
            assert "TrivialExtProcService" in html.body
            assert "<script" not in html.body and "://" not in html.body.replace(found[0]["address"], "")
        assert admin.ask("HEAD", page).body == ""
    assert admin.get("/").headers["content-type"].startswith("text/html")
    assert admin.get("/settings").headers["content-type"] == "application/json"
    unknown = admin.get("/unknown")
    assert unknown.status == 404 and "/streams" in unknown.body
    assert admin.ask("DELETE", "/").status == 405
    assert admin.ask("POST", "/settings", "a=b").status == 405


def test_settings_tell_from_where_they_are(own_launcher, admin):
    env = {"SHUTDOWN_GRACE_PERIOD": "7", "EXTPROCS_APPLIED_HEADER": "x-applied"}
    server = serve(own_launcher, admin, "--threads", "2", "--message-bytes", "1m", env=env)

    def told(name: str) -> tuple[str, str]:
        setting = admin.setting(name)
        return setting["value"], setting["from"]

    assert told("threads") == ("2", "flag --threads")
    assert told("limits.message_bytes") == (str(1 << 20), "flag --message-bytes")
    assert told("grace_period") == ("7", "environment SHUTDOWN_GRACE_PERIOD")
    assert told("applied_header") == ("x-applied", "environment EXTPROCS_APPLIED_HEADER")
    assert told("limits.connections") == ("16384", "default")
    assert told("log_level") == ("INFO", "default")
    assert told("server_admin")[1] == "flag --server-admin"
    assert told("listen") == (f"[::]:{server.address}", "flag --port")
    admin.set_log_level("ERROR")
    assert told("log_level") == ("ERROR", "admin /log-level")


def test_settings_of_a_file_and_what_a_reload_changes(own_launcher, folder):
    admin = Admin(folder / "admin")
    file = folder / "serve.yaml"

    def write(level: str, idle: int) -> None:
        text = f"listen: unix:{folder}/grpc\nserver_admin: unix:{admin.address}\nlog_level: {level}\nlimits:\n  idle_timeout: {idle}\n"
        file.write_text(text)

    def told(name: str) -> tuple[str, str]:
        setting = admin.setting(name)
        return setting["value"], setting["from"]

    write("INFO", 60)
    server = own_launcher.start("extproc", [paths.built("extproc"), "serve", "--settings", file, "--threads", "1"])
    server.wait_until_open(folder / "admin")
    eventually(lambda: admin.servers("/version"), "the server to be shown")
    assert told("threads") == ("1", "flag --threads")
    assert told("log_level") == ("INFO", f"file {file}:3")
    assert told("limits.idle_timeout") == ("60", f"file {file}:5")
    write("DEBUG", 90)
    server.signal(signal.SIGHUP)
    eventually(lambda: told("log_level")[0] == "DEBUG" and told("limits.idle_timeout")[0] == "90", "what the file says now")
    eventually(lambda: told("limits.idle_timeout")[1] == f"file {file}:5", "the place of the limit")
    assert admin.get("/log-level").json()["log_level"] == "DEBUG"
    # What an operator has set stays, as long as the file says the same.
    admin.set_log_level("ERROR")
    write("DEBUG", 120)
    server.signal(signal.SIGHUP)
    eventually(lambda: told("limits.idle_timeout")[0] == "120", "the next limit")
    assert told("log_level") == ("ERROR", "admin /log-level")


def test_settings_of_a_socket_and_of_a_quiet_command(own_launcher, folder):
    admin = Admin(folder / "admin")
    command = [paths.built("extproc"), "serve", "--listen", f"unix:{folder}/grpc", *admin.flags]
    own_launcher.start("extproc", command).wait_until_open(folder / "admin")
    assert stat.S_IMODE(os.stat(admin.address).st_mode) == 0o600
    eventually(lambda: admin.servers("/version"), "the server to be shown")
    assert admin.setting("listen") | {"help": ""} == {
        "name": "listen", "value": f"unix:{folder}/grpc", "unit": None, "from": "flag --listen", "flag": None, "variable": None, "help": "",
    }  # fmt: skip
    assert admin.setting("log_level")["from"] == "the command, without --logging"
    # Browsers do not reach it, so that it is asked under any name.
    assert admin.get("/version", Host="any.example").status == 200


def test_streams_tell_what_they_wait_for(own_launcher, admin):
    server = serve(own_launcher, admin)
    with server.channel() as chan:
        requests = Requests(protos.request_headers(GET))
        call = grpc_client.process(chan)(iter(requests), timeout=20)
        next(call)
        (stream,) = admin.servers("/streams")[0]["streams"]
        assert stream["processor"] == "TrivialExtProcService" and stream["request_id"] == "id-1"
        assert stream["phase"] == "request_headers" and stream["waits_for"] == "the client's next message"
        assert stream["age_ms"] >= 0 and stream["in_handler_ms"] is None and stream["peer"].startswith("127.0.0.1:")
        requests.close()
        assert list(call) == []
    eventually(lambda: admin.servers("/streams")[0]["streams"] == [], "the stream to be gone")


def test_a_handler_over_a_body_waits_for_more_of_it(own_launcher, raw_port, admin):
    """Through Envoy, which has sent a piece of a body."""
    server = serve(own_launcher, admin, "--message-timeout", "10", service="test_processors.Bodies")
    port, _ = envoy_in_front(own_launcher, server.address, raw_port, Mode(request_body="FULL_DUPLEX_STREAMED", request_trailer="SEND"))

    def waiting() -> list[dict]:
        return [stream for stream in admin.servers("/streams")[0]["streams"] if stream["waits_for"] == "more of the body"]

    async def run() -> int:
        connection = await Connection.open(port)
        await connection.open_chunked("POST", "/", [("x-do-bodies", "request_body upper"), ("x-request-id", "body-1")])
        await connection.write_chunk(b"piece")
        (stream,) = await asyncio.to_thread(eventually, waiting, "the stream to wait for more of its body")
        assert stream["phase"] == "request_body" and stream["processor"] == "Bodies" and stream["request_id"]
        assert stream["age_ms"] >= stream["in_handler_ms"] >= 0
        await connection.end_chunked()
        response = await connection.read_response("POST")
        connection.close()
        return response.status

    assert asyncio.run(run()) == 200


def test_the_host_must_be_this_machine(own_launcher, admin):
    serve(own_launcher, admin)
    for host in (f"localhost:{admin.address}", "127.0.0.1", "[::1]:80"):
        assert admin.get("/version", Host=host).status == 200, host
    for host in ("rebound.example", f"rebound.example:{admin.address}", "127.0.0.1.rebound.example", "10.1.2.3"):
        answer = admin.get("/version", Host=host)
        assert answer.status == 403 and "127.0.0.1" in answer.body, host


def test_changes_are_by_post_from_here(own_launcher, admin):
    server = serve(own_launcher, admin)
    here = f"127.0.0.1:{admin.address}"

    def post(**headers) -> int:
        return admin.ask("POST", "/log-level", "level=DEBUG", {"Content-Type": "application/x-www-form-urlencoded", **headers}).status

    foreign = ({"Origin": "http://evil.example"}, {"Origin": f"http://127.0.0.1:{admin.address + 1}"}, {"Origin": "null"},
               {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example", "Origin": "http://evil.example"})  # fmt: skip
    for headers in foreign:
        assert post(**headers) == 403, headers
    assert admin.get("/log-level?level=DEBUG").json()["log_level"] == "INFO"
    assert post(**{"Origin": f"http://{here}", "Sec-Fetch-Site": "same-origin"}) == 200
    assert admin.get("/log-level").json()["log_level"] == "DEBUG"
    server.process.wait_for_log("logs at DEBUG, and not at INFO any more (admin /log-level)")


def test_the_level_counts_for_requests_and_for_the_process(own_launcher, admin):
    server = serve(own_launcher, admin)

    def request() -> None:
        with server.channel() as chan:
            list(grpc_client.process(chan)(iter([protos.request_headers(GET)]), timeout=20))

    request()
    assert not server.lines(" : DEBUG : ")
    admin.set_log_level("DEBUG")
    request()
    eventually(lambda: server.lines(" : DEBUG : "), "lines at DEBUG")
    admin.set_log_level("ERROR")
    server.process.signal(signal.SIGHUP)
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    # serve() itself tells of them at INFO.
    assert not server.lines("SIGHUP") and not server.lines("shutting down")


def test_several_services_are_shown_together(own_launcher, admin, folder):
    services = f"{TRIVIAL},examples.EchoExtProcService"
    listen = [part for name in ("a", "b") for part in ("--listen", f"unix:{folder}/{name}")]
    command = [paths.built("extproc"), "serve", "-s", services, "--separate", *listen, *admin.flags, "-l"]
    own_launcher.start("extproc", command).wait_until_open(folder / "b")
    eventually(lambda: len(admin.servers("/version")) == 2, "both to be shown")
    assert [server["address"] for server in admin.servers("/stats")] == [f"unix:{folder}/a", f"unix:{folder}/b"]
    with channel(str(folder / "b")) as chan:
        list(grpc_client.process(chan)(iter([protos.request_headers(GET)]), timeout=20))
    assert [server["counters"]["streams_started"] for server in admin.servers("/stats")] == [0, 1]
    admin.set_log_level("WARNING")
    assert {server["log_level"] for server in admin.servers("/log-level")} == {"WARNING"}
    assert admin.setting("listen", 1)["from"] == "flag --listen"


def test_a_chain_names_its_processors(own_launcher, admin):
    server = serve(own_launcher, admin, service=f"{TRIVIAL},examples.EchoExtProcService")
    with server.channel() as chan:
        list(grpc_client.process(chan)(iter([protos.request_headers(GET)]), timeout=20))
    (told,) = admin.servers("/stats")
    assert [(one["name"], one["calls"]) for one in told["processors"]] == [("TrivialExtProcService", 1), ("EchoExtProcService", 1)]


def test_certificates_and_their_reloads(own_launcher, pki, tmp_path, admin):
    folder = Folder(tmp_path / "secret", pki.server)
    Served(own_launcher, pki, *admin.flags, pair=folder.pair)
    eventually(lambda: admin.servers("/version"), "the server to be shown")

    def told() -> dict:
        return admin.servers("/certs")[0]

    first = told()
    assert first["tls"] and first["last_reload"] is None and first["reload_error"] is None
    assert str(folder.pair.certificate) in first["files"] and str(folder.pair.key) in first["files"]
    certificate = first["certificates"][0]
    assert certificate["use"] == "server" and certificate["source"] == str(folder.pair.certificate)
    assert certificate["days_left"] >= 0 and len(certificate["sha256"]) == 64 and certificate["issuer"]
    assert {one["use"] for one in first["certificates"]} == {"server", "client_ca"}
    assert "PRIVATE KEY" not in admin.get("/certs").body
    good = pki.ca.server()
    folder.put(type(good)(good.certificate, pki.server.key))
    eventually(lambda: told()["reload_error"], "the error of a reload")
    assert "does not belong" in told()["reload_error"]
    assert told()["certificates"][0]["sha256"] == certificate["sha256"] and told()["last_reload"] is None
    folder.put(good)
    eventually(lambda: told()["last_reload"], "the reload")
    assert told()["reload_error"] is None and told()["certificates"][0]["sha256"] != certificate["sha256"]


def test_without_tls_there_are_no_certificates(own_launcher, folder):
    admin = Admin(folder / "admin")
    command = [paths.built("extproc"), "serve", "--listen", f"unix:{folder}/grpc", *admin.flags]
    own_launcher.start("extproc", command).wait_until_open(folder / "grpc")
    (told,) = eventually(lambda: admin.servers("/certs"), "the server to be shown")
    assert told["tls"] is False


def test_under_load_from_envoy(own_launcher, echo_port, admin):
    server = serve(own_launcher, admin)
    port, envoy = envoy_in_front(own_launcher, server.address, echo_port)

    async def run() -> Load:
        load = Load(port, 8)
        for _ in range(20):
            for page in PAGES:
                answer = await asyncio.to_thread(admin.get, page)
                assert answer.status == 200, page
            await load.reach(20)
        for level in ("DEBUG", "ERROR", "DEBUG", "INFO"):
            await asyncio.to_thread(admin.set_log_level, level)
            await load.reach(50)
        await load.stop()
        return load

    load = asyncio.run(run())
    assert set(load.statuses) == {200}
    assert envoy.ext_proc_failures() == {}
    assert admin.servers("/stats")[0]["counters"]["streams_started"] == len(load.statuses)


def test_it_is_there_until_the_last_stream_has_ended(own_launcher, admin):
    server = serve(own_launcher, admin, "-g", "20")
    with server.channel() as chan:
        requests = Requests(protos.request_headers(GET))
        call = grpc_client.process(chan)(iter(requests), timeout=20)
        next(call)
        server.process.signal(signal.SIGTERM)
        server.process.wait_for_log("shutting down")
        assert len(admin.servers("/streams")[0]["streams"]) == 1
        requests.close()
        assert list(call) == []
    assert server.process.wait() == 0


@pytest.mark.parametrize("address", ["9902", "0.0.0.0:9902", "[::]:9902", "192.0.2.1:9902", "some.host:9902"])
def test_addresses_that_others_reach_are_refused(address):
    run = extproc("serve", "--listen", "unix:/tmp/extproc-never", "--server-admin", address)
    assert run.returncode == 1
    assert "--server-admin-anywhere" in run.stderr and "127.0.0.1:9902" in run.stderr


def test_anywhere_is_for_who_says_so(own_launcher):
    admin = Admin(free_port())
    flags = ("--server-admin", f"0.0.0.0:{admin.address}", "--server-admin-anywhere")
    Extproc(own_launcher, TRIVIAL, flags)
    assert admin.get("/version", Host="processor.example").status == 200
    form = {"Content-Type": "application/x-www-form-urlencoded", "Host": "processor.example"}
    assert admin.ask("POST", "/log-level", "level=DEBUG", {**form, "Origin": "http://evil.example"}).status == 403
    # A name may be one that somebody else's DNS has made ours; programs send no Origin.
    assert admin.ask("POST", "/log-level", "level=DEBUG", {**form, "Origin": "http://processor.example"}).status == 403
    assert admin.ask("POST", "/log-level", "level=DEBUG", form).status == 200
    at = f"127.0.0.1:{admin.address}"
    assert admin.ask("POST", "/log-level", "level=INFO", {**form, "Host": at, "Origin": f"http://{at}"}).status == 200


def test_an_address_in_use_is_told(own_launcher, admin):
    serve(own_launcher, admin)
    run = extproc("serve", "--listen", "unix:/tmp/extproc-never", *admin.flags)
    assert run.returncode == 1 and "choose another with --server-admin" in run.stderr


def test_wrong_addresses_are_wrong_usage():
    run = extproc("serve", "--server-admin", "http://127.0.0.1:1")
    assert run.returncode == 2 and "--server-admin" in run.stderr and "not a URL" in run.stderr
