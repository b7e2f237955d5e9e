#!/usr/bin/env python3
"""What deploy/chart has from elsewhere: the alert rules, the dashboard, and in values.schema.json the schema of `settings`. Writes it;
with --check it fails where something is another."""

import json
import sys
from pathlib import Path

DEPLOY = Path(__file__).parent.parent / "deploy"
CHART = DEPLOY / "chart"
COPIES = {
    CHART / "files" / "rules.yaml": DEPLOY / "prometheus" / "rules.yaml",
    CHART / "files" / "dashboard.json": DEPLOY / "grafana" / "extproc.json",
}
SCHEMA = CHART / "values.schema.json"
# The chart says these by flags, which are stronger.
BY_FLAGS = ("port", "listen", "metrics", "grace_period", "drain_delay", "tls")


def settings_definitions() -> dict:
    """deploy/settings.schema.json, without what the chart has values of its own for."""
    settings = json.loads((DEPLOY / "settings.schema.json").read_text())
    services = settings["properties"]["services"]["items"]
    for level in (settings, services):
        level.pop("not", None)
        for name in BY_FLAGS:
            level["properties"].pop(name)
    settings["type"] = "object"
    del settings["$schema"], settings["title"]
    return {"settings": settings, **_used(settings.pop("$defs"), settings)}


def _used(definitions: dict, schema: dict) -> dict:
    """Those that the schema still refers to, directly or by one another."""
    used, text = {}, json.dumps(schema)
    while more := {name: one for name, one in definitions.items() if name not in used and f'"#/$defs/{name}"' in text}:
        used |= more
        text += json.dumps(more)
    return used


def expected() -> dict[Path, str]:
    schema = json.loads(SCHEMA.read_text())
    schema["$defs"] = settings_definitions()
    return {copy: source.read_text() for copy, source in COPIES.items()} | {SCHEMA: json.dumps(schema, indent=2) + "\n"}


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    for file, text in expected().items():
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            raise SystemExit(f"error: {file.relative_to(DEPLOY.parent)} is not what its source says: scripts/chart_files.py")


main()
