"""Random cases: what chance decides is played by the test kit's Envoy and a real one, and must end alike.

RANDOM_SEED and RANDOM_CASES choose others than those of the gate; scripts/random_cases.sh plays thousands, shrinks what differs
and tells what was reached.
"""

import os
import re
import signal

import pytest

from harness import case_player, case_runs, paths
from harness.processes import Process
from harness.random_cases import answers, cells, circumstances, compare, exchanges, filters, make, report, routes, shrink
from harness.random_cases.cells import Cell

SEED = os.environ.get("RANDOM_SEED", "gate")
COUNT = int(os.environ.get("RANDOM_CASES", "300"))
FILTER_READER = paths.REPOSITORY / "src" / "envoy" / "filter_reader.cc"
NOT_MADE = {
    # The service, which the players put in.
    *("http_service", "google_grpc", "envoy_grpc", "cluster_name", "timeout", "retry_policy"),
    # Extensions, which the kit does not play.
    *("custom", "on_processing_response", "processing_request_modifier"),
}


@pytest.mark.parametrize("first", range(0, COUNT, compare.BATCH))
def test_the_kit_does_what_envoy_does_with_what_chance_decides(first):
    found = compare.Found()
    compare.check([make.case(SEED, number) for number in range(first, min(first + compare.BATCH, COUNT))], found)
    assert not found.differences, "\n".join(map(report.difference, found.differences))
    assert not found.crashes, "Envoy itself crashed: " + "\n".join(map(report.as_yaml, found.crashes))
    assert found.played and found.reached


def test_a_case_of_which_envoy_dies_is_named_and_the_others_are_compared(monkeypatch):
    cases = [make.case(5, number) for number in range(9)]
    play_it = case_player.Play.run

    async def run(play):
        if play.case.data["request"].get("body") == ["fatal"]:
            Process.running[-1].signal(signal.SIGKILL)
        return await play_it(play)

    monkeypatch.setattr(case_player.Play, "run", run)
    cases[6]["request"]["body"] = ["fatal"]
    found = compare.Found()
    played = compare.play(cases, found)
    assert [both.case["name"] for both in played if both.crashed] == [cases[6]["name"]]
    assert found.crashes == [cases[6]] and found.played == 9
    assert all(both.envoy["caller"] for both in played if both is not played[6])


def test_a_case_is_the_same_each_time():
    made = [make.case(7, number) for number in range(100)]
    assert sum("library" in case for case in made) == 20
    assert made == [make.case(7, number) for number in range(100)]
    assert made != [{**make.case(8, number), "name": f"7-{number}"} for number in range(100)]


def test_every_field_of_an_answer_has_a_maker():
    fields = set()

    def walk(message) -> None:
        # A mode has a maker as a whole.
        for field in message.fields if message.name != "ProcessingMode" else ():
            inner = field.message_type
            is_new = f"{message.name}.{field.name}" not in fields
            fields.add(f"{message.name}.{field.name}")
            if is_new and inner is not None and not inner.GetOptions().map_entry and "google.protobuf" not in inner.full_name:
                walk(inner)

    walk(answers.RESPONSE)
    assert fields == set(answers.FIELDS)


def test_every_field_of_the_filter_and_of_a_route_that_the_kit_knows_is_made():
    read = re.findall(r"(?:\.\w+(?:<[\w:<>]+>)?\(|read_\w+\(\w+, )\"([a-z_]+)\"", FILTER_READER.read_text())
    made: set[str] = set()

    def collect(node) -> None:
        made.update(node if isinstance(node, dict) else ())
        for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            collect(item)

    for number in range(3000):
        case = make.case(1, number)
        collect([case["filter"], case.get("per_route")])
    assert len(set(read)) > 45
    assert set(read) - made == NOT_MADE


def test_each_cell_has_a_case_that_aims_at_it():
    aimed = {make.target(1, number) for number in range(2 * len(make.TARGETS))}
    assert aimed - {None} == set(cells.reachable())


