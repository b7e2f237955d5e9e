"""As much of W3C's WebDriver as the tests need: a browser without a window, driven by chromedriver."""

import http.client
import json
import shutil

from harness.processes import Launcher, free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
TIMEOUT = 60.0


def program(*names: str) -> str:
    """The first of them that is on the PATH."""
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, f"none of {', '.join(names)} is here: run scripts/install.sh browser"
    return found


class Browser:
    """Chromium. `hosts`: names that it takes for 127.0.0.1."""

    def __init__(self, launcher: Launcher, hosts: tuple[str, ...] = ()):
        self._port = free_port()
        launcher.start("chromedriver", [program("chromedriver"), f"--port={self._port}"]).wait_until_open(self._port)
        rules = ",".join(f"MAP {host} 127.0.0.1" for host in hosts)
        # The sandbox does not work in a container, nor for root.
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--host-resolver-rules={rules}"]
        options = {"binary": program("chromium", "chromium-browser", "google-chrome"), "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._session = ""
        self._session = "/session/" + self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def open(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    def url(self) -> str:
        return self._call("GET", "/url")

    def title(self) -> str:
        return self._call("GET", "/title")

    def texts(self, selector: str) -> list[str]:
        return [self._call("GET", f"/element/{element}/text") for element in self._elements(selector)]

    def click(self, selector: str) -> None:
        (element,) = self._elements(selector)
        self._call("POST", f"/element/{element}/click", {})

    def run(self, script: str):
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def complaints(self) -> list[str]:
        """What the console has had to say since it was asked last."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        self._call("DELETE", "")

    def _elements(self, selector: str) -> list[str]:
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def _call(self, method: str, path: str, body: dict | None = None):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, self._session + path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            value = json.load(response)["value"]
        finally:
            connection.close()
        assert response.status == 200, value
        return value
