"""What the processor does: steps of a script, mostly legal."""

from harness.random_cases import answers, exchanges
from harness.random_cases.answers import PHASES, Place
from harness.random_cases.dice import Dice

# How many things may be wrong in a case: one that dies at once shows little.
FAULTS = {0: 5, 1: 4, 2: 1}
DEEDS = {
    "strange": 5,
    "wrong_phase": 1.5,
    "immediate": 1.5,
    "streamed_immediate": 0.8,
    "nothing_set": 0.3,
    "twice": 0.6,
    "silence": 0.5,
    "late": 0.5,
    "end": 0.8,
    "reset": 0.4,
    "override_timeout": 0.6,
    "early": 0.5,
}
# Without these it would be none any more, which the players, who speak HTTP/2, cannot play.
OF_UPGRADES = ("connection", "upgrade", ":method")
GRPC_STATUSES = {0: 4, 13: 1, 14: 1, 1: 0.5, 2: 0.5, 16: 0.3}


class Script:
    """Makes the steps of one case; `modes` are the body modes by side, `chunks` the pieces of body by side."""

    def __init__(self, dice: Dice, modes: dict[str, str], case: dict):
        self._dice = dice
        self._modes = modes
        self._case = case
        self._faults = dice.weighted(FAULTS)

    def generate(self, focus: tuple[str, dict] | None) -> list[dict]:
        """`focus`: a phase, and what must be done about its first message."""
        steps = []
        for phase in PHASES:
            count = 1 if not phase.endswith("body") else self._dice.number(0, 3)
            for index in range(count):
                focused = focus is not None and focus[0] == phase and index == 0
                if focused or self._dice.chance(0.55):
                    steps.append({"phase": phase, "do": self._deed(phase, index, focus[1] if focused else None)})
                elif focus is not None and phase == focus[0]:
                    continue
        if focus is not None and not any(step["phase"] == focus[0] for step in steps):
            steps.append({"phase": focus[0], "do": self._deed(focus[0], 0, focus[1])})
        return steps

    def _deed(self, phase: str, index: int, focus: dict | None) -> list[dict]:
        if focus is not None:
            return self._do(focus["deed"], phase, index, focus)
        if self._faults and self._dice.chance(0.3):
            self._faults -= 1
            return self._do(self._dice.weighted(DEEDS), phase, index, {})
        actions = [self._answer(phase, index)]
        if self._dice.chance(0.04):
            actions.insert(0, {"wait": 0.1})
        return actions

    def _do(self, deed: str, phase: str, index: int, focus: dict) -> list[dict]:
        wanted = focus.get("wanted", ())
        other = focus.get("kind") or self._dice.pick([other for other in PHASES if other != phase])
        wait = {"wait": 0.1}
        match deed:
            case "plain":
                return [self._answer(phase, index, wanted=wanted)]
            case "strange":
                return [self._answer(phase, index, illegal=True, wanted=wanted)]
            case "wrong_phase":
                # Envoy may let it pass, and still wait for the right one.
                wrong = self._answer(phase, index, kind=other)
                return [wrong, wait, self._answer(phase, index)] if self._dice.chance(0.5) else [wrong]
            case "immediate":
                answer = self._answer(phase, index, kind="immediate_response", illegal=self._dice.chance(0.5), wanted=wanted)
                return [answer] if self._dice.chance(0.8) else [wait, answer]
            case "streamed_immediate":
                return self._streamed(phase, index, wanted)
            case "nothing_set":
                return [self._answer(phase, index, kind=None, illegal=True)]
            case "twice":
                return [self._answer(phase, index), wait, self._answer(phase, index)]
            case "silence":
                return []
            case "late":
                return [{"wait": LATE}, self._answer(phase, index)]
            case "end":
                end = self._end()
                # What is aimed at must not come too late.
                return [end] if focus else self._dice.pick(([end], [self._answer(phase, index), wait, end], [wait, end]))
            case "reset":
                return [{"reset": self._dice.pick((0, 2, 8, 11, 7, 12))}]
            case "override_timeout":
                override: dict = {"override_message_timeout": self._dice.pick(answers.DURATIONS)}
                if self._dice.chance(0.3):
                    override |= self._answer(phase, index)
                return [override, self._dice.pick((wait, {"wait": LATE})), self._answer(phase, index)]
            case "early":
                following = PHASES[(PHASES.index(phase) + self._dice.number(1, 2)) % len(PHASES)]
                return [self._answer(phase, index), wait, self._answer(following, 0)]
        raise ValueError(deed)

    def _end(self) -> dict:
        status = self._dice.weighted(GRPC_STATUSES)
        end: dict = {"status": status}
        if status and self._dice.chance(0.5):
            end["message"] = "away"
        return {"end": end}

    def _answer(self, phase: str, index: int, kind: str | None = "", illegal: bool = False, wanted: tuple = ()) -> dict:
        side = phase.partition("_")[0]
        message = self._case.get("request" if side == "request" else "upstream", {})
        last = index + 1 >= len(message.get("body", [])) and "trailers" not in message
        place = Place(
            dice=self._dice,
            phase=phase,
            duplex=self._modes.get(side) == "FULL_DUPLEX_STREAMED",
            last=last,
            illegal=illegal,
            kept=OF_UPGRADES if exchanges.is_upgrade(self._case["request"]) else (),
            routing=bool({"allow_all_routing", "allow_expression"} & {*self._case["filter"].get("mutation_rules", {})}),
            wanted=wanted,
        )
        return answers.generate(place, phase if kind == "" else kind)

    def _streamed(self, phase: str, index: int, wanted: tuple) -> list[dict]:
        """A whole response in pieces, or one piece of it."""
        kind = "streamed_immediate_response"
        if wanted[:1] == (kind,) and wanted[1:2] != ("headers_response",) or self._dice.chance(0.3):
            first = [self._whole_headers()] if self._dice.chance(0.5) else []
            return [*first, self._answer(phase, index, kind=kind, illegal=True, wanted=wanted)]
        if self._dice.chance(0.4):
            return [self._answer(phase, index, kind=kind, illegal=True, wanted=wanted)]
        pieces = [self._whole_headers() if not wanted else self._answer(phase, index, kind=kind, wanted=wanted)]
        if "trailers" in self._case["request"]:
            # Envoy may ask about those, which must not race with the end.
            pieces.append({"wait": 0.1})
        for _ in range(self._dice.number(0, 2)):
            pieces.append({kind: {"body_response": {"body": "abc"}}})
        if self._dice.chance(0.3):
            pieces.append({kind: {"trailers_response": {"headers": [{"key": "x-t", "raw_value": "1"}]}}})
        else:
            pieces.append({kind: {"body_response": {"body": "end", "end_of_stream": True}}})
        return pieces

    def _whole_headers(self) -> dict:
        headers = [{"key": ":status", "raw_value": self._dice.pick(("200", "404"))}, {"key": "x-new", "raw_value": "v"}]
        return {"streamed_immediate_response": {"headers_response": {"headers": {"headers": headers}}}}


# Longer than the time-out of a case that waits for one.
LATE = 2.5
TIMEOUT = "1s"


def waits_for_a_timeout(case: dict) -> bool:
    """Whether an answer may stay away, so that only a time-out goes on."""
    return any(not any(_answers(step["phase"], action) for action in step["do"]) or late(step) for step in case.get("processor", []))


def waits(case: dict) -> bool:
    """Whether Envoy has to hold what comes."""
    return any(not step["do"] or any("wait" in action for action in step["do"]) for step in case["processor"])


def late(step: dict) -> bool:
    return any(action.get("wait", 0) == LATE for action in step["do"])


def _answers(phase: str, action: dict) -> bool:
    enough = (phase, "immediate_response", "streamed_immediate_response", "end", "reset")
    return "override_message_timeout" not in action and any(kind in action for kind in enough)
