"""What a request's route says of the filter."""

from collections.abc import Mapping

from harness.random_cases import filters
from harness.random_cases.dice import Dice

DISABLED = 0.12
# What the calls to the processor carry, which one of the library can show.
CALL_METADATA = ("a", "b", "c")


def generate(dice: Dice, wanted_modes: Mapping[str, str], must_run: bool) -> list[dict]:
    """ExtProcPerRoute messages. Where one has a processing mode, `wanted_modes` are fields of it; `must_run`: the filter is on."""
    made = [_message(dice, wanted_modes) for _ in range(dice.weighted({1: 5, 2: 3, 3: 1}))]
    if must_run and "disabled" in made[-1]:
        made[-1] = {"overrides": {}}
    return made


def are_valid(messages: list[dict]) -> bool:
    """Whether Envoy takes them: each says something, and an empty list of routes is none."""
    return all("disabled" in message or "overrides" in message for message in messages)


def effective_mode(case: dict) -> dict | None:
    """The processing mode that counts; None where the filter is off."""
    mode = case["filter"].get("processing_mode", {})
    messages = case.get("per_route", [])
    for number, message in enumerate(messages):
        # What is turned off forgets what more general ones say.
        if "disabled" in message:
            mode = None if number + 1 == len(messages) else case["filter"].get("processing_mode", {})
        else:
            mode = message["overrides"].get("processing_mode", mode)
    return mode


def call_metadata(dice: Dice, value: str) -> list[dict]:
    return [{"key": key, "value": value} for key in dice.some(CALL_METADATA, 2, 1)]


def _message(dice: Dice, wanted_modes: Mapping[str, str]) -> dict:
    if dice.chance(DISABLED):
        return {"disabled": True}
    made: dict = {}
    if dice.chance(0.5):
        # Here Envoy does not insist on trailers in FULL_DUPLEX_STREAMED.
        made["processing_mode"] = filters.processing_mode(dice, filters.BODY_MODES) | wanted_modes
    if dice.chance(0.3):
        made["failure_mode_allow"] = dice.chance(0.6)
    for name in ("request_attributes", "response_attributes"):
        if dice.chance(0.12):
            made[name] = dice.some(filters.ATTRIBUTES, 3, 1)
    if dice.chance(0.3):
        made["metadata_options"] = filters.metadata_options(dice, least=0)
    if dice.chance(0.15):
        made["grpc_service"] = {"initial_metadata": call_metadata(dice, "service")}
    if dice.chance(0.25):
        made["grpc_initial_metadata"] = call_metadata(dice, "route")
    return {"overrides": made}
