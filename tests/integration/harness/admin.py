"""The admin service of `extproc serve`, asked as curl does."""

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 20.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    def json(self):
        assert self.status == 200 and self.headers["content-type"] == "application/json", self
        return json.loads(self.body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


class Admin:
    """At a port of the loopback, or the path of a socket."""

    def __init__(self, address: int | Path):
        self.address = address

    @property
    def flags(self) -> list[str]:
        return ["--server-admin", f"127.0.0.1:{self.address}" if isinstance(self.address, int) else f"unix:{self.address}"]

    def ask(self, method: str, path: str, body: str | None = None, headers: dict | None = None) -> Answer:
        if isinstance(self.address, int):
            connection = http.client.HTTPConnection("127.0.0.1", self.address, timeout=TIMEOUT)
        else:
            connection = _UnixConnection(self.address)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers) -> Answer:
        return self.ask("GET", path, headers=headers)

    def servers(self, page: str) -> list[dict]:
        return self.get(page).json()["servers"]

    def setting(self, name: str, server: int = 0) -> dict:
        settings = self.servers("/settings")[server]["settings"]
        return next(setting for setting in settings if setting["name"] == name)

    def set_log_level(self, level: str) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert self.ask("POST", "/log-level", f"level={level}", form).json()["log_level"] == level
