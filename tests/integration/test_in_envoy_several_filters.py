"""Several filters of processors inside one Envoy listener whose handlers all wait: Envoy keeps what waits in any of them in one place."""

import itertools

import pytest

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Listener, Mode
from harness.inside import Inside, envoy_with
from harness.processes import free_port

LIMIT = 64 << 10
MODES = ("STREAMED", "BUFFERED", "BUFFERED_PARTIAL")
SETUPS = [*itertools.product(MODES, repeat=2), ("STREAMED",) * 3, ("STREAMED", "BUFFERED", "STREAMED")]
PORTS: dict[tuple[str, ...], int] = {}


def waiting(number: int, mode: str) -> Inside:
    processor = ("test_processors.AsyncScripted", "test_processors.BlockingScripted")[number % 2]
    return Inside((processor,), Mode(request_body=mode, response_body=mode), name=f"number-{number}")


@pytest.fixture(scope="module")
def envoy(launcher, raw_port) -> Envoy:
    PORTS.update({setup: free_port() for setup in SETUPS})
    listeners = [
        Listener("-".join(setup), PORTS[setup], tuple(waiting(*each) for each in enumerate(setup)), buffer_bytes=LIMIT)
        for setup in SETUPS
    ]
    return envoy_with(launcher, listeners, raw_port)


DO = {
    "at once": [],
    "bodies": ["request_body sleep 2", "response_body sleep 2"],
    "slowly": ["request_body sleep 7", "response_body sleep 7"],
    "all": ["request_headers sleep 15", "request_body sleep 4", "response_headers sleep 15", "response_body sleep 4"],
}


def exchange(setup: tuple[str, ...], do: list[str], body: list[bytes]) -> http.Response:
    headers = [("x-reply-chunks", "40"), *(("x-do", each) for each in do)]
    return http.request(PORTS[setup], "POST", "/lab", body=body, headers=headers)


def chunks(count: int, size: int) -> list[bytes]:
    return [(b"%06d." % number * (size // 7 + 1))[:size] for number in range(count)]


@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("setup", SETUPS, ids="-".join)
def test_each_byte_goes_through_all_of_them_once_and_in_order(envoy, setup, do):
    for body in (chunks(1, 100), chunks(60, 500), chunks(20, 3_000)):
        response = exchange(setup, DO[do], body)
        whole = b"".join(body)
        assert (response.status, len(response.body), response.body == whole) == (200, len(whole), True)


@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("setup", [setup for setup in SETUPS if set(setup) == {"STREAMED"}], ids="-".join)
def test_streams_of_more_than_is_kept_go_through_all_of_them(envoy, setup, do):
    """What is too much for one stays with Envoy, so that no more is read."""
    for body in (chunks(150, 2_000), chunks(12, 100_000)):
        response = exchange(setup, DO[do], body)
        whole = b"".join(body)
        assert (response.status, len(response.body), response.body == whole) == (200, len(whole), True)


@pytest.mark.parametrize("setup", SETUPS, ids="-".join)
def test_each_of_them_sees_all_of_it(envoy, setup):
    """What they are told they put in its place."""
    response = exchange(setup, ["request_body sleep 2", "request_body replace x", "response_body sleep 2"], chunks(30, 100))
    assert response.status == 200
    assert set(response.body) == {ord("x")}


@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("setup", [setup for setup in SETUPS if "BUFFERED" in setup], ids="-".join)
def test_more_than_is_kept_of_a_whole_body_is_refused(envoy, setup, do):
    """Also where Envoy has stopped reading before, for one in front."""
    for body in (chunks(8, 20_000), chunks(5, 16_000), chunks(70, 1_000)):
        assert exchange(setup, DO[do], body).status == 413
