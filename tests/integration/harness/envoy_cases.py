"""The cases of tests/envoy_cases, as Python objects."""

import base64
import copy
from dataclasses import dataclass
from pathlib import Path

import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from harness import paths, protos

FOLDER = paths.REPOSITORY / "tests" / "envoy_cases"


class Plain(str):
    """A scalar without quotes, which may be a number or a boolean."""


class _Loader(yaml.CBaseLoader):
    """Keeps scalars as texts, and whether they were quoted: what one is, the field that it is for decides."""

    def construct_scalar(self, node):
        text = super().construct_scalar(node)
        return text if node.style else Plain(text)


@dataclass(frozen=True)
class Case:
    """One case: everything that the two runners need to play it."""

    name: str
    data: dict

    @property
    def filter(self) -> dict:
        return typed(self.data["filter"])

    @property
    def per_route(self) -> list[dict]:
        """ExtProcPerRoute messages, the most general one first."""
        return typed(self.data.get("per_route", []))

    @property
    def library(self) -> str | None:
        """The processor of tests/integration/module that the case is about; without one it has a script."""
        return self.data.get("library")

    @property
    def thinking(self) -> float:
        """The longest time, in seconds, that a processor of the library does nothing that one could see."""
        words = [action.split() for action in self.data.get("do", [])]
        return max((int(word[2]) / 1000 for word in words if word[1] in ("sleep", "offload", "slow", "fall_back")), default=0)

    @property
    def is_upgrade(self) -> bool:
        """Whether the request asks for another protocol, as HTTP/1 does. The players speak HTTP/2 for it (RFC 8441)."""
        return any(name == b"upgrade" for name, _ in self.message("request")["headers"])

    @property
    def upstream_lies(self) -> bool:
        """Whether the response's content-length is not that of its body: for that Envoy closes the connection."""
        upstream = self.message("upstream")
        size = sum(map(len, upstream["body"]))
        return [value for name, value in upstream["headers"] if name == b"content-length"] not in ([], [str(size).encode()])

    def message(self, part: str) -> dict:
        message = self.data.get(part, {})
        script = b"x-do-bodies" if self.library == "Bodies" else b"x-do"
        actions = [(script, as_bytes(action)) for action in self.data.get("do", [])] if part == "request" else []
        return {
            "headers": _pairs(message.get("headers", [])) + _pairs(message.get("more_headers", [])) + actions,
            "body": [as_bytes(chunk) for chunk in message.get("body", [])],
            "trailers": _pairs(message["trailers"]) if "trailers" in message else None,
            "after": [float(seconds) for seconds in message.get("after", [])],
            "open": message.get("open") == "true",
            "together": message.get("pacing") == "together",
            "early": message.get("early") == "true",
        }


def load(folder: Path = FOLDER) -> list[Case]:
    """All cases, in the order of files and lines."""
    common = _read(folder / "common.yaml")
    cases = []
    for path in sorted(folder.glob("*.yaml")):
        document = _read(path)
        base = _merge(common["base"], document.get("base", {}))
        for case in document.get("cases", []):
            cases.append(Case(f"{path.stem}.{case['name']}", _merge(base, case)))
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    return cases


def nothing_special() -> Case:
    """A case in which nothing is changed."""
    return Case("nothing_special", _read(FOLDER / "common.yaml")["base"])


def typed(node):
    """What JSON would make of it."""
    if isinstance(node, dict):
        return {key: typed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [typed(item) for item in node]
    if isinstance(node, Plain):
        if node in ("true", "false"):
            return node == "true"
        try:
            return int(node)
        except ValueError:
            pass
        try:
            return float(node)
        except ValueError:
            pass
    return str(node)


def response(node: dict) -> bytes:
    """A ProcessingResponse in protobuf's JSON, but for its bytes, which are texts here; serialised."""
    message = protos.ProcessingResponse()
    json_format.ParseDict(_as_json(node, message.DESCRIPTOR), message, descriptor_pool=protos.POOL)
    return message.SerializeToString()


def as_bytes(text) -> bytes:
    return text.encode("latin-1")


def _as_json(node, descriptor):
    if descriptor.full_name == "google.protobuf.BoolValue":
        return node == "true"
    if descriptor.full_name.startswith("google.protobuf."):
        return typed(node)
    return {key: _field(value, descriptor.fields_by_name[key]) for key, value in node.items()}


def _field(node, field, repeated=None):
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: typed(value) for key, value in node.items()}
    if field.is_repeated if repeated is None else repeated:
        return [_field(item, field, False) for item in node]
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _as_json(node, field.message_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(as_bytes(node)).decode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return node == "true"
    if field.type == FieldDescriptor.TYPE_ENUM:
        return int(node) if node.lstrip("-").isdigit() else str(node)
    return str(node)


def _read(path: Path) -> dict:
    return _expand(yaml.load(path.read_text(), _Loader))


def _expand(node):
    """{repeat: n, of: x} in a list is n times x with {i} replaced; in place of a text it is one long text."""
    if isinstance(node, dict):
        if set(node) == {"repeat", "of"}:
            return str(node["of"]) * int(node["repeat"])
        return {key: _expand(value) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    items = []
    for item in node:
        if isinstance(item, dict) and set(item) == {"each", "of"}:
            items += [_expand(_numbered(item["of"], i)) for i in range(int(item["each"]))]
        else:
            items.append(_expand(item))
    return items


def _numbered(node, number: int):
    if isinstance(node, dict):
        return {key: _numbered(value, number) for key, value in node.items()}
    if isinstance(node, list):
        return [_numbered(item, number) for item in node]
    return node.replace("{i}", str(number))


def _merge(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in over.items():
        merged[key] = _merge(base[key], value) if key in base else copy.deepcopy(value)
    return merged


def _pairs(pairs) -> list[tuple[bytes, bytes]]:
    return [(as_bytes(name), as_bytes(value)) for name, value in pairs]
