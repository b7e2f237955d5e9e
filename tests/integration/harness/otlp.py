"""A collector: takes spans by OTLP over HTTP, as protobuf, and gives them as trees."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

from harness.processes import eventually


@dataclass(frozen=True)
class Span:
    """A span, ids in hexadecimal."""

    service: str
    message: Message

    @property
    def name(self) -> str:
        return self.message.name

    @property
    def id(self) -> str:
        return self.message.span_id.hex()

    @property
    def trace_id(self) -> str:
        return self.message.trace_id.hex()

    @property
    def parent(self) -> str:
        return self.message.parent_span_id.hex()

    @property
    def attributes(self) -> dict[str, str | int]:
        return {each.key: _value(each.value) for each in self.message.attributes}

    @property
    def events(self) -> list[tuple[str, dict]]:
        return [(event.name, {each.key: _value(each.value) for each in event.attributes}) for event in self.message.events]

    @property
    def failed(self) -> bool:
        return self.message.status.code == 2

    @property
    def kind(self) -> str:
        return Message.SpanKind.Name(self.message.kind).removeprefix("SPAN_KIND_")


def _value(value):
    return getattr(value, value.WhichOneof("value"))


class Collector:
    """`answer`, where there is one, is called for each request and gives the status in place of 200."""

    def __init__(self, answer: Callable[[], int] | None = None):
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict] = []
        self.posts = 0
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = b"".join(self._pieces())
                collector.posts += 1
                status = answer() if answer else 200
                if status == 200:
                    assert self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
                    collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                    collector.requests.append(ExportTraceServiceRequest.FromString(body))
                response = ExportTraceServiceResponse().SerializeToString()
                self.send_response(status)
                self.send_header("content-length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)

            def _pieces(self):
                if self.headers["transfer-encoding"] != "chunked":
                    yield self.rfile.read(int(self.headers["content-length"]))
                    return
                while size := int(self.rfile.readline(), 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def environment(self) -> dict[str, str]:
        """Of a server whose spans are to come here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_SERVICE_NAME": "processor",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def spans(self) -> list[Span]:
        return [
            Span(_service(resource.resource), span)
            for request in list(self.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def trace(self, trace_id: str, processes: int = 1) -> "Trace":
        """The trace, once the spans of so many streams are there, and of Envoy the one that began it."""

        def find() -> Trace | None:
            trace = Trace([span for span in self.spans if span.trace_id == trace_id])
            return trace if len(trace.named("process")) == processes else None

        return eventually(find, f"{processes} streams of the trace {trace_id}")


def _service(resource) -> str:
    return next(each.value.string_value for each in resource.attributes if each.key == "service.name")


class Trace:
    """The spans of one trace."""

    def __init__(self, spans: list[Span]):
        self.spans = spans

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def only(self, name: str) -> Span:
        (span,) = self.named(name)
        return span

    def below(self, parent: Span) -> list[Span]:
        """In the order in which they began."""
        return sorted((span for span in self.spans if span.parent == parent.id), key=lambda span: span.message.start_time_unix_nano)

    def tree(self, parent: Span) -> dict:
        """The names of what is below a span; of each what is below it."""
        return {span.name: self.tree(span) for span in self.below(parent)}

    def of(self, service: str) -> list[Span]:
        return [span for span in self.spans if span.service == service]
