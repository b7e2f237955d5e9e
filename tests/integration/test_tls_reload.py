"""Certificates of `extproc serve` that change while it runs."""

import asyncio
import os
import shutil
from pathlib import Path

from harness import grpc_client, over_tls, tls_client
from harness.certificates import Pair
from harness.envoy import envoy_in_front
from harness.envoy_config import Mode
from harness.load import Load
from harness.processes import eventually
from harness.tls_server import Served

# A minute in `make check-all`.
RELOADS_SECONDS = float(os.environ.get("EXTPROC_RELOADS_SECONDS", "10"))


class Folder:
    """A folder as Kubernetes mounts a secret: links to `..data`, which is a link that is turned."""

    def __init__(self, path: Path, pair: Pair):
        self.path = path
        self._count = 0
        path.mkdir()
        self.put(pair)
        for name in ("tls.crt", "tls.key"):
            (path / name).symlink_to(f"..data/{name}")
        self.pair = Pair(path / "tls.crt", path / "tls.key")

    def put(self, pair: Pair) -> None:
        self._count += 1
        version = self.path / f"..{self._count}"
        version.mkdir()
        shutil.copy(pair.certificate, version / "tls.crt")
        shutil.copy(pair.key, version / "tls.key")
        (self.path / "..new").symlink_to(version.name)
        (self.path / "..new").rename(self.path / "..data")


def test_new_certificates_are_taken(own_launcher, pki, tmp_path):
    folder = Folder(tmp_path / "secret", pki.server)
    served = Served(own_launcher, pki, clients=False, pair=folder.pair)
    first = served.certificate(pki)
    with tls_client.channel(served.port, pki.ca.certificate) as old:
        assert grpc_client.check_health(old) == 1
        folder.put(pki.ca.server())
        eventually(lambda: served.certificate(pki) != first, "the new certificate")
        served.logged("what was read anew counts for new connections")
        assert grpc_client.check_health(old) == 1


def test_a_bad_pair_is_told_once_and_the_old_one_stays(own_launcher, pki, tmp_path):
    folder = Folder(tmp_path / "secret", pki.server)
    served = Served(own_launcher, pki, clients=False, pair=folder.pair)
    first = served.certificate(pki)
    good = pki.ca.server()
    folder.put(Pair(good.certificate, pki.server.key))
    assert str(folder.pair.key) in served.logged("the certificates in use stay")
    served.process.signal(1)
    served.logged("SIGHUP reads certificates anew")
    assert served.certificate(pki) == first
    assert served.process.log().count("the certificates in use stay") == 1
    folder.put(good)
    eventually(lambda: served.certificate(pki) != first, "the new certificate")


def test_a_file_that_does_not_answer_holds_nothing_up(own_launcher, pki, tmp_path):
    folder = Folder(tmp_path / "secret", pki.server)
    served = Served(own_launcher, pki, "-g", "1", pair=folder.pair)
    os.mkfifo(tmp_path / "pipe")
    # Open, so that it has no end.
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)
    (tmp_path / "pipe").rename(tmp_path / "secret" / "..data" / "tls.crt")
    (tmp_path / "secret" / "tls.crt").unlink()
    (tmp_path / "secret" / "tls.crt").symlink_to("..data/tls.crt")
    served.logged("it is a pipe into which nobody writes")
    assert served.is_served(pki)
    served.process.signal(15)
    assert served.process.wait(4) == 0
    os.close(pipe)


def test_sighup_reads_anew_what_no_event_told(own_launcher, pki, tmp_path):
    """The files are links to others, whose folder nobody watches."""
    target, folder = tmp_path / "target", tmp_path / "links"
    target.mkdir()
    folder.mkdir()
    for name, source in (("tls.crt", pki.server.certificate), ("tls.key", pki.server.key)):
        shutil.copy(source, target / name)
        (folder / name).symlink_to(target / name)
    served = Served(own_launcher, pki, clients=False, pair=Pair(folder / "tls.crt", folder / "tls.key"))
    first = served.certificate(pki)
    new = pki.ca.server()
    shutil.copy(new.certificate, target / "tls.crt")
    shutil.copy(new.key, target / "tls.key")
    served.process.signal(1)
    eventually(lambda: served.certificate(pki) != first, "the new certificate")


def test_ten_reloads_at_full_speed(own_launcher, pki, echo_port, tmp_path):
    folder = Folder(tmp_path / "secret", pki.server)
    served = Served(own_launcher, pki, "--max-connection-age", "0.5", pair=folder.pair)
    transport = over_tls.transport_socket(pki.ca.certificate, pki.client)
    headers_only = Mode(request_body="NONE", response_body="NONE")
    port, envoy = envoy_in_front(own_launcher, served.port, echo_port, headers_only, transport_socket=transport)

    async def run() -> list[int]:
        load = Load(port, connections=8)
        for _ in range(10):
            folder.put(pki.ca.server())
            await asyncio.sleep(RELOADS_SECONDS / 10)
        await load.stop()
        return load.statuses

    statuses = asyncio.run(run())
    assert len(statuses) > 100 and set(statuses) == {200}
    assert envoy.ext_proc_failures() == {}
    assert served.process.log().count("what was read anew counts for new connections") == 10
    assert "ERROR" not in served.process.log()
    failed = envoy.stats(r"cluster\.processor\.(ssl\.connection_error|upstream_cx_connect_fail)")
    assert not any(failed.values())
