"""What is asked of each gateway: the same, whoever has configured Envoy."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable

from pods import Pods

from harness import http
from harness.processes import eventually

PORT = 8080
# Of the example processor.
MARK = "x-extra-request-id"
# Names are looked up every 5 s; a control plane takes its time as well.
SOON = 60
# Until a control plane on a busy machine has read all and started Envoy.
START = 240
CALLERS = 8


def ask() -> tuple[int, bool]:
    """The status, and whether the response was processed."""
    try:
        response = http.request(PORT, "GET", "/shop", timeout=5)
    except (OSError, TimeoutError):
        return 0, False
    return response.status, response.get(MARK) is not None


def wait_for(expected: Callable[[tuple[int, bool]], bool], what: str, alive: Callable[[], None], seconds: float = SOON) -> None:
    """Until three answers in a row are as expected."""

    def three() -> bool:
        alive()
        time.sleep(0.1)
        return all(expected(ask()) for _ in range(3))

    try:
        eventually(three, what, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; the last answer: {ask()}") from None


def statistics(admin_port: int, pattern: str) -> dict[str, int]:
    """Counters and gauges of an Envoy whose names match."""
    stats = http.request(admin_port, "GET", "/stats?format=json").json()["stats"]
    return {stat["name"]: stat["value"] for stat in stats if "value" in stat and re.search(pattern, stat["name"])}


def check_health_is_seen(statistics: Callable[[str], dict[str, int]], cluster: str, count: int) -> None:
    """By Envoy, of so many replicas; it never asked one that is not healthy."""
    healthy = rf"^cluster\.{cluster}\.membership_healthy$"
    eventually(lambda: list(statistics(healthy).values()) == [count], f"{count} healthy replicas", SOON)
    panic = statistics(rf"^cluster\.{cluster}\.lb_healthy_panic$")
    assert len(panic) == 1 and sum(panic.values()) == 0, panic


def processed(answer: tuple[int, bool]) -> bool:
    return answer == (200, True)


def unprocessed(answer: tuple[int, bool]) -> bool:
    return answer == (200, False)


def failed(answer: tuple[int, bool]) -> bool:
    return answer[0] in (500, 503, 504)


class Load:
    """Requests without a break; counts answers by status and whether they were processed."""

    def __init__(self):
        self.answers: Counter = Counter()
        self.lost: list[str] = []
        self._began = time.monotonic()
        self._stopped = False

    async def _call(self) -> None:
        connection = await http.Connection.open(PORT)
        while not self._stopped:
            response = await connection.request("GET", "/load")
            answer = response.status, response.get(MARK) is not None
            self.answers[answer] += 1
            if answer != (200, True):
                self.lost.append(f"{self.time():.2f} s: {answer} {response.body[:100]!r}")
        connection.close()

    def time(self) -> float:
        return time.monotonic() - self._began

    async def during(self, change: Callable[[], None]) -> None:
        """Goes on while the change is made, which may block, and for some seconds behind it."""
        calls = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        await asyncio.sleep(1)
        await asyncio.to_thread(change)
        await asyncio.sleep(8)
        self._stopped = True
        await asyncio.gather(*calls)


def replace_one_under_load(pods: Pods) -> None:
    """As a rolling update does: another is ready, then one goes. No request is lost, and none passes unprocessed."""
    load, events = Load(), []

    def replace() -> None:
        pods.start()
        events.append(f"{load.time():.2f} s: another is ready")
        time.sleep(1)
        old = pods.running[0]
        pods.end(old)
        events.append(f"{load.time():.2f} s: SIGTERM")
        assert old.process.wait(40) == 0
        events.append(f"{load.time():.2f} s: it has ended")

    asyncio.run(load.during(replace))
    print(f"{sum(load.answers.values())} requests while one replica took over from another ({'; '.join(events)}): {len(load.lost)} lost")
    assert not load.lost, "\n".join([*events, *load.lost[:20]])
    assert load.answers[200, True] > 500
