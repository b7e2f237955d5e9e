"""What a processor's errors and immediate responses do, phase by phase, and that nobody else notices."""

import asyncio

import pytest

from harness.lab import STYLES

PHASES = ("request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers")
# A request and a response in which every phase comes. Envoy holds the response back until its trailers are processed, so
# that an answer can be replaced in every phase.
EVERY_PHASE = {
    "method": "POST",
    "body": b"request body",
    "trailers": [("up", "1")],
    "headers": [("x-reply-trailer", "down: 1"), ("x-request-id", "the-request")],
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("verb", ["respond", "stop"])
def test_immediate_response(lab, style, phase, verb):
    response = lab.request(style, "closed", do=[f"{phase} {verb} 418 short and stout"], **EVERY_PHASE)
    assert response.status == 418
    assert response.body == b"short and stout"
    assert response.get("x-from") == "processor"
    assert response.get("x-ext-procs-applied") == style


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", PHASES)
def test_exception_fails_closed(lab, style, phase):
    text = f"boom in {phase}"
    response = lab.request(style, "closed", do=[f"{phase} throw {text}"], **EVERY_PHASE)
    assert response.status == 500
    assert text.encode() not in response.body
    line = lab.processors[style].process.wait_for_log(text)
    for part in (style, phase, "the-request", text):
        assert part in line


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", PHASES)
def test_exception_fails_open(lab, style, phase):
    response = lab.request(style, "open", do=[f"{phase} throw boom"], **EVERY_PHASE)
    assert response.status == 200
    assert response.body == b"request body"
    assert response.trailers == [("down", b"1")]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", PHASES)
def test_abort(lab, style, phase):
    assert lab.request(style, "closed", do=[f"{phase} abort no"], **EVERY_PHASE).status == 500
    assert lab.request(style, "open", do=[f"{phase} abort no"], **EVERY_PHASE).status == 200


@pytest.mark.parametrize("style", STYLES)
def test_exceptions_end_only_their_own_streams(lab, style):
    async def run():
        good = [lab.request_async(style, "closed", do=["response_headers set x-good=1"]) for _ in range(100)]
        bad = [lab.request_async(style, "closed", do=["request_headers throw bad"]) for _ in range(100)]
        mixed = [request for pair in zip(good, bad, strict=True) for request in pair]
        return await asyncio.gather(*mixed)

    connections = lab.envoy.stats(rf"^cluster\.{style}\.upstream_cx_destroy$")
    responses = asyncio.run(run())
    assert [response.status for response in responses] == [200, 500] * 100
    assert all(response.get("x-good") == "1" for response in responses[::2])
    assert lab.envoy.stats(rf"^cluster\.{style}\.upstream_cx_destroy$") == connections


def test_handler_that_waits_too_long_times_out(lab):
    """Envoy gives up; the handler's late answer is dropped, and the next request is served."""
    response = lab.request("AsyncScripted", "impatient", do=["request_headers sleep 1000"])
    assert response.status == 504
    assert lab.request("AsyncScripted", "impatient", do=["response_headers set x-ok=1"]).get("x-ok") == "1"


def test_slow_synchronous_handler_is_logged_once_with_advice(lab):
    for _ in range(2):
        assert lab.request("Scripted", "buffered", do=["request_headers sleep 30"]).status == 200
    server = lab.processors["Scripted"]
    server.process.wait_for_log("offload")
    assert len(server.lines("offload")) == 1


@pytest.mark.parametrize(
    ("style", "action"), [("AsyncScripted", "sleep 300"), ("AsyncScripted", "offload 300"), ("BlockingScripted", "sleep 300")]
)
def test_waiting_handlers_stop_no_other_stream(lab, style, action):
    """Forty requests wait 0.3 s each on two threads, or on 16 blocking ones: 0.9 s, not 6 s."""

    async def run():
        waiting = [lab.request_async(style, "buffered", do=[f"request_headers {action}"]) for _ in range(40)]
        start = asyncio.get_running_loop().time()
        responses = await asyncio.gather(*waiting)
        return responses, asyncio.get_running_loop().time() - start

    responses, duration = asyncio.run(run())
    assert [response.status for response in responses] == [200] * 40
    assert duration < 3


@pytest.mark.parametrize("style", ["AsyncScripted", "BlockingScripted"])
def test_every_phase_can_wait(lab, style):
    do = [f"{phase} sleep 5" for phase in PHASES] + ["response_headers set x-done=1"]
    response = lab.request(style, "closed", do=do, **EVERY_PHASE)
    assert (response.status, response.body, response.get("x-done")) == (200, b"request body", "1")


def test_client_that_leaves_while_a_handler_waits(lab):
    async def leave():
        with pytest.raises(TimeoutError):
            await lab.request_async("AsyncScripted", "buffered", do=["request_headers sleep 400"], timeout=0.05)

    asyncio.run(leave())
    assert lab.request("AsyncScripted", "buffered").status == 200
