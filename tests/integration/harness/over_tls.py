"""The whole suite over mutual TLS: with EXTPROC_TEST_TLS=on every processor's TCP port, and all who speak with it, use it."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from harness.certificates import Authority, Pair

SERVER_NAME = "localhost"
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


def enabled() -> bool:
    return os.environ.get("EXTPROC_TEST_TLS") == "on"


@cache
def folder() -> Path:
    """With ca.pem, server.pem, server.key, client.pem and client.key."""
    path = Path(tempfile.mkdtemp(prefix="extproc-test-tls-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    authority = Authority(path)
    for name, pair in (("server", authority.server()), ("client", authority.client())):
        shutil.copy(pair.certificate, path / f"{name}.pem")
        shutil.copy(pair.key, path / f"{name}.key")
    return path


def serve_flags() -> list:
    """Of `extproc serve`, which lets in clients of that folder's CA."""
    where = folder()
    return ["--tls-cert", where / "server.pem", "--tls-key", where / "server.key", "--tls-client-ca", where / "ca.pem"]


def transport_socket(ca: Path, client: Pair | None = None, **more) -> dict:
    """Envoy's, of a cluster; `more` is added to its CommonTlsContext."""
    names = [{"san_type": "DNS", "matcher": {"exact": SERVER_NAME}}]
    common: dict = {
        "alpn_protocols": ["h2"],
        "validation_context": {"trusted_ca": {"filename": str(ca)}, "match_typed_subject_alt_names": names},
        **more,
    }
    if client:
        files = {"certificate_chain": {"filename": str(client.certificate)}, "private_key": {"filename": str(client.key)}}
        common["tls_certificates"] = [files]
    context = {"@type": _TLS, "sni": SERVER_NAME, "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def cluster_part() -> dict:
    """What a cluster of processors has of it."""
    where = folder()
    return {"transport_socket": transport_socket(where / "ca.pem", Pair(where / "client.pem", where / "client.key"))}
