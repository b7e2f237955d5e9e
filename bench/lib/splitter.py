"""A TCP proxy that hands on what a client sends in small pieces, each in a write of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_READ_BYTES = 1 << 16


def _pump(source: socket.socket, target: socket.socket, piece: int) -> None:
    try:
        while data := source.recv(_READ_BYTES):
            for at in range(0, len(data), piece):
                target.sendall(data[at : at + piece])
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _serve(listener: socket.socket, port: int, piece: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", port))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_pump, args=(client, server, piece), daemon=True).start()
        threading.Thread(target=_pump, args=(server, client, _READ_BYTES), daemon=True).start()


@contextmanager
def splitter(port: int, piece: int) -> Iterator[int]:
    """The port of a proxy to `port`."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, port, piece), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
