"""What becomes of a settings file that changes while it is served."""

import signal
from pathlib import Path

import grpc
import pytest

from harness import grpc_client, tls_client
from harness.processes import eventually, free_port, is_open
from harness.served_file import OWN, ServedFile, answer_of, check, own, service

FIXED = "test_processors.FixedOwn"


def test_what_can_change_does(own_launcher, tmp_path):
    port = free_port()

    def content(value: str, connections: int, level: str = "INFO", **more) -> dict:
        return {"log_level": level, **more, "services": [service(port, own(value), limits={"connections": connections})]}

    served = ServedFile(own_launcher, tmp_path, content("one", 5))
    served.process.wait_until_open(port)
    assert answer_of(port) == "one"
    assert any("nothing has changed" in line for line in served.reload(content("one", 5), "was read anew"))
    lines = served.reload(content("two", 6), "limits.connections")
    assert any(f"{served.path}:" in line and 'limits.connections is "6" now, and was "5"' in line for line in lines)
    assert any("test_processors.Own has taken its settings" in line for line in lines)
    assert answer_of(port) == "two"
    lines = served.reload(content("two", 6, threads=3), "threads")
    assert any(f"WARNING : {served.path}:2: threads" in line and "after a restart" in line for line in lines)
    served.reload(content("two", 6, "WARNING"), "logs at WARNING")
    served.reload(content("two", 6, "DEBUG"), "logs at DEBUG")
    answer_of(port)
    served.process.wait_for_log(" : DEBUG : ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threds": 1}, 'did you mean "threads"?'),
        ({"limits": {"message_bytes": "1g"}}, "buffered_bytes_per_connection"),
        ({"services": [{"processors": [{"name": OWN, "settings": {"value": "refused"}}]}]}, "no such value"),
        ({"services": [{"processors": [{"name": OWN, "settings": {"value": "b", "more": 1}}]}]}, "more is read by nobody"),
    ],
)
def test_of_a_wrong_file_nothing_counts(own_launcher, tmp_path, change, told):
    port = free_port()
    good = {"port": port, "services": [{"processors": [own("good")]}]}
    served = ServedFile(own_launcher, tmp_path, good, "-l")
    served.process.wait_until_open(port)
    bad = {**good, "limits": {"connections": 7}, **change}
    lines = served.reload(bad, "is not taken: what was there counts on")
    assert any(told in line and " : ERROR : " in line for line in lines)
    assert not any("limits.connections is" in line for line in lines)
    assert answer_of(port) == "good"
    assert any("nothing has changed" in line for line in served.reload(good, "was read anew"))


def test_what_cannot_change_is_told(own_launcher, tmp_path):
    port = free_port()
    served = ServedFile(own_launcher, tmp_path, {"services": [service(port, {"name": FIXED, "settings": {"value": "a"}})]})
    served.process.wait_until_open(port)
    served.reload({"services": [service(port, {"name": FIXED, "settings": {"value": "b"}})]}, f"settings of {FIXED} are others")
    served.reload({"services": [service(free_port(), FIXED)]}, "listen is")
    served.reload({"services": [service(port, FIXED), service(free_port(), OWN)]}, "services, or their processors, are others")
    assert is_open(port)


def test_a_service_in_front_leaves_the_others_what_is_theirs(own_launcher, tmp_path):
    first, second = free_port(), free_port()
    services = [service(first, own("a")), service(second, own("b"))]
    served = ServedFile(own_launcher, tmp_path, {"services": services}, "-l")
    served.process.wait_until_open(second)
    served.reload({"services": [service(free_port(), own("c")), *services]}, "services, or their processors, are others")
    assert (answer_of(first), answer_of(second)) == ("a", "b")
    served.reload({"services": services[::-1]}, "nothing has changed")
    assert (answer_of(first), answer_of(second)) == ("a", "b")


def test_another_certificate_leaves_clients_asked_for_theirs(own_launcher, tmp_path, pki):
    port = free_port()
    pair = {"certificate_file": str(pki.server.certificate), "key_file": str(pki.server.key)}
    content = {"tls": {**pair, "client_ca_file": str(pki.ca.certificate)}, "services": [service(port, FIXED, tls=pair)]}
    flags = ["--tls-cert", pki.server.certificate, "--tls-key", pki.server.key]
    served = ServedFile(own_launcher, tmp_path, content, "-l", *flags)
    served.process.wait_until_open(port)
    assert "tls: on, clients must show a certificate" in check(served.path, *flags).stdout
    with tls_client.channel(port, pki.ca.certificate) as channel, pytest.raises(grpc.RpcError):
        grpc_client.check_health(channel)


def test_a_limit_counts_on_open_connections(own_launcher, tmp_path):
    port = free_port()
    served = ServedFile(own_launcher, tmp_path, {"services": [service(port, FIXED)]}, "-l")
    served.process.wait_until_open(port)
    with grpc_client.channel(port) as channel:
        assert grpc_client.check_health(channel) == 1
        served.reload({"limits": {"idle_timeout": 0.001}, "services": [service(port, FIXED)]}, "limits.idle_timeout")
        eventually(lambda: connections_of(served.process.pid, port) == 0, "the idle connection to be closed")


def connections_of(pid: int, port: int) -> int:
    """Those that are established, by the system's own list."""
    wanted = f"{port:04X}"
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if line.split()[1].endswith(f":{wanted}") and line.split()[3] == "01")


def test_a_reload_that_takes_its_time_holds_nothing_up(own_launcher, tmp_path):
    port = free_port()
    served = ServedFile(own_launcher, tmp_path, {"services": [service(port, own("a"))]}, "-l", "-g", "0")
    served.process.wait_until_open(port)
    served.reload({"services": [service(port, own("b", slow=600))]}, "SIGHUP reads")
    assert answer_of(port) == "a"
    served.process.signal(signal.SIGTERM)
    assert served.process.wait(8) == 1
    assert "without the reload of a processor" in served.process.log()


def test_certificates_of_the_file_are_read_anew(own_launcher, tmp_path, pki):
    port = free_port()
    for name, source in (("tls.crt", pki.server.certificate), ("tls.key", pki.server.key)):
        (tmp_path / name).write_bytes(source.read_bytes())
    tls = {"certificate_file": str(tmp_path / "tls.crt"), "key_file": str(tmp_path / "tls.key")}
    content = {"tls": tls, "services": [service(port, FIXED)]}
    served = ServedFile(own_launcher, tmp_path, content, "-l")
    served.process.wait_until_open(port)
    served.reload(content, "was read anew: nothing has changed")
    with tls_client.channel(port, pki.ca.certificate) as channel:
        assert grpc_client.check_health(channel) == 1
