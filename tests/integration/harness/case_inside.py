"""Cases whose processor runs inside Envoy: which of them can, and how its filter is set up for one."""

import json
import re
from dataclasses import replace

from harness.envoy_cases import Case, Plain, typed
from harness.inside import Inside

# Fields of ext_proc's filter that the filter inside Envoy has too.
_COMMON = (
    "processing_mode",
    "request_attributes",
    "response_attributes",
    "metadata_options",
    "mutation_rules",
    "status_on_error",
    "failure_mode_allow",
    "observability_mode",
    "send_body_without_waiting_for_header_response",
    "allow_content_length_header",
)
# What the others are about has no counterpart inside, or is left to the processor.
_OF_THE_CALL = ("grpc_service", "message_timeout", "deferred_close_timeout", "stat_prefix")
_STATUSES = {"Forbidden": 403, "BadGateway": 502, "ServiceUnavailable": 503, "GatewayTimeout": 504}
_RULES = ("allow_all_routing", "allow_envoy")

# Why some cases come to something else inside.
EMPTY = "Envoy's dynamic modules can set no empty value"
LEFT_OUT = "of an answer that Envoy would fail the request for, what it does not take is left out"
NO_LIMIT = "Envoy's limits of changes, and of what comes of them, are ext_proc's"
ALLOWED = "nobody has to allow an override of the mode"
CHUNKS = "chunks come one by one, and are not put together while one is worked on"
PSEUDO = "pseudo headers that HTTP does not have there are left out"
OBSERVED = "who only looks on cannot fail a request"
HELD = "headers wait for a body that is STREAMED, sent unasked or not"
GONE = "the headers of a response have gone, where ext_proc has been asked of all of it at once"
HOST = "host of a response is left out by Envoy behind ext_proc alone"


def filter_of(case: Case) -> Inside:
    """The filter of a case that is possible()."""
    configured = case.filter
    extra = {name: configured[name] for name in _COMMON if name in configured}
    # Envoy's defaults: inside, what is left out is as the processor needs it.
    mode = {"request_header_mode": "SEND", "response_header_mode": "SEND", "request_trailer_mode": "SKIP", "response_trailer_mode": "SKIP"}
    mode |= {"request_body_mode": "NONE", "response_body_mode": "NONE"}
    stated = {name: value for name, value in configured.get("processing_mode", {}).items() if value != "DEFAULT"}
    extra["processing_mode"] = mode | stated
    if isinstance(code := extra.get("status_on_error", {}).get("code"), str):
        extra["status_on_error"] = {"code": _STATUSES[code]}
    return Inside((f"test_processors.{case.library}",), extra=extra)


def impossible(case: Case) -> str:
    """Why a case cannot be played inside Envoy; empty where it can."""
    configured = case.filter
    if not case.library:
        return "its processor is a script of messages"
    if case.per_route:
        return "what ext_proc's routes say"
    mode = configured.get("processing_mode", {})
    if any(mode.get(f"{side}_body_mode") in ("FULL_DUPLEX_STREAMED", "GRPC") for side in ("request", "response")):
        return "a body mode that Envoy's dynamic modules have no means for"
    if configured.get("observability_mode") and any(mode.get(f"{side}_body_mode", "NONE") not in ("NONE", "STREAMED") for side in ("request", "response")):
        return "a body that is held for those who only look on, which is refused"
    code = configured.get("status_on_error", {}).get("code", 500)
    if code not in _STATUSES and not (isinstance(code, int) and code >= 400):
        return "a status that is no error, which is refused"
    for name in configured:
        if name not in _COMMON and name not in _OF_THE_CALL:
            return f"{name} is ext_proc's"
    if any(rule not in _RULES for rule in configured.get("mutation_rules", {})):
        return "rules that are Envoy's half alone"
    actions = [action.split() for action in case.data.get("do", [])]
    if any(words[1] in ("config", "call") for words in actions):
        return "it tells of the gRPC call"
    if any(words[1] in ("sleep", "offload", "slow") for words in actions) and configured.get("message_timeout", "10s") != "10s":
        return "Envoy's message_timeout"
    return ""


