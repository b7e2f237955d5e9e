"""A chain with handlers over whole bodies does what a filter for each of them does."""

import random

import pytest

from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.pair import Pair

# The second has a handler for each message.
LINKS = ("BodyLink1", "Link2", "BodyLink3", "BodyLink4")
BODY_LINKS = (1, 3, 4)
BODY_MODES = ("BUFFERED", "STREAMED", "FULL_DUPLEX_STREAMED")
MODES = {mode: Mode(request_body=mode, response_body=mode, request_trailer="SEND", response_trailer="SEND") for mode in BODY_MODES}
DIRECTIONS = ("request", "response")
CHUNKS = [b"One,", b"Two and ", b"Three; ", b"four", b"."]
LARGE = [bytes(range(97, 123)) * 400] * 20
# What one of them does to the body; the others let it pass.
VERBS = ("pass", "upper", "summary", "wrap", "mode", "finish 1", "finish 10", "finish 1000", "head", "before", "ignore", "slow 2",
         "repeat 200 0123456789abcdef")  # fmt: skip
# What each of the three does; the order is that of the filters.
TOGETHER = (
    ("wrap", "wrap", "wrap"),
    ("head", "upper", "before"),
    ("before", "before", "head"),
    ("ignore", "finish 10", "wrap"),
    ("finish 10", "wrap", "upper"),
    ("wrap", "finish 3", "summary"),
    ("summary", "repeat 20 x", "wrap"),
    ("repeat 5 abc", "summary", "head"),
    ("slow 2", "slow 2", "upper"),
    ("upper", "ignore", "finish 12"),
)
SCRIPTS = 24


@pytest.fixture(scope="module")
def links(launcher, raw_port) -> Pair:
    separate = {name: Extproc(launcher, f"test_processors.{name}") for name in LINKS}
    chain = Extproc(launcher, ",".join(f"test_processors.{name}" for name in LINKS))
    return Pair(launcher, MODES, separate, chain, raw_port)


def parts(actions: dict[int, list[str]], chunks: list[bytes] = CHUNKS, trailers: bool = False) -> dict:
    """A request whose body comes in chunks, and so does its response, which tells what the upstream got."""
    headers = [("x-request-id", "fixed"), ("x-reply-chunks", str(len(chunks)))]
    headers += [("x-reply-request-header", name) for name in ("x-up", "x-body")]
    headers += [(f"x-do-{number}", action) for number, all_of_it in actions.items() for action in all_of_it]
    if not trailers:
        return {"headers": headers, "body": chunks}
    return {"headers": [*headers, ("x-reply-trailer", "down: 1")], "body": chunks, "trailers": [("up", "2")]}


def assert_same(links: Pair, mode: str, actions: dict[int, list[str]], **kind) -> dict:
    filters, chain = links.request(mode, "POST", parts(actions, **kind))
    assert chain == filters, actions
    return chain


@pytest.mark.parametrize("trailers", [False, True], ids=["", "trailers"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("mode", BODY_MODES)
def test_one_of_them_changes_the_body(links, mode, verb, direction, trailers):
    for number in BODY_LINKS:
        response = assert_same(links, mode, {number: [f"{direction}_body {verb}"]}, trailers=trailers)
        assert response["status"] == 200
        assert dict(response["trailers"]).get("x-response-trailers") == (b"seen" if trailers else None)


@pytest.mark.parametrize("trailers", [False, True], ids=["", "trailers"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("verbs", TOGETHER, ids=", ".join)
@pytest.mark.parametrize("mode", BODY_MODES)
def test_all_of_them_change_the_body(links, mode, verbs, direction, trailers):
    actions = {number: [f"{direction}_body {verb}"] for number, verb in zip(BODY_LINKS, verbs, strict=True)}
    assert assert_same(links, mode, actions, trailers=trailers)["status"] == 200


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("verbs", [("upper", "wrap", "head"), ("wrap", "finish 100000", "upper"), ("ignore", "summary", "before")])
@pytest.mark.parametrize("mode", BODY_MODES)
def test_large_bodies(links, mode, verbs, direction):
    actions = {number: [f"{direction}_body {verb}"] for number, verb in zip(BODY_LINKS, verbs, strict=True)}
    assert assert_same(links, mode, actions, chunks=LARGE)["status"] == 200


@pytest.mark.parametrize("verb", ["upper", "before", "ignore", "finish 3"])
@pytest.mark.parametrize("number", BODY_LINKS)
@pytest.mark.parametrize("mode", BODY_MODES)
def test_one_answers_in_place_of_the_request_body(links, mode, number, verb):
    """The response phases of the others run on the answer, their handlers over the whole body too."""
    # Filters behind may have seen nothing of the request yet, so that they would not know what to do.
    actions = {other: [f"response_headers append x-down={other}", "response_body wrap"] for other in BODY_LINKS if other < number}
    actions[number] = [f"request_body {verb}", "request_body respond 418 short"]
    assert assert_same(links, mode, actions)["status"] == 418


@pytest.mark.parametrize("number", BODY_LINKS)
def test_one_answers_in_place_of_the_response_body(links, number):
    """Where it is buffered: else its headers have left already."""
    actions = {other: ["response_headers set x-down=1", "response_body wrap"] for other in BODY_LINKS}
    actions[number] += ["response_body respond 418 short"]
    assert assert_same(links, "BUFFERED", actions)["status"] == 418


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_headers_with_whole_bodies(links, direction):
    actions = {number: [f"{direction}_body wrap", f"{direction}_body from-{number}"] for number in BODY_LINKS}
    response = assert_same(links, "BUFFERED", actions)
    last = 4 if direction == "request" else 1
    assert response["headers"]["x-body"] == [b"from-%d" % last]


def script(seed: int) -> dict[int, list[str]]:
    """Something for each of them to do, in both directions."""
    chosen = random.Random(seed)
    actions: dict[int, list[str]] = {number: [] for number in (1, 2, 3, 4)}
    for number in actions:
        for direction, name in (("request", "x-up"), ("response", "x-down")):
            if chosen.random() < 0.5:
                actions[number].append(f"{direction}_headers {chosen.choice(('set', 'append'))} {name}={number}")
            if number in BODY_LINKS and chosen.random() < 0.7:
                actions[number].append(f"{direction}_body {chosen.choice(VERBS)}")
    return actions


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_scripts_have_the_same_effect(links, mode, seed):
    response = assert_same(links, mode, script(seed), trailers=seed % 2 == 1)
    assert response["status"] == 200
    assert response["headers"]["x-ext-procs-applied"] == [b"BodyLink1,Link2,BodyLink3,BodyLink4"]


def test_nothing_is_wrong_behind_the_chain(links):
    pattern = r"_chain\.ext_proc\..*(spurious_msgs_received|message_timeouts|rejected_header_mutations)$"
    assert not {name: value for name, value in links.envoy.stats(pattern).items() if value}