def test_configurations_and_exchanges_are_such_as_envoy_takes():
    made = [make.case(2, number) for number in range(2000)]
    assert all(shrink.is_playable(case) for case in made)
    assert not filters.is_valid({"processing_mode": {"request_body_mode": filters.DUPLEX}})
    liar = {"headers": [["content-length", "4"]], "body": ["abc"]}
    assert exchanges.is_fair({"request": liar})
    assert not exchanges.is_fair({"request": {**liar, "pacing": "together"}})
    assert not exchanges.is_fair({"request": {"headers": [["upgrade", "websocket"]]}})
    assert not exchanges.is_fair({"request": {}, "upstream": {"headers": [[":status", "101"], *circumstances.SWITCHING]}})
    assert not exchanges.is_fair({"request": {"open": True, "trailers": [["x-t", "1"]]}})
    assert not routes.are_valid([{}])
    assert {part for case in made for part in ("request", "upstream") if exchanges.lies(case[part])} == {"request", "upstream"}


def test_each_circumstance_is_drawn_and_most_cases_are_none():
    drawn = [circumstances.found_in(make.case(4, number)) for number in range(2000)]
    assert set().union(*drawn) == set(cells.CIRCUMSTANCES) == set(circumstances.CHANCES)
    assert len(drawn) * 0.6 < drawn.count(set()) < len(drawn) * 0.8


def test_the_mode_that_counts_is_the_routes():
    def mode(*messages: dict) -> dict | None:
        return routes.effective_mode({"filter": {"processing_mode": {"request_body_mode": "STREAMED"}}, "per_route": list(messages)})

    of_a_route = {"overrides": {"processing_mode": {"response_body_mode": "BUFFERED"}}}
    assert mode() == mode({"overrides": {}}) == {"request_body_mode": "STREAMED"}
    assert mode(of_a_route) == mode(of_a_route, {"overrides": {}}) == {"response_body_mode": "BUFFERED"}
    assert mode(of_a_route, {"disabled": True}) is None
    assert mode(of_a_route, {"disabled": True}, {"overrides": {}}) == {"request_body_mode": "STREAMED"}


def test_what_was_reached_is_told_by_what_was_answered():
    reached = cells.reached_by(
        {"request_body_mode": "STREAMED"},
        {"later"},
        [("request_body", {"request_body": {"response": {"status": "CONTINUE"}}}), ("response_headers", None)],
    )
    assert reached == {
        Cell("request_body.response.status", "request_body", "STREAMED"),
        Cell("silence", "response_headers", "NONE"),
        Cell("later", "request_body", "STREAMED"),
        Cell("later", "response_headers", "NONE"),
    }


def test_the_shrinker_leaves_what_makes_the_difference():
    def differs(cases: list[dict]) -> list[bool]:
        return [
            case["filter"].get("failure_mode_allow") is True
            and any("end" in action for step in case["processor"] for action in step["do"])
            and ["x-one", "1"] in case["request"]["headers"]
            for case in cases
        ]

    culprit = {"phase": "request_headers", "do": [{"wait": 0.1}, {"end": {"status": 13}}]}
    candidates = [make.case(3, number) for number in range(40)]
    candidates = [case for case in candidates if "processor" in case and ["x-one", "1"] in case["request"]["headers"]][:5]
    for case in candidates:
        case["filter"]["failure_mode_allow"] = True
        case["processor"].append(culprit)
    others = [make.case(3, number) for number in range(400)]
    for name in cells.CIRCUMSTANCES:
        candidates.append(next(case for case in others if "processor" in case and name in circumstances.found_in(case)))
    for case in candidates[-len(cells.CIRCUMSTANCES) :]:
        case["filter"]["failure_mode_allow"] = True
        case["processor"].append(culprit)
        case["request"]["headers"].append(["x-one", "1"])
    for small in shrink.shrink(candidates, differs):
        assert not circumstances.found_in(small)
        assert {**small["filter"], "message_timeout": 0} == {"failure_mode_allow": True, "message_timeout": 0}
        assert len(small["request"]["headers"]) == 5 and small["request"]["headers"][4] == ["x-one", "1"]
        assert [action for step in small["processor"] for action in step["do"]] == [{"end": {}}]
        assert not {"body", "trailers"} & ({*small["request"]} | {*small["upstream"]})
