"""The alert rules, the dashboard and what docs/operations.md says of them, without a server."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from harness import paths
from harness.prometheus import RULES, promtool

PAGE = (paths.REPOSITORY / "docs" / "operations.md").read_text()
GRAFANA = paths.REPOSITORY / "deploy" / "grafana"
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((RULES / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_promtool_finds_nothing_in_the_rules():
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_do_as_their_tests_say():
    tested = promtool("test", "rules", "rules_test.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_alert_is_seen_to_fire_and_not_to():
    fires, quiet = set(), set()
    for test in yaml.safe_load((RULES / "rules_test.yaml").read_text())["tests"]:
        for case in test.get("alert_rule_test", []):
            (fires if case["exp_alerts"] else quiet).add(case["alertname"])
    assert fires == quiet == set(ALERTS)


def test_a_rule_that_is_wrong_fails_its_test(tmp_path):
    """The tests above can fail."""
    text = (RULES / "rules.yaml").read_text()
    assert "ratio5m > 0.05" in text
    (tmp_path / "rules.yaml").write_text(text.replace("ratio5m > 0.05", "ratio5m > 0.5"))
    (tmp_path / "rules_test.yaml").write_text((RULES / "rules_test.yaml").read_text())
    tested = promtool("test", "rules", "rules_test.yaml", folder=tmp_path)
    assert tested.returncode != 0
    assert "ExtprocErrors fires" in tested.stdout + tested.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_says_what_to_do(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, section = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/operations.md"
    assert section in {anchor(heading) for heading in re.findall(r"^### (.*)$", PAGE, re.M)}
    (row,) = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{name}`" in line]
    _, _, severity, _, what, _ = row.split("|")
    assert severity.strip() == rule["labels"]["severity"]
    assert f"#{section})" in what


def test_the_page_names_no_other_alert():
    assert set(re.findall(r"`(Extproc\w+)`", PAGE)) == set(ALERTS)


def test_the_dashboard_is_the_one_that_is_written():
    checked = subprocess.run([sys.executable, GRAFANA / "make_dashboard.py", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_panels_of_the_dashboard_do_not_overlap():
    cells = []
    panels = json.loads((GRAFANA / "extproc.json").read_text())["panels"]
    for place in (panel["gridPos"] for panel in panels):
        assert place["x"] + place["w"] <= 24
        cells += [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)
