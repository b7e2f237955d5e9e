"""The tables of what processors of examples/production cost."""

from lib.plan import GATEWAY, GATEWAY_GO, GATEWAY_NONE, GATEWAY_PYTHON
from lib.results import Results
from lib.table import Table, interval, number


def production_table(results: Results) -> Table:
    head = ["production", "CPU/stream without us", "with it us", "added us", "openssl verifies us", "added beyond it us"]
    rows = []
    for case in results.cases("production"):
        way = f"production.{case.partition(',')[0]}"

        def median(value: str, case: str = case, way: str = way) -> str:
            return number(results.median("production", case, way, value))

        added = interval(results.estimate("production", case, way, "added_us"))
        rows.append([case, median("without_us"), median("cpu_us_per_stream"), added, median("verify_us"), median("beyond_verify_us")])
    return Table("Processors of examples/production, straight to the server", head, rows)


def gateway_table(results: Results) -> Table:
    head = ["gateway", "first byte p50 us", "p99 us", "added p50 us", "added p99 us", "last byte p50 us", "server CPU us", "Envoy CPU us"]
    values = ("first_p50_us", "first_p99_us", "added_first_p50_us", "added_first_p99_us", "whole_p50_us", "cpu_us", "envoy_cpu_us")
    rows = [
        [way, *(number(results.median("gateway", case, way, value)) for value in values)]
        for case in results.cases("gateway")
        for way in (GATEWAY_NONE, GATEWAY, GATEWAY_GO, GATEWAY_PYTHON)
        if results.median("gateway", case, way, "first_p50_us") is not None
    ]
    return Table("A gateway to language models: the first event of a streamed answer, one connection", head, rows)