def made_possible(made: dict) -> dict:
    """A random case of the library, in which what cannot be inside Envoy is something else. Both ways get what it is then."""
    configured = {name: value for name, value in made["filter"].items() if name in (*_COMMON, *_OF_THE_CALL)}
    mode = dict(configured.get("processing_mode", {}))
    for side in ("request", "response"):
        if mode.get(f"{side}_body_mode") in ("FULL_DUPLEX_STREAMED", "GRPC") or (
            configured.get("observability_mode") and mode.get(f"{side}_body_mode", "NONE") != "NONE"
        ):
            mode[f"{side}_body_mode"] = "STREAMED"
    if "processing_mode" in configured:
        configured["processing_mode"] = mode
    if isinstance(configured.get("status_on_error", {}).get("code"), str) or configured.get("status_on_error", {}).get("code", 500) < 400:
        configured.pop("status_on_error", None)
    if rules := configured.get("mutation_rules"):
        configured["mutation_rules"] = {name: value for name, value in rules.items() if name in _RULES}
    made = {name: value for name, value in made.items() if name != "per_route"} | {"filter": configured}
    # What an answer before the end of the request finds on its way is a race; so is what is put in the place of what never ends.
    made["upstream"] = {name: value for name, value in made["upstream"].items() if name not in ("early", "open")}
    made["request"] = {name: value for name, value in made["request"].items() if name != "open"}
    # One that lies ends the request, before or behind what was put in its place.
    made["request"]["headers"] = [header for header in made["request"]["headers"] if header[0] != "content-length"]
    made["do"] = [action for action in made["do"] if action.split()[1] not in ("config", "call", "mode")]
    # What the players take for an interim response, wherever it stands.
    made["do"] = [action for action in made["do"] if not re.match(r"\w+ (set|append) :status=1", action)]
    return made


def explained(case: Case) -> str:
    """Why what a case asks for may come to something else inside; empty where it must not."""
    if case.filter.get("observability_mode") and any(action.split()[1] in ("throw", "stop", "abort") for action in case.data["do"]):
        return OBSERVED
    for action in case.data.get("do", []):
        phase, verb, *rest = action.split(" ", 2)
        argument = rest[0] if rest else ""
        name, _, value = argument.partition("=")
        if verb == "many":
            return NO_LIMIT
        if verb in ("respond", "reply", "stop", "throw", "abort") and phase in ("response_body", "response_trailers"):
            return GONE
        if verb == "reply" and any(not _is_name(header[0]) for header in json.loads(argument).get("headers", [])):
            return LEFT_OUT
        if verb == "hex":
            name, value = f"x-hex-{argument}", ""
        elif verb not in ("set", "append", "unhex", "remove"):
            continue
        if not _is_name(name) or (verb == "unhex" and not _is_value(bytes.fromhex(value))):
            return LEFT_OUT
        if name.lower() == "host":
            return HOST
        if name.startswith(":"):
            return PSEUDO
        if verb != "remove" and not value.strip():
            return EMPTY
    return ""


def _is_name(name: str) -> bool:
    return re.fullmatch(r":?[-!#$%&'*+.^_`|~0-9A-Za-z]+", name) is not None


def _is_value(value: bytes) -> bool:
    return all(c == 0x09 or (c >= 0x20 and c != 0x7F) for c in value)


