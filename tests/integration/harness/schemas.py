"""Kubernetes' check of a resource against its published schema: types, patterns, and no field that is not in it.

Rules written in CEL (x-kubernetes-validations) need an API server and are not run.
"""

from functools import cache

import jsonschema
import yaml

from harness import paths

SCHEMAS = {
    "EnvoyExtensionPolicy": "envoyextensionpolicies.yaml",
    "Backend": "backends.yaml",
    "ClientTrafficPolicy": "clienttrafficpolicies.yaml",
    "EnvoyFilter": "istio.yaml",
    "Certificate": "certificates.yaml",
}


def validate(resource: dict) -> None:
    """Fails with what is wrong."""
    schema = _schema(resource["apiVersion"], resource["kind"])
    errors = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(resource)]
    assert not errors, "\n".join(errors)


@cache
def _schema(api_version: str, kind: str) -> dict:
    group, _, version = api_version.partition("/")
    file = paths.REPOSITORY / "build" / "schemas" / SCHEMAS[kind]
    if not file.exists():
        raise paths.NotFound(f"{file} is not there: run `make install`")
    # Envoy Gateway's are Helm templates, with one condition around each.
    text = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("{{"))
    for definition in yaml.safe_load_all(text):
        spec = definition["spec"]
        if spec["group"] != group or spec["names"]["kind"] != kind:
            continue
        for offered in spec["versions"]:
            if offered["name"] == version and offered["served"]:
                schema = _strict(offered["schema"]["openAPIV3Schema"])
                # What each resource has; only the root of a schema leaves it out.
                schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _METADATA}
                return schema
    raise AssertionError(f"{file.name} has no {kind} of {api_version}")


_METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253},
        "namespace": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}


def _strict(schema):
    """OpenAPI's schema as JSON Schema, where an object has only the fields that are listed."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items() if key not in ("format", "default", "description")}
    if isinstance(schema.get("properties"), dict):
        strict["properties"] = {name: _strict(value) for name, value in schema["properties"].items()}
    closed = schema.get("type") == "object" and "properties" in schema and "additionalProperties" not in schema
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict["additionalProperties"] = False
    return strict
