"""What is asked of replicas. Each gives a table and its figures, and raises BenchError where a request is lost that should not be."""

import sys
import time

from harness.envoy import Envoy
from harness.processes import Launcher, eventually, free_port

from lib.errors import BenchError
from lib.loads import IdleStreams, Messages
from lib.scale.load import HEAD, Load, Request, Window
from lib.scale.setting import CAPACITY, QUICK, WAIT, WAITING, Replica, Setting, write_endpoints
from lib.table import Table, number

_WARM = 2
_SETTLED = 12


def _say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)


def more_replicas(launcher: Launcher) -> tuple[Table, dict]:
    """The same load on 1, 2 and 4 replicas: three times what one can do."""
    rate, seconds = 3 * CAPACITY, 15
    rows, figures = [], {}
    setting = Setting(launcher)
    replicas: list[Replica] = []
    for count in (1, 2, 4):
        while len(replicas) < count:
            replicas.append(Replica(launcher, WAITING))
        setting.tell(*replicas)
        load = Load(launcher, setting.port, rate, _WARM + seconds, (WAIT,))
        window = Window.of(load.requests(), load.began + _WARM, load.began + _WARM + seconds)
        rows.append([f"{count}", f"{count * CAPACITY:,}", f"{rate:,}", *window.row()])
        figures[count] = vars(window)
        _say(" ".join(rows[-1]))
    return Table("The same load on more replicas", ["replicas", "they can do/s", "offered/s", *HEAD], rows), figures


def come_and_go(launcher: Launcher) -> tuple[Table, dict]:
    """Replicas are added, drained and killed under a load of one and a half replicas."""
    rate = CAPACITY * 3 // 2
    setting = Setting(launcher)
    two = [Replica(launcher, WAITING) for _ in range(2)]
    setting.tell(*two)
    load = Load(launcher, setting.port, rate, 50, (WAIT,))
    times = {"two replicas": load.at(_WARM)}
    load.at(10)
    more = [Replica(launcher, WAITING) for _ in range(2)]
    times["two more are added"] = time.time()
    setting.tell(*two, *more)
    times["one is drained"] = load.at(20)
    # As a Pod is deleted: both at once.
    two[0].drain()
    setting.tell_only(two[1], *more)
    if two[0].process.wait(30) != 0:
        raise BenchError("the replica that was drained did not end well")
    times["three are left"] = load.at(30)
    times["one is killed"] = killed = load.at(40)
    two[1].kill()
    setting.tell_only(*more)
    requests = load.requests()
    rows, figures = [], {}
    ends = [*list(times.values())[1:], load.began + 50 - 1]
    for (name, begin), end in zip(times.items(), ends, strict=True):
        window = Window.of(requests, begin, end)
        rows.append([name, f"{end - begin:.0f}", *window.row()])
        figures[name] = vars(window)
    lost = [one for one in requests if not one.good and one.start >= load.began]
    _check_lost(lost, killed)
    figures["in flight when one was killed"] = flying = sum(one.start <= killed < one.end for one in requests)
    figures["of these lost"] = len(lost)
    _say(f"{flying} requests were in flight when one was killed, and {len(lost)} were lost")
    return Table("Replicas come and go", ["", "s", *HEAD], rows), figures


def _check_lost(lost: list[Request], killed: float) -> None:
    """A stream that had begun on the one that is killed is lost; what begins behind that moment is not."""
    # Signal, h2load's clock and Envoy's are milliseconds apart.
    others = [one for one in lost if not one.start - 0.02 <= killed <= one.end + 0.02]
    if others:
        told = ", ".join(f"{one.status} at {one.start - killed:+.3f} s" for one in others[:10])
        raise BenchError(
            f"{len(others)} requests were lost that were not in flight when a replica was killed (if the machine does something else, again without that): {told}"
        )


