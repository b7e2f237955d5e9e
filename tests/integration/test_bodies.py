"""Bodies that are replaced and cleared, of any size, in BUFFERED and streamed modes."""

import asyncio

import pytest

from harness import http
from harness.lab import STYLES

SIZES = [0, 1, 64 << 10, 900 << 10]
OVER_THE_BUFFER = 3 << 20


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", ["", "x", "a longer body than the one that came, with spaces"])
def test_request_body_is_replaced(lab, style, text):
    response = lab.request(style, "buffered", "POST", do=[f"request_body replace {text}"], body=b"original body")
    assert response.status == 200
    assert response.body == text.encode()
    assert response.get("seen-content-length") == str(len(text))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", ["", "x", "a longer body than the one that came, with spaces"])
def test_response_body_is_replaced(lab, style, text):
    response = lab.request(style, "buffered", "POST", do=[f"response_body replace {text}"], body=b"original body")
    assert response.status == 200
    assert response.body == text.encode()
    assert response.get("content-length") == str(len(text))


@pytest.mark.parametrize("phase", ["request_body", "response_body"])
def test_body_is_cleared(lab, phase):
    response = lab.request("Scripted", "buffered", "POST", do=[f"{phase} clear"], body=b"original body")
    assert response.status == 200
    assert response.body == b""
    assert response.get("seen-content-length") == ("0" if phase == "request_body" else "13")


@pytest.mark.parametrize("phase", ["request_body", "response_body"])
@pytest.mark.parametrize("size", SIZES)
def test_replacement_of_any_size(lab, phase, size):
    response = lab.request("Scripted", "buffered", "POST", do=[f"{phase} fill {size}"], body=b"original")
    assert response.status == 200
    assert response.body == b"f" * size


@pytest.mark.parametrize("setup", ["buffered", "streamed"])
@pytest.mark.parametrize("size", SIZES)
def test_body_of_any_size_goes_through(lab, setup, size):
    body = bytes(number & 0xFF for number in range(size))
    response = lab.request("AsyncScripted", setup, "POST", body=body)
    assert response.status == 200
    assert response.body == body


@pytest.mark.parametrize("size", [1, 64 << 10, 900 << 10])
def test_buffered_body_comes_whole(lab, size):
    do = ["request_body size"]
    headers = [("x-reply-request-header", "x-size")]
    response = lab.request("Scripted", "buffered", "POST", do=do, headers=headers, body=b"b" * size)
    assert response.get("x-size") == str(size)


def test_large_streamed_body_goes_through(lab):
    body = b"0123456789abcdef" * (OVER_THE_BUFFER // 16)
    response = lab.request("Scripted", "streamed", "POST", body=body)
    assert response.status == 200
    assert response.body == body


def test_streamed_chunks_are_replaced(lab):
    response = lab.request("Scripted", "streamed", "POST", do=["request_body replace chunk"], body=b"original")
    assert response.status == 200
    # As often as Envoy cut the body into chunks; the last may be empty.
    assert response.body and response.body.replace(b"chunk", b"") == b""


def test_request_over_the_buffer_is_refused_by_envoy(lab):
    assert lab.request("Scripted", "buffered", "POST", body=b"x" * OVER_THE_BUFFER).status == 413


def test_response_over_the_buffer_is_refused_by_envoy(lab):
    assert lab.request("Scripted", "buffered", headers=[("x-reply-bytes", str(OVER_THE_BUFFER))]).status == 500


@pytest.mark.parametrize("style", STYLES)
def test_continue_and_replace_of_the_request(lab, style):
    do = ["request_headers continue_and_replace new body", "request_headers set :method=PUT"]
    response = lab.request(style, "buffered", "POST", do=do, body=b"original")
    assert response.status == 200
    assert response.body == b"new body"


def test_continue_and_replace_of_the_response(lab):
    do = ["response_headers continue_and_replace new body", "response_headers set x-new=1"]
    response = lab.request("Scripted", "buffered", "POST", do=do, body=b"original")
    assert (response.status, response.body, response.get("x-new")) == (200, b"new body", "1")


def test_headers_of_a_body_answer(lab):
    headers = [("x-reply-request-header", "x-up")]
    do = ["request_body set x-up=1", "response_body set x-down=2"]
    response = lab.request("Scripted", "buffered", "POST", do=do, headers=headers, body=b"body")
    assert (response.get("x-up"), response.get("x-down")) == ("1", "2")


def test_trailers(lab):
    do = [
        "request_trailers set added-up=1",
        "request_trailers remove gone-up",
        "response_trailers set added-down=2",
        "response_trailers remove gone-down",
    ]
    headers = [("x-reply-trailer", "kept-down: 3"), ("x-reply-trailer", "gone-down: 4")]
    trailers = [("kept-up", "5"), ("gone-up", "6")]
    response = lab.request("Scripted", "closed", "POST", do=do, headers=headers, body=b"body", trailers=trailers)
    assert response.status == 200
    assert response.body == b"body"
    sent = {name: value for name, value in response.headers if name.startswith("trailer-")}
    assert sent == {"trailer-kept-up": b"5", "trailer-added-up": b"1"}
    assert sorted(response.trailers) == [("added-down", b"2"), ("kept-down", b"3")]


def test_keep_alive_connection_of_the_client(lab):
    """Many requests on one connection to Envoy, each with its own answer."""
    async def run():
        connection = await http.Connection.open(lab.ports["Scripted", "buffered"])
        for number in range(50):
            do = [("x-do", f"response_headers set x-number={number}")]
            response = await connection.request("POST", "/", headers=do, body=b"%d" % number)
            assert (response.status, response.body) == (200, b"%d" % number)
            assert response.get("x-number") == str(number)
        connection.close()

    asyncio.run(run())
