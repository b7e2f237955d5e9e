"""What random cases found and reached, for people."""

import json
from collections import Counter

from harness.random_cases import cells
from harness.random_cases.compare import Both, Found


# The cells that nothing reached, of those that could be.
MOST_NAMED = 20


def difference(both: Both) -> str:
    """A case in the form of tests/envoy_cases, and what is not alike."""
    lines = [f"- {as_yaml(both.case)}"]
    for part in both.differing:
        lines += [f"  # {part}:", *(f"  #   {line}" for line in _unlike(both.kit[part], both.envoy.get(part)))]
    return "\n".join(lines)


def coverage(found: Found) -> str:
    """What was reached, what was not, and what cannot be."""
    reachable = cells.reachable()
    missing = [cell for cell in reachable if cell not in found.reached]
    reasons = Counter(reason for cell in cells.all_cells() if (reason := cells.impossible(cell)))
    lines = [f"reached {len(reachable) - len(missing)} of {len(reachable)} cells (a field or deed, a phase, a body mode)"]
    lines += [f"  not reached: {cell}" for cell in missing[:MOST_NAMED]]
    if len(missing) > MOST_NAMED:
        lines.append(f"  and {len(missing) - MOST_NAMED} more")
    lines += [f"  cannot be reached, {count} cells: {reason}" for reason, count in reasons.items()]
    return "\n".join(lines)


def as_yaml(node: object) -> str:
    """In one line, with as few quotes as in the files."""
    if isinstance(node, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(as_yaml, node)) + "]"
    text = str(node)
    plain = isinstance(node, str) and text.isascii() and text.replace("_", "a").replace("-", "a").isalnum()
    if plain and text[0].isalpha() and text.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "y", "n"):
        return text
    return json.dumps(node)


def _unlike(kit: object, envoy: object) -> list[str]:
    if isinstance(kit, dict) and isinstance(envoy, dict):
        keys = [key for key in {**kit, **envoy} if kit.get(key) != envoy.get(key)]
        return [f"{key}: kit {json.dumps(kit.get(key))}, Envoy {json.dumps(envoy.get(key))}" for key in keys]
    if isinstance(kit, list) and isinstance(envoy, list):
        lines = []
        for i in range(max(len(kit), len(envoy))):
            ours, theirs = (side[i] if i < len(side) else None for side in (kit, envoy))
            if ours != theirs:
                lines.append(f"{i}: kit {json.dumps(ours)}, Envoy {json.dumps(theirs)}")
        return lines
    return [f"kit {json.dumps(kit)}, Envoy {json.dumps(envoy)}"]
