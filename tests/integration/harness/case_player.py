"""Plays cases through a real Envoy: the caller, the upstream and the processor are all here, so that the next piece of a
message is sent only once nothing else is going on."""

import asyncio
from itertools import chain, repeat
from pathlib import Path

from harness import case_outcome, case_upgrade
from harness.case_config import CASE_HEADER
from harness.case_processor import Script, cancel
from harness.envoy_cases import Case
from harness.h2_peer import H2Peer, Stream

QUIET = 0.06
AT_ONCE = 24


class Play:
    """One case while it is played."""

    def __init__(self, case: Case, socket: Path):
        self.case = case
        self._socket = socket
        self._request = case.message("request")
        self._response = case.message("upstream")
        if case.is_upgrade:
            self._request["headers"] = case_upgrade.to_connect(self._request["headers"])
            self._response["headers"] = case_upgrade.to_success(self._response["headers"])
        self._last = 0.0
        # Seconds that passed while somebody waited: the moments without events between two pieces do not count, so that what
        # comes first is what the case says.
        self._clock = 0.0
        self._waits: list[tuple[float, asyncio.Future]] = []
        self._tasks: list[asyncio.Task] = []
        self._sending: dict[str, asyncio.Task] = {}
        self._from_upstream: list | None = None
        self._upstream_stream: Stream | None = None
        self._sent_headers = False
        self._messages: list[dict] = []
        # What the script did to Envoy: the phase of the message that it was for, and the action; None is silence.
        self.answered: list[tuple[str, dict | None]] = []
        self._caller = _Received()
        self._upstream = _Received()

    # What the processor's script uses.
    def touch(self) -> None:
        self._last = asyncio.get_running_loop().time()

    def on_message(self, message: bytes) -> None:
        self.touch()
        self._messages.append(case_outcome.message(message))

    def spawn(self, coroutine) -> None:
        self._tasks.append(asyncio.ensure_future(coroutine))

    async def wait(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waits.append((self._clock + seconds, future))
        await future

    # The upstream.
    def on_upstream(self, stream: Stream, headers, end: bool) -> None:
        self._upstream_stream = stream
        stream.listener = self._on_upstream_event
        self._on_upstream_event("headers", headers, end)
        if self._response["early"]:
            self._answer()

    def _on_upstream_event(self, kind: str, data, end: bool) -> None:
        self.touch()
        self._upstream.take(kind, data, end)
        if self._upstream.complete:
            self._answer()

    def _answer(self) -> None:
        if self._from_upstream is None:
            self._from_upstream = _pieces(self._response)

    def _on_caller_event(self, kind: str, data, end: bool) -> None:
        self.touch()
        self._caller.take(kind, data, end)

    async def run(self) -> dict:
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_unix_connection(lambda: H2Peer(client=True), str(self._socket))
        stream = peer.open()
        stream.listener = self._on_caller_event
        from_caller = _pieces(self._request)
        patience = self._patience()
        quiet = QUIET + self.case.thinking
        self.touch()
        while not self._caller.over:
            if loop.time() - self._last < quiet:
                await asyncio.sleep(QUIET / 4)
            elif self._is_ready("upstream", self._from_upstream):
                await self._send("upstream", self._upstream_stream, self._from_upstream, self._response["together"])
            elif self._is_ready("caller", from_caller):
                await self._send("caller", stream, from_caller, self._request["together"])
            elif self._waits:
                await self._pass_time()
            elif loop.time() - self._last > patience:
                break
            else:
                await asyncio.sleep(QUIET / 4)
        # What Envoy sends after the caller has everything: the end of the upstream's stream.
        await asyncio.sleep(QUIET)
        if self.case.is_upgrade:
            self._upstream.headers = case_upgrade.from_connect(self._upstream.headers)
        outcome = {
            "caller": self._caller.outcome(status=True),
            "upstream": self._upstream.outcome(status=False),
            "messages": self._messages,
        }
        peer.close()
        await cancel(self._tasks)
        return outcome

    def _is_ready(self, who: str, pieces: list | None) -> bool:
        """Whether the next piece can be sent; one that comes later waits from now on."""
        if not pieces or (who in self._sending and not self._sending[who].done()):
            return False
        if (after := pieces[0][3]) > 0:
            pieces[0][3] = 0
            self._sending[who] = asyncio.ensure_future(self.wait(after))
            self._tasks.append(self._sending[who])
            return False
        return True

    async def _send(self, who: str, stream: Stream, pieces: list, together: bool) -> None:
        """Goes on by itself where Envoy does not take all of it now."""
        self.touch()
        if together:
            count = next((i for i, piece in enumerate(pieces) if i > 0 and piece[3] > 0), len(pieces))
            task = _send_together(stream, pieces[:count])
            del pieces[:count]
        else:
            task = _send_piece(stream, pieces.pop(0))
        self._sending[who] = asyncio.ensure_future(task)
        self._tasks.append(self._sending[who])
        await asyncio.sleep(0)
        self.touch()

    async def _pass_time(self) -> None:
        self._waits.sort(key=lambda wait: wait[0])
        due, future = self._waits[0]
        if due > self._clock:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await asyncio.sleep(min(due - self._clock, QUIET / 4))
            self._clock = min(due, self._clock + loop.time() - began)
            return
        self._waits.pop(0)
        self.touch()
        future.set_result(None)

    def _patience(self) -> float:
        """How long something may still come by itself: the filter's time-outs, where they are short."""
        timeouts = [
            float(str(self.case.data["filter"].get(name, "0s")).rstrip("s"))
            for name in ("message_timeout", "max_message_timeout")
        ]
        return 0.5 + sum(timeout for timeout in timeouts if timeout < 5)


class _Received:
    """What one end got."""

    def __init__(self):
        self.headers = None
        self.body = bytearray()
        self.trailers = None
        self.complete = False
        self.reset = False

    @property
    def over(self) -> bool:
        return self.complete or self.reset

    def take(self, kind: str, data, end: bool) -> None:
        if kind == "headers":
            self.headers = data
        elif kind == "data":
            self.body += data
        elif kind == "trailers":
            self.trailers = data
        elif kind == "reset" and not self.complete:
            self.reset = True
        if end and kind != "reset":
            self.complete = True

    def outcome(self, status: bool) -> dict:
        told = {
            "reached": self.headers is not None,
            "headers": case_outcome.headers(self.headers or []),
            "body": case_outcome.text(bytes(self.body)),
            "trailers": None if self.trailers is None else case_outcome.headers(self.trailers),
            "complete": self.complete,
        }
        if status:
            told["reset"] = self.reset
        return told


class Players:
    """The servers that all cases share."""

    def __init__(self, cases: list[Case], folder: Path):
        self._folder = folder
        self._plays = {case.name: Play(case, folder / str(number)) for number, case in enumerate(cases)}
        self._all = dict(self._plays)
        self._servers: list[asyncio.Server] = []
        self.outcomes: dict[str, dict] = {}
        self.answered: dict[str, list[tuple]] = {}

    async def start(self) -> None:
        """Opens the upstream's and the processor's sockets, which Envoy needs."""
        loop = asyncio.get_running_loop()
        for name, handler in (("upstream", self._on_upstream), ("processor", self._on_processor)):
            server = await loop.create_unix_server(lambda h=handler: H2Peer(client=False, on_stream=h), self._folder / name)
            self._servers.append(server)

    async def run(self, at_once: int = AT_ONCE) -> None:
        """Fills `outcomes` and `answered`, by the case's name; the last case only makes Envoy connect, before the others."""
        gate = asyncio.Semaphore(at_once)
        # Without a connection, what is dropped at once would not reach the upstream at all.
        _, first = self._plays.popitem()
        await first.run()

        async def one(play: Play) -> dict:
            async with gate:
                return await play.run()

        outcomes = await asyncio.gather(*(one(play) for play in self._plays.values()))
        self.outcomes = dict(zip(self._plays, outcomes, strict=True))
        self.answered = {name: play.answered for name, play in self._plays.items()}

    def stop(self) -> None:
        for server in self._servers:
            server.close()

    def _play_of(self, headers) -> Play:
        return self._all[dict(headers)[CASE_HEADER.encode()].decode()]

    def _on_upstream(self, stream: Stream, headers, end: bool) -> None:
        self._play_of(headers).on_upstream(stream, headers, end)

    def _on_processor(self, stream: Stream, headers, _end: bool) -> None:
        play = self._play_of(headers)
        script = Script(play.case, play, stream)
        stream.listener = lambda kind, data, _end: script.receive(data) if kind == "data" else None
        script.start()


def _pieces(message: dict) -> list:
    pieces = [["headers", message["headers"], False]]
    pieces += [["data", chunk, False] for chunk in message["body"]]
    if message["trailers"] is not None:
        pieces.append(["trailers", message["trailers"], False])
    pieces[-1][2] = not message["open"]
    return [[*piece, after] for piece, after in zip(pieces, chain(message["after"], repeat(0)), strict=False)]


async def _send_together(stream: Stream, pieces: list) -> None:
    stream.peer.hold()
    for piece in pieces:
        await _send_piece(stream, piece)
    stream.peer.release()


async def _send_piece(stream: Stream, piece: list) -> None:
    kind, data, end, _ = piece
    if kind == "headers":
        stream.send_headers(data, end)
    elif kind == "trailers":
        stream.send_trailers(data)
    else:
        await stream.send_data(data, end)
