"""The flags of `extproc serve` that say how the filter is set up, and how streams go: what each does behind Envoy."""

import pytest

from harness.command import extproc
from harness.extproc import Extproc
from harness.lab import WITH_TRAILERS
from harness.stage import Site, Stage

SCRIPTED = {
    "Impatient": ("test_processors.AsyncScripted", ("--message-timeout", "0.4")),
    "Patient": ("test_processors.AsyncScripted", ("--message-timeout", "0.4", "--max-message-timeout", "5")),
    "Strict": ("test_processors.Scripted", ()),
    "Routing": ("test_processors.Scripted", ("--allow-all-routing",)),
    "OfEnvoy": ("test_processors.Scripted", ("--allow-envoy",)),
}
# Without the chain header nothing is left to do behind the request's headers.
HEADERS_ONLY = {"Early": (), "Late": ("--no-early-end",), "Automatic": ("--no-early-end", "--automatic-mode-override")}
ALLOW_ALL = {"mutation_rules": {"allow_all_routing": True, "allow_envoy": True}}
EVERY_PHASE = {"body": b"body", "trailers": [("up", "1")], "headers": [("x-reply-trailer", "down: 1")]}


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {name: Extproc(launcher, service, flags) for name, (service, flags) in SCRIPTED.items()}
    hidden = {"REVEAL_EXTPROC_CHAIN": "false"}
    servers |= {
        name: Extproc(launcher, "test_processors.RequestHeadersOnly", flags, env=hidden) for name, flags in HEADERS_ONLY.items()
    }
    waits = {"message_timeout": "0.4s", "extra": {"max_message_timeout": "5s"}}
    sites = [Site(name, (name,), WITH_TRAILERS, **waits) for name in ("Impatient", "Patient")]
    sites += [Site(name, (name,), WITH_TRAILERS, extra=ALLOW_ALL) for name in ("Strict", "Routing", "OfEnvoy")]
    sites += [Site(name, (name,), WITH_TRAILERS, extra={"allow_mode_override": True}) for name in HEADERS_ONLY]
    return Stage(launcher, servers, sites, raw_port)


@pytest.mark.parametrize(("server", "status"), [("Impatient", 504), ("Patient", 200)])
def test_max_message_timeout(stage, server, status):
    assert stage.request(server, do=["request_headers sleep 800"]).status == status


@pytest.mark.parametrize(
    ("server", "denied"),
    [("Strict", (":method", "x-envoy-a")), ("Routing", ("x-envoy-a",)), ("OfEnvoy", (":method",))],
)
def test_allowed_headers(stage, server, denied):
    """Envoy does as its filter says; the server warns of what it takes the filter to deny."""
    names = [("x-reply-request-header", "x-envoy-a")]
    response = stage.request(server, do=["request_headers set :method=PUT", "request_headers set x-envoy-a=1"], headers=names)
    assert (response.get("seen-method"), response.get("x-envoy-a")) == ("PUT", "1")
    # Each is logged by its name, once.
    lines = stage.servers[server].lines("header_denied")
    assert len(lines) == len(denied)
    for line, name in zip(lines, denied, strict=True):
        assert f'"{name}"' in line


@pytest.mark.parametrize(("server", "messages", "ends"), [("Early", range(1, 6), True), ("Late", [6], False), ("Automatic", [1], False)])
def test_how_streams_go(stage, server, messages, ends):
    """The filter is set up for six phases. Some are under way when the stream ends."""
    response = stage.request(server, "POST", do=["request_headers set x-up=1"], **EVERY_PHASE)
    assert (response.status, response.body) == (200, b"body")
    counters = stage.counters(server)
    assert counters["stream_msgs_sent"] in messages
    assert ("server_half_closed" in counters) == ends


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--message-timeout", "0"), "--message-timeout: 0 would make every answer late"),
        (("--message-timeout", "-1"), "--message-timeout is \"-1\": it must be a number of seconds"),
        (("--message-timeout", "200ms"), "--message-timeout"),
        (("--max-message-timeout", "0.1"), "--max-message-timeout: it is below --message-timeout"),
        (("--message-timeout", "2", "--max-message-timeout", "1"), "--max-message-timeout: it is below --message-timeout"),
    ],
)
@pytest.mark.parametrize(
    "command", [("serve",), ("config", "-s", "a.B"), ("dev", "-s", "a.B", "--upstream", "http://127.0.0.1:1")], ids=lambda c: c[0]
)
def test_times_that_no_filter_can_have(command, flags, reason):
    run = extproc(*command, *flags)
    assert run.returncode == 2
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1


def test_help_has_a_heading_for_each_kind():
    text = extproc("serve", "--help").stdout
    filter_flags, stream_flags = text.partition("The filter, as Envoy is configured:")[2].split("How streams go:")
    for flag in ("--message-timeout", "--max-message-timeout", "--allow-all-routing", "--allow-envoy"):
        assert flag in filter_flags
    for flag in ("--no-early-end", "--automatic-mode-override"):
        assert flag in stream_flags
