"""grpcio clients that speak TLS."""

from pathlib import Path

import grpc

from harness import over_tls
from harness.certificates import Pair


def credentials(ca: Path, client: Pair | None = None) -> grpc.ChannelCredentials:
    key, certificate = client.pem() if client else (None, None)
    return grpc.ssl_channel_credentials(ca.read_bytes(), key, certificate)


def channel(port: int, ca: Path, client: Pair | None = None, **options) -> grpc.Channel:
    arguments = {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.enable_retries": 0,
        "grpc.ssl_target_name_override": over_tls.SERVER_NAME,
        **options,
    }
    return grpc.secure_channel(f"127.0.0.1:{port}", credentials(ca, client), options=list(arguments.items()))


def default_channel(port: int, **options) -> grpc.Channel:
    where = over_tls.folder()
    return channel(port, where / "ca.pem", Pair(where / "client.pem", where / "client.key"), **options)
