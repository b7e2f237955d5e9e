#!/usr/bin/env python3
"""deploy/compose/envoy.yaml from deploy/envoy.yaml: the same, with an address for each service. Prints it; with --check it fails
where the file is another."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "deploy" / "envoy.yaml"
TARGET = ROOT / "deploy" / "compose" / "envoy.yaml"
HEADER = """\
# Made by scripts/compose_envoy.py from deploy/envoy.yaml, which says what is what. Each processor is a service of its own, named
# as its cluster, and listens on port 50051.
"""
UPSTREAM_PORT = 8081
PROCESSOR_PORT = 50051


def converted(text: str) -> str:
    # Its own header says what is where on one machine.
    text = re.sub(r"\A(#.*\n)+", HEADER, text)
    # What is published is reached from outside.
    text = re.sub(r"address: 127\.0\.0\.1, port_value: (8080|9901)\b", r"address: 0.0.0.0, port_value: \1", text)
    # Names, which may be looked up before they are there.
    text = text.replace("type: STATIC", "type: STRICT_DNS\n      dns_lookup_family: V4_PREFERRED")

    def endpoint(match: re.Match) -> str:
        name = match["name"]
        port = UPSTREAM_PORT if name == "upstream" else PROCESSOR_PORT
        return f"{match['head']}address: {name}, port_value: {port} "

    return re.sub(
        r"(?P<head>cluster_name: (?P<name>\w+)\n\s+endpoints:\n\s+- lb_endpoints:\n\s+- endpoint: \{ address: \{ socket_address: \{ )"
        r"address: 127\.0\.0\.1, port_value: \d+ ",
        endpoint,
        text,
    )


def main() -> None:
    text = converted(SOURCE.read_text())
    if "127.0.0.1" in text:
        raise SystemExit("error: deploy/envoy.yaml has an address that scripts/compose_envoy.py does not know")
    if sys.argv[1:] != ["--check"]:
        print(text, end="")
    elif TARGET.read_text() != text:
        raise SystemExit("error: deploy/compose/envoy.yaml is not what deploy/envoy.yaml says: scripts/compose_envoy.py >deploy/compose/envoy.yaml")


main()