def connection_age(launcher: Launcher) -> tuple[Table, dict]:
    """Behind one address, as a Service with a cluster IP has it, a replica that is added gets load as connections end."""
    rows, figures = [], {}
    for age in (None, 5):
        flags = ("--max-connection-age", age) if age else ()
        replicas = [Replica(launcher, QUICK, *flags) for _ in range(2)]
        balancer = Balancer(launcher, replicas)
        setting = Setting(launcher)
        setting.tell(balancer)
        load = Load(launcher, setting.port, 400, 40)
        load.at(_WARM)
        new = Replica(launcher, QUICK, *flags)
        balancer.tell(*replicas, new)
        load.at(_SETTLED)
        before = [one.streams() for one in (*replicas, new)]
        load.at(_SETTLED + 25)
        done = [one.streams() - earlier for one, earlier in zip((*replicas, new), before, strict=True)]
        share = done[-1] / max(1, sum(done))
        lost = sum(not one.good for one in load.requests())
        name = f"{age} s" if age else "any"
        rows.append([name, f"{100 * share:.0f} %", f"{lost}"])
        figures[name] = {"share": share, "lost": lost}
        _say(" ".join(rows[-1]))
        if lost:
            raise BenchError(f"{lost} requests were lost while connections ended")
        launcher.stop_all()
    head = ["--max-connection-age", "its share", "lost"]
    return Table("A third replica behind one address", head, rows), figures


class Balancer:
    """One address in front of replicas, which gives each connection to one of them: what kube-proxy does for a cluster IP."""

    def __init__(self, launcher: Launcher, replicas: list[Replica]):
        port, admin = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self._file = launcher.folder / f"balanced-{port}.json"
        self.tell(*replicas)
        source = {"path_config_source": {"path": str(self._file)}, "resource_api_version": "V3"}
        proxy = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "tcp", "cluster": "replicas"}
        Envoy(launcher, {
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
            "node": {"id": "balancer", "cluster": "balancer"},
            "static_resources": {
                "listeners": [{
                    "name": "tcp", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                    "filter_chains": [{"filters": [{"name": "tcp", "typed_config": proxy}]}],
                }],
                "clusters": [{
                    "name": "replicas", "type": "EDS", "lb_policy": "RANDOM", "connect_timeout": "1s", "eds_cluster_config": {"eds_config": source},
                }],
            },
        }, admin)  # fmt: skip

    def tell(self, *replicas: Replica) -> None:
        write_endpoints(self._file, "replicas", [replica.address for replica in replicas])


def sidecar_or_shared(launcher: Launcher) -> tuple[Table, dict]:
    """A replica beside Envoy on a Unix domain socket, and one that is reached by TCP, as others share it."""
    rate, seconds = 500, 15
    rows, figures = [], {}
    for name, socket in (("Unix domain socket", launcher.folder / "sidecar.sock"), ("TCP", None)):
        replica = Replica(launcher, QUICK, socket=str(socket) if socket else None)
        setting = Setting(launcher, request_headers_only=False)
        setting.tell(replica)
        load = Load(launcher, setting.port, rate, _WARM + seconds)
        load.at(_WARM)
        cpu = replica.cpu_seconds()
        load.at(_WARM + seconds)
        cpu = replica.cpu_seconds() - cpu
        window = Window.of(load.requests(), load.began + _WARM, load.began + _WARM + seconds)
        rows.append([name, *window.row(), f"{1e6 * cpu / (rate * seconds):.0f}"])
        figures[name] = {**vars(window), "cpu_us": 1e6 * cpu / (rate * seconds)}
        _say(" ".join(rows[-1]))
        if window.lost:
            raise BenchError(f"{window.lost} requests were lost by {name}")
    return Table("Beside Envoy, or shared", ["", *HEAD, "its CPU us"], rows), figures


def open_streams(launcher: Launcher) -> tuple[Table, dict]:
    """How many streams one replica carries at once, as those of uploads, websockets and events: each waits for its next message."""
    rows, figures = [], {}
    for count in (1_000, 10_000, 100_000):
        replica = Replica(launcher, QUICK, "--streams-per-connection", 1000)
        empty = replica.process.resident_kib()
        streams = IdleStreams(Messages(launcher.folder), replica.address, count, max(2, count // 800))
        try:
            full = eventually(replica.process.resident_kib, "its memory")
            began = time.monotonic()
            healthy = replica.healthy()
            asked = 1e3 * (time.monotonic() - began)
            streams.close()
            streams.end()
        finally:
            streams.kill()
        if not healthy:
            raise BenchError(f"a replica with {count} open streams is not healthy")
        rows.append([f"{count:,}", f"{empty / 1024:.1f}", f"{full / 1024:.1f}", number((full - empty) / count), number(asked)])
        figures[count] = {"empty_kib": empty, "kib": full, "health_ms": asked}
        _say(" ".join(rows[-1]))
        replica.process.stop()
    return Table("Open streams of one replica", ["streams", "MiB without", "MiB with", "KiB each", "extproc health ms"], rows), figures


ALL = (more_replicas, come_and_go, connection_age, sidecar_or_shared, open_streams)
