"""The other ways in which a filter can be set up: what arrives differs, and what may be answered."""

import pytest

from harness.lab import STYLES

LARGE = b"0123456789abcdef" * (3 << 16)  # 3 MiB, over Envoy's buffer


@pytest.mark.parametrize("style", STYLES)
def test_buffered_partial_replaces_what_fits(lab, style):
    response = lab.request(style, "partial", "POST", do=["request_body replace new"], body=b"original")
    assert (response.status, response.body) == (200, b"new")


def test_buffered_partial_lets_the_rest_of_a_large_body_pass(lab):
    response = lab.request("Scripted", "partial", "POST", body=LARGE)
    assert response.status == 200
    assert response.body == LARGE


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("body", [b"", b"small body", LARGE], ids=["empty", "small", "large"])
def test_full_duplex_lets_a_body_pass(lab, style, body):
    response = lab.request(style, "duplex", "POST", body=body)
    assert response.status == 200
    assert response.body == body


def test_full_duplex_replaces_chunks(lab):
    do = ["request_body replace new", "response_headers set x-done=1"]
    response = lab.request("AsyncScripted", "duplex", "POST", do=do, body=b"original")
    assert response.status == 200
    assert response.body and response.body.replace(b"new", b"") == b""
    assert response.get("x-done") == "1"


def test_full_duplex_with_trailers(lab):
    headers = [("x-reply-trailer", "down: 1")]
    response = lab.request("Scripted", "duplex", "POST", headers=headers, body=b"body", trailers=[("up", "2")])
    assert (response.status, response.body, response.trailers) == (200, b"body", [("down", b"1")])
    assert response.get("trailer-up") == "2"


@pytest.mark.parametrize("style", STYLES)
def test_headers_only(lab, style):
    do = ["request_headers set x-up=1", "response_headers set x-down=2"]
    headers = [("x-reply-request-header", "x-up")]
    response = lab.request(style, "headers_only", "POST", do=do, headers=headers, body=LARGE)
    assert response.status == 200
    assert response.body == LARGE
    assert (response.get("x-up"), response.get("x-down")) == ("1", "2")


def test_response_phases_without_the_request(lab):
    response = lab.request("Scripted", "response_only", "POST", body=b"body")
    assert (response.status, response.body) == (200, b"body")
    assert response.get("x-ext-procs-applied") == "Scripted"


def test_filter_that_sends_nothing(lab):
    response = lab.request("Scripted", "nothing", "POST", do=["request_headers throw boom"], body=b"body")
    assert (response.status, response.body) == (200, b"body")


@pytest.mark.parametrize("style", STYLES)
def test_observability_mode_changes_nothing(lab, style):
    do = ["request_headers set x-up=1", "request_body replace new", "response_headers respond 418 no"]
    headers = [("x-reply-request-header", "x-up")]
    response = lab.request(style, "observed", "POST", do=do, headers=headers, body=b"body")
    assert (response.status, response.body) == (200, b"body")
    assert response.get("x-up") is None
    assert response.get("x-ext-procs-applied") is None


def test_no_illegal_answer_was_given(lab):
    """Behind the tests above: Envoy counts what it did not expect."""
    counters = lab.envoy.stats(r"ext_proc\.spurious_msgs_received$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}