def as_library(case: Case) -> Case | None:
    """A case with a script of messages as one with a processor of the library that does the same; None where its answers are
    none that a processor gives."""
    if case.library:
        return case
    actions = []
    used = set()
    for step in case.data.get("processor", []):
        phase, done = str(step["phase"]), step["do"]
        # A later step of a phase is for another piece of a body.
        if phase in used or not isinstance(done, list) or len(done) != 1:
            return None
        used.add(phase)
        made = _actions_of(phase, done[0])
        if made is None:
            return None
        actions += [f"{phase} {action}" for action in made]
    if any(len(action) > 1000 or not action.isprintable() or not action.isascii() for action in actions):
        return None
    return replace(case, data={**case.data, "library": Plain("Scripted"), "do": actions})


def _actions_of(phase: str, message: dict) -> list[str] | None:
    """The actions of module/action.h for a ProcessingResponse."""
    if set(message) == {"immediate_response"}:
        return _reply(typed(message["immediate_response"]))
    made: list[str] = []
    rest = dict(message)
    for namespace, value in typed(rest.pop("dynamic_metadata", {})).items():
        if not isinstance(value, dict):
            return None
        made.append(f"emit {namespace} {json.dumps(value)}")
    if set(rest) != {phase}:
        return None
    body = dict(rest[phase])
    if phase.endswith("trailers"):
        common = body
    else:
        common = dict(body.pop("response", {}))
        if body:
            return None
    status = common.pop("status", "CONTINUE")
    changes = _changes(common.pop("header_mutation", {}))
    if changes is None:
        return None
    made += changes
    if not phase.endswith("trailers"):
        replaced = common.pop("body_mutation", None)
        if replaced is not None:
            verb = _body(phase, status, replaced)
            if verb is None:
                return None
            made.append(verb)
        elif status != "CONTINUE":
            return None
        if common.pop("clear_route_cache", "false") == "true":
            made.append("clear_route_cache")
    return None if common else made


def _body(phase: str, status: str, mutation: dict) -> str | None:
    if set(mutation) == {"body"} and isinstance(mutation["body"], str):
        if phase.endswith("headers"):
            return f"continue_and_replace {mutation['body']}" if status == "CONTINUE_AND_REPLACE" else None
        return f"replace {mutation['body']}" if status == "CONTINUE" else None
    if mutation.get("clear_body") == "true" and phase.endswith("body") and status == "CONTINUE":
        return "clear"
    return None


def _changes(mutation: dict) -> list[str] | None:
    """The library sends the removes of an answer behind its sets, as the protocol has them."""
    made = []
    if any("header" not in entry for entry in mutation.get("set_headers", [])):
        return None
    for entry in mutation.get("set_headers", []):
        header = entry["header"]
        value = header.get("raw_value", header.get("value", ""))
        name = header.get("key", "")
        kind = entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
        if set(entry) - {"header", "append_action"} or "=" in str(name) or not isinstance(value, str):
            return None
        verb = {"APPEND_IF_EXISTS_OR_ADD": "append", "OVERWRITE_IF_EXISTS_OR_ADD": "set"}.get(kind)
        if verb is None or value != value.strip():
            return None
        made.append(f"{verb} {name}={value}")
    made += [f"remove {name}" for name in mutation.get("remove_headers", [])]
    return None if set(mutation) - {"set_headers", "remove_headers"} else made


def _reply(message: dict) -> list[str] | None:
    if set(message) - {"status", "headers", "body", "details"}:
        return None
    headers = message.get("headers", {})
    if set(headers) - {"set_headers"}:
        return None
    pairs = []
    if any("header" not in entry for entry in headers.get("set_headers", [])):
        return None
    for entry in headers.get("set_headers", []):
        if entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD") != "OVERWRITE_IF_EXISTS_OR_ADD":
            return None
        header = entry["header"]
        pairs.append([str(header["key"]), str(header.get("raw_value", header.get("value", "")))])
    status = message.get("status", {}).get("code", 200)
    if not isinstance(status, int):
        return None
    made = {"status": status, "headers": pairs, "body": str(message.get("body", "")), "details": str(message.get("details", ""))}
    return [f"reply {json.dumps({name: value for name, value in made.items() if value})}"]
