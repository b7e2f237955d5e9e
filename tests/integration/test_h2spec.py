"""h2spec's generic and http2 suites. Every case that fails is listed, with the reason, in h2spec_expected.txt."""

import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

from harness import paths
from harness.collector import collector

EXPECTED = Path(__file__).parent / "h2spec_expected.txt"
SECONDS_FOR_A_CASE = "1"


def expected_failures() -> set[str]:
    lines = EXPECTED.read_text().splitlines()
    return {line.partition(" | ")[0] for line in lines if line and not line.startswith("#")}


def run_h2spec(port: int, report: Path) -> str:
    command = [paths.tool("h2spec"), "-p", str(port), "-o", SECONDS_FOR_A_CASE, "-j", str(report), "generic", "http2", "hpack"]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False).stdout


def cases_of(report: Path) -> dict[str, bool]:
    """Each case, "<package>/<number>", and whether it failed."""
    cases = {}
    for suite in xml.parse(report).getroot().iter("testsuite"):
        for number, case in enumerate(suite.iter("testcase"), start=1):
            failed = case.find("failure") is not None or case.find("error") is not None
            cases[f"{suite.get('package')}/{number}"] = failed
    return cases


def test_h2spec(trivial, tmp_path):
    # h2spec sends a request and then, with another write, what is wrong with it. Its requests get their 415 at once, so
    # whether the second finds the stream still open would be a matter of luck: they go in one piece.
    with collector(trivial.address) as port:
        output = run_h2spec(port, tmp_path / "report.xml")
    cases = cases_of(tmp_path / "report.xml")
    assert len(cases) > 130, output
    failed = {name for name, is_failed in cases.items() if is_failed}
    assert failed - expected_failures() == set(), output[output.rfind("Failures:") :]
    assert expected_failures() - failed == set(), "these are listed as failing, and pass"
    trivial.process.check_alive()
