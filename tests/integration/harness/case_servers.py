"""The library's own processors behind a real Envoy: each case that names one has a server of its own, which is told of the
filter what a deployment would tell it, and tells what was wrong with the answers."""

import re
import signal
from pathlib import Path

from harness import paths
from harness.envoy_cases import Case
from harness.processes import Launcher, Process

# "Scripted: request_headers for request 1: header_denied "host": Envoy leaves it ... This is logged once"
_VIOLATION = re.compile(r'^\w+: (?P<phase>re\w+_\w+) for request [^:]*: (?P<rule>[a-z_]+)(?: "(?P<field>[^"]*)")?: .* This is logged once$')

# "Scripted: request_headers failed for request 1: boom"
_FAILURE = re.compile(r"^\w+: (?P<phase>re\w+_\w+) failed for request [^:]*: (?P<text>.*)$")


def socket_of(folder: Path, number: int) -> Path:
    """Where the server of the case with that number listens."""
    return folder / f"l{number}"


_BODY_MODES = ("NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC")
_HEADER_MODES = ("DEFAULT", "SEND", "SKIP")


def _override(mode: dict) -> str:
    """A ProcessingMode as module/set_setting.h has it: a digit for each field, in the order of their numbers."""
    headers = [mode.get(f"{name}_mode", "DEFAULT") for name in ("request_header", "response_header", "request_trailer", "response_trailer")]
    bodies = [mode.get(f"{name}_body_mode", "NONE") for name in ("request", "response")]
    first, second, third, fourth = (str(_HEADER_MODES.index(name)) for name in headers)
    return first + second + "".join(str(_BODY_MODES.index(name)) for name in bodies) + third + fourth


def settings_of(configured: dict) -> dict[str, str]:
    """Settings::filter for a filter, as the kit's filter_settings() makes it."""
    timeout = _milliseconds(configured.get("message_timeout", "0.2s"))
    longest = _milliseconds(configured.get("max_message_timeout", "0s"))
    rules = configured.get("mutation_rules", {})
    return {
        "message_timeout": str(timeout),
        "max_message_timeout": str(longest if longest >= timeout else 0),
        **{name: "on" if rules.get(name) else "off" for name in ("allow_all_routing", "allow_envoy")},
        **{name: "on" if configured.get(name) else "off" for name in ("allow_content_length_header", "allow_mode_override")},
        "allowed_override_modes": ",".join(_override(mode) for mode in configured.get("allowed_override_modes", [])),
    }


def _milliseconds(duration: str) -> int:
    return round(float(duration.rstrip("s")) * 1000)


def _unescaped(text: str) -> str:
    """What the log shows as escaped, since it is no UTF-8."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda byte: chr(int(byte[1], 16)), text)


class CaseServers:
    """The servers of those cases that need one."""

    def __init__(self, launcher: Launcher, folder: Path, cases: list[Case]):
        self._names = [case.name for case in cases if case.library]
        if not self._names:
            return
        lines = []
        for number, case in enumerate(cases):
            if case.library:
                settings = [f"{name}={value}" for name, value in settings_of(case.filter).items()]
                lines.append(" ".join([str(socket_of(folder, number)), case.library, *settings]))
        file = folder / "servers"
        file.write_text("".join(line + "\n" for line in lines))
        self._process: Process = launcher.start("case_server", [paths.built("case_server"), file])
        self._process.wait_for_log("ready", 20)

    def finish(self, outcomes: dict[str, dict]) -> None:
        """Puts what the servers told into the outcomes of their cases, and ends the servers."""
        if not self._names:
            return
        self._process.signal(signal.SIGUSR1)
        self._process.wait_for_log("end of report")
        outcome: dict = {}
        for line in self._process.log_path.read_text("latin-1").split("\n"):
            kind, _, rest = line.partition(" ")
            number, _, text = rest.partition(" ")
            if kind == "server":
                outcome = outcomes[self._names[int(number)]]
                outcome |= {"violations": {"count": int(text), "first": {}}, "failures": []}
            elif kind == "log" and (found := _VIOLATION.match(text)):
                outcome["violations"]["first"].setdefault(found["rule"], [found["phase"], _unescaped(found["field"] or "")])
            elif kind == "log" and (found := _FAILURE.match(text)):
                outcome["failures"].append([found["phase"], found["text"]])
        for name in self._names:
            # Which a player cannot see here.
            del outcomes[name]["messages"]
        self._process.stop()
