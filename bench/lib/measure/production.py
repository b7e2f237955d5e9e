"""What processors of examples/production add to a stream, straight to the server: a call log, and JwtAuth with a key that it has,
beside what OpenSSL alone takes to verify such a signature."""

from dataclasses import dataclass

from grpc_health.v1 import health_pb2
from harness import grpc_client, issuer
from harness.processes import eventually, free_port
from harness.served_file import ServedFile

from lib import loads, openssl, servers
from lib.errors import BenchError, Missing, WrongAnswer
from lib.meter import Window
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS, order
from lib.session import Session, count_for

NAME = "production"
_ALGORITHMS = ("RS256", "ES256")
_NONE = "no processor"
# The same of all, so that the processor is all that differs: streams are not ended before their second message.
_COMMON = {"threads": 1, "early_end": False, "reveal_chain": False}
_START_SECONDS = 20


@dataclass(frozen=True)
class _Case:
    name: str
    processor: str
    own: dict
    headers: tuple[tuple[str, str], ...] = ()
    """Of the requests, besides Envoy's."""
    algorithm: str = ""
    """Of the token among them."""


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    for target in ("extproc_command", "production"):
        servers.cmake_target(target, target)
    # Its lines go nowhere, and none is dropped.
    _measure_guarded(session, _Case("CallLog", "production.CallLog", {"file": "/dev/null", "queue": "64m"}))
    try:
        openssl.require()
    except Missing as missing:
        session.exclude("JwtAuth", str(missing))
        return
    for algorithm in _ALGORITHMS:
        _measure_jwt(session, algorithm)


def _measure_jwt(session: Session, algorithm: str) -> None:
    its = issuer.Issuer(algorithm=algorithm)
    try:
        token = its.token(exp=4_000_000_000)
        headers = tuple(issuer.bearer(token))
        case = _Case(f"JwtAuth, {algorithm}", "production.JwtAuth", issuer.settings(its), headers, algorithm)
        _measure_guarded(session, case)
        if its.fetches != 1:
            raise BenchError(f"{case.name}: keys were fetched {its.fetches} times, and not once: it is no cached key that was measured")
    finally:
        its.close()


def _measure_guarded(session: Session, case: _Case) -> None:
    try:
        _measure(session, case)
    except WrongAnswer as wrong:
        session.exclude(case.name, str(wrong))


def _measure(session: Session, case: _Case) -> None:
    started = {_NONE: _serve(session, []), case.processor: _serve(session, [{"name": case.processor, "settings": case.own}])}
    request = session.files.request_with(case.name.replace(", ", "-"), case.headers)

    def load(way: str, count: int) -> loads.Done:
        address = f"127.0.0.1:{started[way][1]}"
        return loads.bench_load(session.files, address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY, request=request)

    try:
        counts = {way: count_for(session.scale.seconds, lambda count, way=way: load(way, count)) for way in started}
        for turn in session.rounds(session.scale.production_rounds, f"{NAME}, {case.name}"):
            cpu = {}
            for way in order(turn, list(started)):
                with Window(started[way][0].process.pid) as window:
                    done = load(way, counts[way])
                cpu[way] = window.cpu / done.count * 1e6
            added = cpu[case.processor] - cpu[_NONE]
            values = {"without_us": cpu[_NONE], "cpu_us_per_stream": cpu[case.processor], "added_us": added}
            if case.algorithm:
                verify = openssl.verify_us(case.algorithm)
                values |= {"verify_us": verify, "beyond_verify_us": added - verify}
            session.add(NAME, case.name, case.processor, turn, **values)
    finally:
        for served, _ in started.values():
            served.process.stop()


def _serve(session: Session, processors: list[dict]) -> tuple[ServedFile, int]:
    """A server of its own, once it is ready; without processors, of the one that changes nothing."""
    port = free_port()
    folder = session.launcher.folder / f"production-{port}"
    folder.mkdir()
    content = {**_COMMON, "listen": f"127.0.0.1:{port}", **({"services": [{"processors": processors}]} if processors else {})}
    served = ServedFile(session.launcher, folder, content)
    served.process.wait_until_open(port)
    with grpc_client.channel(port) as channel:
        serving = health_pb2.HealthCheckResponse.SERVING
        eventually(lambda: grpc_client.check_health(channel) == serving, f"{processors} to be ready", _START_SECONDS)
    return served, port
