"""h2spec's generic and http2 suites. Every case that may fail is listed, with the reason, in h2spec_expected.txt."""

import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

from harness import paths

EXPECTED = Path(__file__).parent / "h2spec_expected.txt"
TIMEOUT_OF_A_CASE = 1


def expected_failures() -> set[str]:
    """Lines of "case: reason"; a case is named as in the report."""
    lines = EXPECTED.read_text().splitlines()
    return {line.split(" | ")[0].strip() for line in lines if line.strip() and not line.startswith("#")}


def test_h2spec(trivial, tmp_path):
    report = tmp_path / "h2spec.xml"
    command = [paths.tool("h2spec"), "-h", "127.0.0.1", "-p", str(trivial.address), "-o", str(TIMEOUT_OF_A_CASE)]
    run = subprocess.run(
        [*command, "-j", report, "generic", "http2"], capture_output=True, text=True, timeout=180, check=False
    )
    failures, cases = {}, 0
    for suite in xml.parse(report).getroot().iter("testsuite"):
        for number, case in enumerate(suite.iter("testcase"), start=1):
            cases += 1
            problem = case.find("failure") if case.find("failure") is not None else case.find("error")
            if problem is not None:
                failures[f"{suite.get('package')}/{number}"] = case.get("classname")
    assert cases > 130, run.stdout[-2000:]
    expected = expected_failures()
    unexpected = {name: what for name, what in failures.items() if name not in expected}
    assert not unexpected, run.stdout[-6000:]
    assert expected <= failures.keys(), f"listed as failing, but they pass: {expected - failures.keys()}"
    trivial.process.check_alive()
