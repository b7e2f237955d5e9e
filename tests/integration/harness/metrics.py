"""What a server shows at --metrics, read as Prometheus's own parsers read it."""

import shutil
import subprocess
import urllib.error
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from harness import paths
from harness.extproc import Extproc
from harness.processes import Launcher, eventually, free_port

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def get(port: int, path: str = "/metrics", accept: str | None = None) -> tuple[int, str, str]:
    """Status, content type and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept} if accept else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def lint(text: str) -> str:
    """What `promtool check metrics` finds."""
    program = shutil.which("promtool")
    if program is None:
        raise paths.NotFound("promtool is not installed: run scripts/install.sh test")
    run = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
    return run.stdout + run.stderr + ("" if run.returncode == 0 else f"exit code {run.returncode}")


class Scrape:
    """All samples of one scrape. One series that is there twice is an error."""

    def __init__(self, text: str, openmetrics: bool = False):
        self.samples: dict[tuple, float] = {}
        self.exemplars = {}
        families = openmetrics_families if openmetrics else text_families
        self.families = {family.name: family for family in families(text)}
        for family in self.families.values():
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} is there twice"
                self.samples[key] = sample.value
                if sample.exemplar:
                    self.exemplars[key] = sample.exemplar

    def of(self, name: str, **labels: str) -> dict[frozenset, float]:
        """The series of a name with these labels, and perhaps others."""
        wanted = set(labels.items())
        return {series: value for (key, series), value in self.samples.items() if key == name and wanted <= series}

    def value(self, name: str, **labels: str) -> float:
        """The sum over those series; there is one at least."""
        series = self.of(name, **labels)
        assert series, f"no series {name} {labels}"
        return sum(series.values())

    def counted(self, name: str, *labels: str) -> dict[tuple, float]:
        """By the values of these labels, what is not 0."""
        counts: dict[tuple, float] = {}
        for series, value in self.of(name).items():
            key = tuple(dict(series)[label] for label in labels)
            counts[key] = counts.get(key, 0) + value
        return {key: value for key, value in counts.items() if value}

    def label_values(self) -> set[str]:
        return {value for _, series in self.samples for _, value in series}


class Measured(Extproc):
    """`extproc serve --metrics`."""

    def __init__(self, launcher: Launcher, service: str, arguments: tuple = (), **options):
        self.metrics_port = free_port()
        super().__init__(launcher, service, ("--metrics", f"127.0.0.1:{self.metrics_port}", *arguments), **options)
        self.process.wait_for_log("shows metrics on")

    def scrape(self) -> Scrape:
        status, _, text = get(self.metrics_port)
        assert status == 200, text
        return Scrape(text)

    def scrape_when(self, condition, what: str) -> Scrape:
        """The first of which the condition is true."""

        def find() -> Scrape | None:
            found = self.scrape()
            return found if condition(found) else None

        return eventually(find, what)
