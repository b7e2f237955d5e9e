"""An upstream that answers as a language model does: model_upstream.py PORT NAME. The first event is there at once, and the others after a
while. The request's body may say which texts they have."""

import json
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "integration"))

from harness.models import USAGE, delta, event  # noqa: E402
from harness.streaming_upstream import chunks, read_headers  # noqa: E402

_TEXTS = ["The first words, ", *["and some more of the answer "] * 20]
# One that holds the answer back is seen to.
_PAUSE = 0.005
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(connection: socket.socket, name: str, asked: dict) -> None:
    first, *others = asked.get("texts", _TEXTS)
    connection.sendall(_HEAD + f"x-model: {name}\r\n\r\n".encode() + chunk(event(delta(first))))
    time.sleep(_PAUSE)
    for text in others:
        connection.sendall(chunk(event(delta(text))))
    connection.sendall(chunk(event(USAGE) + event("[DONE]")) + b"0\r\n\r\n")


def serve(connection: socket.socket, name: str) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with connection, connection.makefile("rb", 1 << 16) as stream:
            while stream.readline():
                headers = read_headers(stream)
                answer(connection, name, json.loads(b"".join(chunks(stream, headers, {}))))
    except (ConnectionError, ValueError):
        pass


def main(port: int, name: str) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, name), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
