"""Publishes ports, as an engine does: forward.py HOST:PORT=HOST:PORT...  Until it is ended."""

import socket
import sys
import threading


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()


def serve(listener: socket.socket, target: tuple[str, int]) -> None:
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(target)
        except OSError:
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=copy, args=pair, daemon=True).start()


def main() -> None:
    threads = []
    for pair in sys.argv[1:]:
        published, _, target = pair.partition("=")
        listener = socket.create_server(address(published))
        threads.append(threading.Thread(target=serve, args=(listener, address(target)), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()


main()
