"""The first page of the guide: what it shows is what its reader sees. That its file is built is tested in tests/consumers."""

import json
import re

import yaml

from harness import http, paths
from harness.command import config
from harness.dev import Dev
from harness.processes import eventually
from harness.served_file import check

PAGE = (paths.REPOSITORY / "docs" / "guide.md").read_text()


def shown(what: str, language: str) -> str:
    found = re.search(rf"<!-- the first page's {re.escape(what)} -->\n *```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page shows no {what} any more"
    # The one processor of the page's own module is that of ours.
    return found[1].replace("calls.CallLog", "production.CallLog")


def test_the_line_of_a_request(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", "production.CallLog")
    http.request(dev.port, "GET", "/things?token=secret")

    def line() -> dict | None:
        lines = [text for text in dev.process.log().splitlines() if text.startswith('{"time"')]
        return json.loads(lines[0]) if lines else None

    seen, told = eventually(line, "the line", 20), json.loads(shown("line", "json"))
    assert list(seen) == list(told)
    assert [seen[name] for name in ("method", "path", "status")] == [told[name] for name in ("method", "path", "status")]


def test_the_settings_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "serve.yaml"
    file.write_text(shown("serve.yaml", "yaml"))
    checked = check(file)
    assert checked.returncode == 0, checked.stderr
    written = yaml.safe_load(config("--settings", file, "--format", "filter"))[0]["typed_config"]
    assert written["observability_mode"] is True
