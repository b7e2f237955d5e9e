"""A ProcessingResponse of any kind, built along protobuf's description of it: FIELDS says of each field how it is made, so
that a field that has no maker is noticed."""

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from harness import protos
from harness.random_cases import filters, headers
from harness.random_cases.dice import Dice

RESPONSE = protos.ProcessingResponse.DESCRIPTOR
PHASES = ("request_headers", "response_headers", "request_body", "response_body", "request_trailers", "response_trailers")
KINDS = (*PHASES, "immediate_response", "streamed_immediate_response")


@dataclass(frozen=True)
class Place:
    """What an answer is made for."""

    dice: Dice
    phase: str
    duplex: bool
    # The message that is answered is, as far as one can tell beforehand, the last of the body.
    last: bool
    illegal: bool
    # The rules may allow what concerns routing.
    routing: bool = False
    # Names of headers that it leaves alone.
    kept: tuple[str, ...] = ()
    # Names of the fields that must be in it, from the ProcessingResponse down.
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """How often a field is there, and how its value is made; a message that has no maker of its own is built of its fields."""

    chance: float
    make: Callable[[Place, dict], object] | None = None


def _key(place: Place, _made: dict) -> str:
    key = _any_key(place)
    return "x-new" if key.lower() in place.kept else key


def _any_key(place: Place) -> str:
    if place.routing and place.dice.chance(0.6):
        return place.dice.pick(headers.ROUTING if place.phase.startswith("request") else (":status", "host"))
    return headers.name(place.dice, place.illegal)


def _value(place: Place, made: dict) -> object:
    return headers.value(place.dice, made.get("key", ""), place.illegal)


def _body(place: Place, _made: dict) -> object:
    return place.dice.weighted({"abc": 5, "": 1, "new body": 2, "é\0": 0.5}) if place.dice.chance(0.97) else LONG


def _often(probability: float) -> Callable[[Place, dict], bool]:
    return lambda place, _made: place.dice.chance(probability)


def _any(*values: object) -> Callable[[Place, dict], object]:
    return lambda place, _made: place.dice.pick(values)


def _end(place: Place, _made: dict) -> bool:
    return not place.last if place.illegal and place.dice.chance(0.4) else place.last


def _metadata(place: Place, _made: dict) -> dict:
    values = ({"a": "new", "c": "d"}, {"n": 1, "t": True, "l": ["x", 2], "s": {"y": "z"}}, "text", 5, {}, True)
    return {name: place.dice.pick(values) for name in place.dice.some(filters.NAMESPACES, 2, 1)}


def _typed_metadata(place: Place, _made: dict) -> dict:
    return {
        place.dice.pick(filters.NAMESPACES): {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"a": "typed"}},
    }


def _mode(place: Place, _made: dict) -> dict:
    bodies = filters.BODY_MODES if place.illegal else {"NONE": 3, "STREAMED": 3, "BUFFERED": 3, "BUFFERED_PARTIAL": 3}
    mode = filters.processing_mode(place.dice, bodies)
    for name in place.wanted:
        if name.endswith("_body_mode"):
            mode.setdefault(name, "BUFFERED")
        elif name.endswith("_mode"):
            mode.setdefault(name, "SEND")
    return mode


LONG = {"repeat": 66_000, "of": "b"}
STATUSES = ("OK", "NotFound", "Forbidden", 418, "ServiceUnavailable", "NoContent", "NotModified", "Continue", "Empty", "Found")
ACTIONS = ("APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS")
DURATIONS = ("15s", "1s", "0s", "-1s", "0.0005s")

