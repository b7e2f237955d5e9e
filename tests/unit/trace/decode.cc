#include "trace/decode.h"

#include <protozero/pbf_reader.hpp>
#include <stdexcept>
#include <utility>

namespace extproc::trace {
namespace {

using protozero::pbf_reader;

[[noreturn]] void unknown(const char* where, const pbf_reader& reader) {
  throw std::runtime_error(std::string(where) + " has a field " + std::to_string(reader.tag()));
}

std::string text(pbf_reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

std::string any_value(pbf_reader value) {
  std::string read;
  while (value.next()) {
    switch (value.tag()) {
      case 1:
        read = text(value);
        break;
      case 3:
        read = std::to_string(value.get_int64());
        break;
      default:
        unknown("AnyValue", value);
    }
  }
  return read;
}

void read_attribute(pbf_reader pair, Attributes& attributes) {
  std::string key;
  std::string value;
  while (pair.next()) {
    switch (pair.tag()) {
      case 1:
        key = text(pair);
        break;
      case 2:
        value = any_value(pair.get_message());
        break;
      default:
        unknown("KeyValue", pair);
    }
  }
  if (!attributes.emplace(key, value).second) throw std::runtime_error(key + " is there twice");
}

DecodedEvent read_event(pbf_reader reader) {
  DecodedEvent event;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        event.time = reader.get_fixed64();
        break;
      case 2:
        event.name = text(reader);
        break;
      case 3:
        read_attribute(reader.get_message(), event.attributes);
        break;
      default:
        unknown("Event", reader);
    }
  }
  return event;
}

void read_status(pbf_reader reader, DecodedSpan& span) {
  while (reader.next()) {
    switch (reader.tag()) {
      case 2:
        span.status_message = text(reader);
        break;
      case 3:
        span.status = reader.get_enum();
        break;
      default:
        unknown("Status", reader);
    }
  }
}

DecodedSpan read_span(pbf_reader reader) {
  DecodedSpan span;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        span.trace_id = text(reader);
        break;
      case 2:
        span.span_id = text(reader);
        break;
      case 3:
        span.state = text(reader);
        break;
      case 4:
        span.parent = text(reader);
        break;
      case 5:
        span.name = text(reader);
        break;
      case 6:
        span.kind = reader.get_enum();
        break;
      case 7:
        span.start = reader.get_fixed64();
        break;
      case 8:
        span.end = reader.get_fixed64();
        break;
      case 9:
        read_attribute(reader.get_message(), span.attributes);
        break;
      case 11:
        span.events.push_back(read_event(reader.get_message()));
        break;
      case 15:
        read_status(reader.get_message(), span);
        break;
      case 16:
        span.flags = reader.get_fixed32();
        break;
      default:
        unknown("Span", reader);
    }
  }
  return span;
}

void read_scope_spans(pbf_reader reader, DecodedRequest& request) {
  while (reader.next()) {
    if (reader.tag() == 1) {
      pbf_reader scope = reader.get_message();
      while (scope.next()) {
        std::string value = text(scope);
        request.scope += (request.scope.empty() ? "" : " ") + value;
      }
    } else if (reader.tag() == 2) {
      request.spans.push_back(read_span(reader.get_message()));
    } else {
      unknown("ScopeSpans", reader);
    }
  }
}

void read_resource_spans(pbf_reader reader, DecodedRequest& request) {
  while (reader.next()) {
    if (reader.tag() == 1) {
      pbf_reader resource = reader.get_message();
      while (resource.next(1)) read_attribute(resource.get_message(), request.resource);
    } else if (reader.tag() == 2) {
      read_scope_spans(reader.get_message(), request);
    } else {
      unknown("ResourceSpans", reader);
    }
  }
}

}  // namespace

DecodedRequest decode_request(std::string_view bytes) {
  DecodedRequest request;
  pbf_reader reader(bytes.data(), bytes.size());
  while (reader.next()) {
    if (reader.tag() != 1) unknown("ExportTraceServiceRequest", reader);
    read_resource_spans(reader.get_message(), request);
  }
  return request;
}

std::vector<DecodedSpan> decode_spans(std::string_view bytes) {
  DecodedRequest request;
  read_scope_spans(pbf_reader(bytes.data(), bytes.size()), request);
  return std::move(request.spans);
}

}  // namespace extproc::trace
