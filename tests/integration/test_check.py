"""`extproc check`: what it prints, and its exit status."""

import re

import pytest

from harness import paths
from harness.command import check, config, extproc

SIX = ",".join(f"examples.{name}ExtProcService" for name in ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx"))
TRIVIAL, DIGEST = "examples.TrivialExtProcService", "examples.DigestExtProcService"


def test_a_finding_has_its_line_and_its_mend(tmp_path):
    text = config("-s", DIGEST).replace("request_body_mode: BUFFERED", "request_body_mode: NONE")
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if "request_body_mode" in line)
    file = tmp_path / "envoy.yaml"
    file.write_text(text)
    run = extproc("check", file, "-s", DIGEST)
    assert run.returncode == 1
    assert run.stderr == ""
    first, mend, summary = run.stdout.splitlines()
    assert re.fullmatch(rf"{re.escape(str(file))}:{line}:\d+: error: .*handles request_body.*\[phase-not-sent\]", first)
    assert mend == "    mend: set request_body_mode: BUFFERED"
    assert summary == f"{file}: 1 error, 0 warnings"
    # The mend mends it.
    file.write_text(text.replace("request_body_mode: NONE", "request_body_mode: BUFFERED"))
    assert extproc("check", file, "-s", DIGEST).returncode == 0


def test_warnings_count_when_strict():
    text = config("-s", TRIVIAL).replace("request_body_mode: NONE", "request_body_mode: BUFFERED")
    run = check(text, "-s", TRIVIAL)
    assert run.returncode == 0
    assert "[phase-not-handled]" in run.stdout
    assert check(text, "-s", TRIVIAL, "--strict").returncode == 1


def test_what_the_issue_names():
    """Each of these makes the check fail, at the line that does it."""
    sound = config("-s", DIGEST)
    damages = {
        "phase-not-sent": ("response_body_mode: BUFFERED", "response_body_mode: NONE"),
        "full-duplex-without-trailers": ("request_body_mode: BUFFERED", "request_body_mode: FULL_DUPLEX_STREAMED"),
        "message-timeout-over-grpc-timeout": ("envoy_grpc: {", "timeout: 0.1s\n                      envoy_grpc: {"),
        "no-http2": ("http2_protocol_options:", "http_protocol_options: {}\n            unrelated:"),
    }
    for rule, (before, after) in damages.items():
        assert sound.count(before) == 1
        run = check(sound.replace(before, after), "-s", DIGEST)
        assert run.returncode == 1, rule
        assert f"[{rule}]" in run.stdout
    assert "[mode-override-not-allowed]" in check(sound, "-s", DIGEST, "--mode-override").stdout


def test_the_example_deployment():
    """Each processor gets everything there, on purpose; nothing else is to be said."""
    run = extproc("check", paths.REPOSITORY / "deploy" / "envoy.yaml", "-s", SIX)
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(re.findall(r"\[([a-z-]+)\]$", run.stdout, re.MULTILINE)) == {"phase-not-handled", "stream-timeout"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("/nowhere.yaml", "-s", TRIVIAL), "cannot read /nowhere.yaml"),
        (("/", "-s", TRIVIAL), "cannot read /"),
        (("-", "-s", TRIVIAL), "cannot read -"),
        ((str(paths.REPOSITORY / "README.md"), "-s", TRIVIAL), "README.md"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", TRIVIAL), "6 ext_proc filters"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", TRIVIAL, "--filter", "none"), "there are: context"),
        ((str(paths.REPOSITORY / "deploy" / "envoy.yaml"), "-s", "examples.Nobody"), "exports no Nobody"),
    ],
)
def test_what_cannot_be_checked(arguments, reason):
    run = extproc("check", *arguments, input="")
    assert run.returncode == 2
    assert run.stdout == ""
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1
