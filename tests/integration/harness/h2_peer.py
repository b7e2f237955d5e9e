"""One HTTP/2 connection, client or server, that hands on what comes as it comes and sends what it is told, legal or not."""

import asyncio
from collections.abc import Callable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import h2.stream

# A message whose content-length lies, or is no number, is something to look at here, not to refuse.
h2.stream.H2Stream._track_content_length = lambda self, length, end_stream: None
h2.stream.H2Stream._initialize_content_length = lambda self, headers: None

WINDOW = 1 << 20
Headers = list[tuple[bytes, bytes]]


class Stream:
    """One exchange on a connection; `listener` is called with each event of it."""

    def __init__(self, peer: "H2Peer", stream_id: int):
        self.peer = peer
        self.id = stream_id
        self.closed = False
        self.listener: Callable[[str, object, bool], None] = lambda kind, data, end: None
        self._window = asyncio.Event()

    def send_headers(self, headers: Headers, end: bool = False) -> None:
        self._try(lambda h2c: h2c.send_headers(self.id, headers, end_stream=end))

    async def send_data(self, data: bytes, end: bool = False) -> None:
        """Sends as much as the receiver's window has room for, and waits for more."""
        while not self.closed and len(data) > (room := self._room()):
            if room:
                self._send_piece(data[:room], False)
                data = data[room:]
                continue
            self.peer.release()
            self._window.clear()
            await self._window.wait()
        self._send_piece(data, end)

    def send_trailers(self, trailers: Headers) -> None:
        self._try(lambda h2c: h2c.send_headers(self.id, trailers, end_stream=True))

    def reset(self, code: int = h2.errors.ErrorCodes.CANCEL) -> None:
        if not self.closed:
            self.closed = True
            self._try(lambda h2c: h2c.reset_stream(self.id, code), even_closed=True)

    def on_window(self) -> None:
        self._window.set()

    def on_closed(self) -> None:
        self.closed = True
        self._window.set()

    def _room(self) -> int:
        try:
            window = self.peer.h2.local_flow_control_window(self.id)
            return max(0, min(window, self.peer.h2.max_outbound_frame_size))
        except h2.exceptions.ProtocolError:
            self.closed = True
            return 0

    def _send_piece(self, data: bytes, end: bool) -> None:
        self._try(lambda h2c: h2c.send_data(self.id, data, end_stream=end))

    def _try(self, action, even_closed: bool = False) -> None:
        if self.closed and not even_closed:
            return
        try:
            action(self.peer.h2)
        except (h2.exceptions.ProtocolError, KeyError):
            self.closed = True
        self.peer.flush()


class H2Peer(asyncio.Protocol):
    """The connection. `on_stream` is called with each stream that the other side opens, and its headers."""

    def __init__(self, client: bool, on_stream: Callable[[Stream, Headers, bool], None] | None = None):
        config = h2.config.H2Configuration(
            client_side=client,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config=config)
        self.h2.local_settings = h2.settings.Settings(
            client=client,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100_000,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: WINDOW,
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
            },
        )
        # The settings say so, but only those of the other side reach the decoder.
        self.h2.decoder.max_header_list_size = WINDOW
        self._on_stream = on_stream
        self._streams: dict[int, Stream] = {}
        self._transport: asyncio.Transport | None = None
        self._held = False

    def connection_made(self, transport) -> None:
        self._transport = transport
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 24)
        self.flush()

    def connection_lost(self, _exc) -> None:
        for stream in list(self._streams.values()):
            if not stream.closed:
                stream.on_closed()
                stream.listener("reset", None, True)

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.flush()
            self.close()
            return
        for event in events:
            self._take(event)
        self.flush()

    def open(self) -> Stream:
        return self._new(self.h2.get_next_available_stream_id())

    def hold(self) -> None:
        """What is sent from now on leaves in one piece, with release(), or when the receiver has no room for more."""
        self._held = True

    def release(self) -> None:
        self._held = False
        self.flush()

    def flush(self) -> None:
        if self._transport is None or self._held:
            return
        data = self.h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _new(self, stream_id: int) -> Stream:
        stream = self._streams[stream_id] = Stream(self, stream_id)
        return stream

    def _take(self, event) -> None:
        if isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            for stream in list(self._streams.values()):
                stream.on_window()
            return
        stream = self._streams.get(getattr(event, "stream_id", None))
        end = getattr(event, "stream_ended", None) is not None
        match event:
            case h2.events.RequestReceived():
                self._on_stream(self._new(event.stream_id), event.headers, end)
            case h2.events.ResponseReceived() if stream:
                stream.listener("headers", event.headers, end)
            case h2.events.DataReceived() if stream:
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                stream.listener("data", event.data, end)
            case h2.events.TrailersReceived() if stream:
                stream.listener("trailers", event.headers, end)
            case h2.events.StreamReset() if stream:
                stream.on_closed()
                stream.listener("reset", event.error_code, True)
