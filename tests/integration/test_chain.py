"""A chain of processors in one filter does what a filter for each of them does."""

import json
import random
import re

import pytest

from harness import http
from harness.envoy_config import Mode
from harness.extproc import PROCESSORS, Extproc, serve_examples
from harness.lab import STREAMED
from harness.pair import Pair

LINKS = tuple(f"Link{number}" for number in range(1, 7))
NUMBERS = range(1, 7)
SCRIPTS = 96
MODES = {
    "buffered": Mode(request_trailer="SEND", response_trailer="SEND"),
    "streamed": STREAMED,
    "headers": Mode(request_body="NONE", response_body="NONE"),
}


@pytest.fixture(scope="module")
def links(launcher, raw_port):
    names = ",".join(f"test_processors.{name}" for name in LINKS)
    separate = {name: Extproc(launcher, f"test_processors.{name}") for name in LINKS}
    return Pair(launcher, MODES, separate, Extproc(launcher, names), raw_port)


@pytest.fixture(scope="module")
def examples(launcher, echo_port):
    names = ",".join(f"examples.{name}ExtProcService" for name in PROCESSORS)
    return Pair(launcher, MODES, serve_examples(launcher), Extproc(launcher, names), echo_port)


class Script:
    """What six processors are asked to do with one request, made from a seed."""

    NAMES = ("x-a", "x-b", "x-c", "cache-control", "set-cookie")

    def __init__(self, seed: int, mode: str):
        self.random = random.Random(seed)
        self.with_body = self.random.random() < 0.7
        self.with_trailers = mode == "streamed" and self.with_body and self.random.random() < 0.5
        self.actions: dict[int, list[str]] = {number: [] for number in NUMBERS}
        for number in NUMBERS:
            for phase in ("request_headers", "response_headers"):
                self._change_headers(number, phase, self.NAMES)
            if mode != "headers":
                self._change_bodies(number, mode)
            if mode == "streamed":
                for phase in ("request_trailers", "response_trailers"):
                    self._change_headers(number, phase, ("x-t", "x-u"))
        if self.random.random() < 0.4:
            self._answer_at_once(mode)
        elif self.random.random() < 0.2:
            self._replace(mode)

    def _change_headers(self, number: int, phase: str, names: tuple[str, ...]) -> None:
        for _ in range(self.random.choice((0, 0, 1, 2, 3))):
            name = self.random.choice(names)
            verb = self.random.choice(("set", "append", "append", "remove"))
            value = "" if verb == "remove" else f"={number}{self.random.choice('pqr')}"
            self.actions[number].append(f"{phase} {verb} {name}{value}")

    def _change_bodies(self, number: int, mode: str) -> None:
        for phase in ("request_body", "response_body"):
            if self.random.random() < 0.25:
                self.actions[number].append(f"{phase} replace body-of-{number}")
            if mode == "buffered" and self.random.random() < 0.25:
                # Names of their own: filters answer bodies before the next one's headers, a chain after all headers.
                self._change_headers(number, phase, ("x-body-a", "x-body-b"))

    def _answer_at_once(self, mode: str) -> None:
        phases = ["request_headers", "response_headers"]
        if self.with_body and mode == "buffered":
            phases += ["request_body", "response_body"]
        phase = self.random.choice(phases)
        status = self.random.choice((200, 302, 401, 403, 503))
        verb = self.random.choice(("respond", "stop"))
        text = self.random.choice(("", "no", "a longer text"))
        number = self.random.choice(NUMBERS)
        self.actions[number].append(f"{phase} {verb} {status} {text}".rstrip() + ("" if text else " "))

    def _replace(self, mode: str) -> None:
        number = self.random.choice(NUMBERS)
        phase = self.random.choice(("request", "response"))
        self.actions[number].append(f"{phase}_headers continue_and_replace replaced-by-{number}")
        # Those in front would see the old body as filters, and all the trailers; not in a chain.
        in_front = range(1, number) if phase == "request" else range(number + 1, 7)
        for other in NUMBERS:
            unseen = (f"{phase}_trailers", f"{phase}_body") if other in in_front else f"{phase}_trailers"
            self.actions[other] = [action for action in self.actions[other] if not action.startswith(unseen)]

    def parts(self) -> dict:
        headers = [("x-request-id", "fixed"), ("x-a", "0"), ("x-b", "0"), ("x-b", "1")]
        headers += [("x-reply-header", f"{name}: 0") for name in ("x-a", "x-c", "set-cookie")]
        headers += [("x-reply-request-header", name) for name in (*self.NAMES, "x-body-a", "x-body-b")]
        headers += [(f"x-do-{number}", action) for number, actions in self.actions.items() for action in actions]
        if self.with_trailers:
            headers.append(("x-reply-trailer", "x-t: 0"))
            return {"headers": headers, "body": b"of the caller", "trailers": [("x-t", "0")]}
        return {"headers": headers, **({"body": b"of the caller"} if self.with_body else {})}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(SCRIPTS // len(MODES)))
def test_scripts_have_the_same_effect(links, mode, seed):
    script = Script(seed * 1000 + list(MODES).index(mode), mode)
    method = "POST" if script.with_body else "GET"

    filters, chain = links.request(mode, method, script.parts())

    assert chain == filters, script.actions


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        pytest.param("GET", {}, id="GET"),
        pytest.param("PUT", {"body": b'{"hello":"hi"}', "headers": [("content-type", "application/json")]}, id="PUT"),
        pytest.param("GET", {"headers": [("x-echo-only", "true")]}, id="echo-only"),
        pytest.param("PUT", {"body": b'{"a":1}', "headers": [("x-echo-only", "true")]}, id="echo-only-body"),
        pytest.param("GET", {"headers": [("x-context-id", "abc")]}, id="context"),
        pytest.param("GET", {"headers": [("x-tenant-id", "blue")]}, id="tenant"),
    ],
)
def test_examples_have_the_same_effect(examples, method, parts):
    parts["headers"] = [("x-request-id", "fixed"), *parts.get("headers", [])]

    filters, chain = examples.request("buffered", method, parts)

    for response in (filters, chain):
        response["headers"] = {name: without_times(values) for name, values in response["headers"].items()}
        response["body"] = json.loads(without_times([response["body"]])[0] or "null")
    assert chain == filters


def without_times(values: list[bytes]) -> list[bytes]:
    values = [re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"TIME", value) for value in values]
    return [b"NUMBER" if re.fullmatch(rb"\d+", value) else value for value in values]


def test_too_many_changes_together_end_the_request(links):
    headers = [(f"x-do-{number}", f"request_headers set_many x-{number}=60") for number in (1, 2)]
    response = http.request(links.ports["headers", "chain"], "GET", "/chain", headers=headers)

    assert response.status == 500


def test_nothing_is_wrong_behind_the_chain(links):
    pattern = r"_chain\.ext_proc\..*(spurious_msgs_received|message_timeouts|rejected_header_mutations)$"
    assert not {name: value for name, value in links.envoy.stats(pattern).items() if value}
