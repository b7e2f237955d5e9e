"""The processors of docs/streaming.md do what it says, and its code is theirs."""

import re

import pytest

from harness import paths
from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.stage import Site, Stage

BODY_MODES = ("BUFFERED", "BUFFERED_PARTIAL", "STREAMED", "FULL_DUPLEX_STREAMED")
NAMES = ("Uppercase", "Mask", "RefuseBinaries", "Announce", "Export")


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {name: Extproc(launcher, f"streaming.{name}") for name in NAMES}
    sites = [
        Site(f"{name}_{mode}", (name,), Mode(request_body=mode, response_body=mode, request_trailer="SEND", response_trailer="SEND"))
        for name in NAMES
        for mode in BODY_MODES
    ]
    return Stage(launcher, servers, sites, raw_port)


@pytest.mark.parametrize("mode", BODY_MODES)
def test_uppercase(stage, mode):
    response = stage.request(f"Uppercase_{mode}", "POST", body=[b"one ", b"two"], headers=[("x-reply-chunks", "3")])
    assert (response.status, response.body) == (200, b"ONE TWO")


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a secret", b" and a sec", b"ret, se", b"c"], b"a ****** and a ******, sec"),
        ([b"s", b"e", b"c", b"r", b"e", b"t"], b"******"),
        ([b"secre", b"secret"], b"secre******"),
        ([b"nothing"], b"nothing"),
    ],
)
def test_mask(stage, mode, chunks, expected):
    response = stage.request(f"Mask_{mode}", "POST", body=chunks)
    assert (response.status, response.body) == (200, expected)


@pytest.mark.parametrize("mode", BODY_MODES)
def test_refuse_binaries(stage, mode):
    response = stage.request(f"RefuseBinaries_{mode}", "POST", body=[b"MZ...", b"more"])
    assert (response.status, response.body) == (415, b"no programs, please\n")
    response = stage.request(f"RefuseBinaries_{mode}", "POST", body=[b"text", b" and more"])
    assert (response.status, response.body) == (200, b"text and more")


@pytest.mark.parametrize("mode", BODY_MODES)
def test_announce(stage, mode):
    response = stage.request(f"Announce_{mode}", path="/countdown")
    assert (response.status, response.body) == (200, b"data: 3\n\ndata: 2\n\ndata: 1\n\n")
    assert response.get("content-type") == "text/event-stream"
    assert stage.request(f"Announce_{mode}", "POST", body=b"body").body == b"body"


@pytest.mark.parametrize("mode", ("FULL_DUPLEX_STREAMED", "BUFFERED"))
def test_export(stage, mode):
    response = stage.request(f"Export_{mode}", path="/export")
    rows = response.body.splitlines()
    assert (response.status, len(rows)) == (200, 200_000)
    assert rows[-1] == b"199999,a row of some length,and some more of it"


def test_the_code_of_the_guide_is_the_code_of_the_examples():
    sources = "".join(file.read_text() for file in sorted((paths.REPOSITORY / "examples" / "streaming").glob("*.cc")))
    guide = (paths.REPOSITORY / "docs" / "streaming.md").read_text()
    blocks = re.findall(r"```cpp\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        assert block in sources