# By message and field; repeated fields get a few of what is made.
FIELDS = {
    "HeadersResponse.response": Field(0.85),
    "BodyResponse.response": Field(0.85),
    "TrailersResponse.header_mutation": Field(0.7),
    "CommonResponse.status": Field(0.06, _any("CONTINUE_AND_REPLACE", "CONTINUE_AND_REPLACE", "CONTINUE")),
    "CommonResponse.header_mutation": Field(0.6),
    "CommonResponse.body_mutation": Field(0.3),
    "CommonResponse.trailers": Field(0.02),
    "CommonResponse.clear_route_cache": Field(0.08, _often(0.9)),
    "HeaderMutation.set_headers": Field(0.8),
    "HeaderMutation.remove_headers": Field(0.3, _key),
    "HeaderValueOption.header": Field(0.97),
    "HeaderValueOption.append": Field(0.5, _often(0.8)),
    "HeaderValueOption.append_action": Field(0.15, _any(*ACTIONS)),
    "HeaderValueOption.keep_empty_value": Field(0.05, _often(0.7)),
    "HeaderValue.key": Field(1, _key),
    "HeaderValue.value": Field(0.06, _value),
    "HeaderValue.raw_value": Field(0.95, _value),
    "HeaderMap.headers": Field(0.95),
    "BodyMutation.body": Field(3, _body),
    "BodyMutation.clear_body": Field(1, _often(0.8)),
    "BodyMutation.streamed_response": Field(0.3),
    "StreamedBodyResponse.body": Field(0.9, _body),
    "StreamedBodyResponse.end_of_stream": Field(1, _end),
    "StreamedBodyResponse.end_of_stream_without_message": Field(0.05, _often(0.8)),
    "StreamedBodyResponse.grpc_message_compressed": Field(0.05, _often(0.8)),
    "StreamedBodyResponse.drain_complete": Field(0.05, _often(0.8)),
    "ImmediateResponse.status": Field(0.7),
    "ImmediateResponse.headers": Field(0.5),
    "ImmediateResponse.body": Field(0.6, _body),
    "ImmediateResponse.grpc_status": Field(0.2),
    "ImmediateResponse.details": Field(0.3, _any("some reason", "reason", "")),
    "HttpStatus.code": Field(0.95, _any(*STATUSES)),
    "GrpcStatus.status": Field(0.8, _any(5, 0, 14, 99)),
    "StreamedImmediateResponse.headers_response": Field(5),
    "StreamedImmediateResponse.body_response": Field(1),
    "StreamedImmediateResponse.trailers_response": Field(1),
    "HttpHeaders.headers": Field(0.97),
    "HttpHeaders.attributes": Field(0.05, lambda place, _made: {"a": {"b": "c"}}),
    "HttpHeaders.end_of_stream": Field(0.7, _often(0.8)),
    "ProcessingResponse.dynamic_metadata": Field(0.08, _metadata),
    "ProcessingResponse.typed_dynamic_metadata": Field(0.02, _typed_metadata),
    "ProcessingResponse.mode_override": Field(0.08, _mode),
    "ProcessingResponse.request_drain": Field(0.01, _often(0.8)),
    "ProcessingResponse.request_drain_requests": Field(0.01, _often(0.8)),
    "ProcessingResponse.request_drain_responses": Field(0.01, _often(0.8)),
    # Alone it is no answer: see steps.py.
    "ProcessingResponse.override_message_timeout": Field(0, _any(*DURATIONS)),
    "ProcessingResponse.server_window_update": Field(0.01),
    "ServerWindowUpdate.window_increment_downstream_to_sidestream": Field(0.8, _any(1000)),
    "ServerWindowUpdate.window_increment_upstream_to_sidestream": Field(0.8, _any(1000)),
} | {f"ProcessingResponse.{kind}": Field(1) for kind in KINDS}


def generate(place: Place, kind: str | None) -> dict:
    """An answer of a kind: a phase, an ImmediateResponse, ...; None: with nothing of that."""
    return _build(RESPONSE, place, place.wanted, kind)


def leaves(of: Descriptor = RESPONSE, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all fields that are no messages of their own."""
    found = []
    for field in of.fields:
        path = (*prefix, field.name)
        inner = field.message_type
        own = inner is not None and not inner.full_name.startswith("google.") and not inner.GetOptions().map_entry
        found += leaves(inner, path) if own else [path]
    return found


def paths_in(answer: dict, of: Descriptor = RESPONSE, prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The leaves that an answer has."""
    found: set[tuple[str, ...]] = set()
    known = leaves(of, prefix)
    for name, value in answer.items():
        path = (*prefix, name)
        field = of.fields_by_name[name]
        if path in known:
            found.add(path)
            continue
        for item in value if field.is_repeated else [value]:
            found |= paths_in(item, field.message_type, path)
    return found


def _build(of: Descriptor, place: Place, wanted: tuple[str, ...], kind: str | None = None) -> dict:
    made: dict = {}
    chosen = {name: _choice(oneof, place, wanted, kind) for name, oneof in of.oneofs_by_name.items()}
    for field in of.fields:
        entry = FIELDS[f"{of.name}.{field.name}"]
        is_wanted = wanted[:1] == (field.name,)
        if field.containing_oneof is not None:
            there = chosen[field.containing_oneof.name] == field.name
        else:
            there = is_wanted or place.dice.chance(_chance(of, field, entry, place))
        if not there:
            continue
        rest = wanted[1:] if is_wanted else ()
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if field.is_repeated and not is_map:
            count = place.dice.weighted({1: 6, 2: 2, 3: 1})
            items = [_one(field, entry, place, made, rest if i == 0 else ()) for i in range(count)]
            made[field.name] = items
        else:
            made[field.name] = _one(field, entry, place, made, rest)
    return made


def _chance(of: Descriptor, field: FieldDescriptor, entry: Field, place: Place) -> float:
    # In FULL_DUPLEX_STREAMED the body must be answered.
    if place.duplex and place.phase.endswith("body") and not place.illegal:
        if (of.name, field.name) in (("BodyResponse", "response"), ("CommonResponse", "body_mutation")):
            return 1
    return entry.chance


def _one(field: FieldDescriptor, entry: Field, place: Place, made: dict, wanted: tuple[str, ...]) -> object:
    if entry.make is not None:
        return entry.make(place, made)
    return _build(field.message_type, place, wanted)


def _choice(oneof, place: Place, wanted: tuple[str, ...], kind: str | None) -> str | None:
    names = [field.name for field in oneof.fields]
    if oneof.containing_type is RESPONSE:
        return kind
    if wanted[:1] and wanted[0] in names:
        return wanted[0]
    if oneof.full_name.endswith("BodyMutation.mutation") and not (place.illegal and place.dice.chance(0.2)):
        if place.duplex and place.phase.endswith("body"):
            return "streamed_response"
        names.remove("streamed_response")
    if place.illegal and place.dice.chance(0.05):
        return None
    weights = {name: FIELDS[f"{oneof.containing_type.name}.{name}"].chance for name in names}
    return place.dice.weighted(weights)
