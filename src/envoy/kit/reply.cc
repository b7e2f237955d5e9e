#include "envoy/kit/reply.h"

#include <protozero/pbf_reader.hpp>

namespace extproc::testing::envoy {
namespace {

using protozero::pbf_reader;

constexpr Phase kPhases[] = {Phase::request_headers,  Phase::response_headers,
                             Phase::request_body,     Phase::response_body,
                             Phase::request_trailers, Phase::response_trailers};

HeaderOption read_header_option(pbf_reader field) {
  HeaderOption option;
  while (field.next()) {
    if (field.tag() == 1) {
      option.has_header = true;
      pbf_reader header = field.get_message();
      while (header.next()) {
        switch (header.tag()) {
          case 1:
            option.name = header.get_string();
            break;
          case 2:
            option.value = header.get_string();
            break;
          case 3:
            option.raw_value = header.get_bytes();
            break;
          default:
            header.skip();
        }
      }
    } else if (field.tag() == 2) {
      pbf_reader append = field.get_message();
      while (append.next()) option.append = append.get_bool();
    } else {
      field.skip();
    }
  }
  return option;
}

void read_mutation(pbf_reader field, std::optional<Mutation>& mutation) {
  if (!mutation) mutation.emplace();
  while (field.next()) {
    if (field.tag() == 1) {
      mutation->set.push_back(read_header_option(field.get_message()));
    } else if (field.tag() == 2) {
      mutation->remove.push_back(field.get_string());
    } else {
      field.skip();
    }
  }
}

HeaderList read_header_map(pbf_reader field) {
  HeaderList headers;
  while (field.next()) {
    if (field.tag() != 1) {
      field.skip();
      continue;
    }
    auto& [name, value] = headers.emplace_back();
    pbf_reader header = field.get_message();
    while (header.next()) {
      if (header.tag() == 1) {
        name = header.get_string();
      } else if (header.tag() == 3) {
        value = header.get_bytes();
      } else {
        header.skip();
      }
    }
  }
  return headers;
}

void read_streamed_body(pbf_reader field, std::string& body, bool& end_of_stream) {
  while (field.next()) {
    if (field.tag() == 1) {
      body = field.get_bytes();
    } else if (field.tag() == 2) {
      end_of_stream = field.get_bool();
    } else {
      field.skip();
    }
  }
}

void read_body_mutation(pbf_reader field, std::optional<BodyMutation>& mutation) {
  if (!mutation) mutation.emplace();
  while (field.next()) {
    switch (field.tag()) {
      case 1:
        *mutation = {.kind = BodyMutation::Kind::body, .bytes = field.get_bytes()};
        break;
      case 2:
        *mutation = {.kind = BodyMutation::Kind::clear, .bytes = {}, .clear = field.get_bool()};
        break;
      case 3:
        *mutation = {.kind = BodyMutation::Kind::streamed, .bytes = {}};
        read_streamed_body(field.get_message(), mutation->bytes, mutation->end_of_stream);
        break;
      default:
        field.skip();
    }
  }
}

void read_common(pbf_reader field, CommonReply& common) {
  while (field.next()) {
    switch (field.tag()) {
      case 1:
        common.replace = field.get_enum() == 1;
        break;
      case 2:
        read_mutation(field.get_message(), common.headers);
        break;
      case 3:
        read_body_mutation(field.get_message(), common.body);
        break;
      case 4:
        common.has_trailers = true;
        field.skip();
        break;
      case 5:
        common.clear_route_cache = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_immediate(pbf_reader field, ImmediateReply& immediate) {
  while (field.next()) {
    switch (field.tag()) {
      case 1: {
        pbf_reader status = field.get_message();
        while (status.next()) immediate.status = status.get_enum();
        break;
      }
      case 2:
        read_mutation(field.get_message(), immediate.headers);
        break;
      case 3:
        immediate.body = field.get_bytes();
        break;
      case 4: {
        if (!immediate.grpc_status) immediate.grpc_status = 0;
        pbf_reader status = field.get_message();
        while (status.next()) immediate.grpc_status = status.get_uint32();
        break;
      }
      case 5:
        immediate.details = field.get_string();
        break;
      default:
        field.skip();
    }
  }
}

void read_streamed_immediate(pbf_reader field, StreamedImmediateReply& streamed) {
  using Part = StreamedImmediateReply::Part;
  while (field.next()) {
    if (field.tag() == 1) {
      streamed.part = Part::headers;
      pbf_reader headers = field.get_message();
      while (headers.next()) {
        if (headers.tag() == 1) {
          streamed.headers = read_header_map(headers.get_message());
        } else if (headers.tag() == 3) {
          streamed.end_of_stream = headers.get_bool();
        } else {
          headers.skip();
        }
      }
    } else if (field.tag() == 2) {
      streamed.part = Part::body;
      read_streamed_body(field.get_message(), streamed.body, streamed.end_of_stream);
    } else if (field.tag() == 3) {
      streamed.part = Part::trailers;
      streamed.headers = read_header_map(field.get_message());
    } else {
      field.skip();
    }
  }
}

std::chrono::nanoseconds read_duration(pbf_reader field) {
  std::chrono::nanoseconds duration{0};
  while (field.next()) {
    if (field.tag() == 1) {
      duration += std::chrono::seconds(field.get_int64());
    } else if (field.tag() == 2) {
      duration += std::chrono::nanoseconds(field.get_int32());
    } else {
      field.skip();
    }
  }
  return duration;
}

std::optional<HeaderSendMode> header_mode(std::int32_t number) {
  if (number == 0) return std::nullopt;
  return static_cast<HeaderSendMode>(number);
}

ProcessingMode read_mode(pbf_reader field) {
  ProcessingMode mode;
  while (field.next()) {
    const auto tag = field.tag();
    if (tag < 1 || tag > 6) {
      field.skip();
      continue;
    }
    const auto value = field.get_enum();
    if (tag == 3) mode.request_body = static_cast<BodySendMode>(value);
    if (tag == 4) mode.response_body = static_cast<BodySendMode>(value);
    if (tag == 1) mode.request_headers = header_mode(value);
    if (tag == 2) mode.response_headers = header_mode(value);
    if (tag == 5) mode.request_trailers = header_mode(value);
    if (tag == 6) mode.response_trailers = header_mode(value);
  }
  return mode;
}

// The Struct in a Value; empty where the value is of another kind, as Envoy takes it.
std::string read_struct_value(pbf_reader value) {
  std::string bytes;
  while (value.next()) {
    if (value.tag() == 5) {
      bytes = value.get_bytes();
    } else {
      value.skip();
    }
  }
  return bytes;
}

void read_metadata(pbf_reader field, Reply& reply) {
  if (!reply.dynamic_metadata) reply.dynamic_metadata.emplace();
  while (field.next()) {
    if (field.tag() != 1) {
      field.skip();
      continue;
    }
    std::string key, value;
    pbf_reader entry = field.get_message();
    while (entry.next()) {
      if (entry.tag() == 1) {
        key = entry.get_string();
      } else if (entry.tag() == 2) {
        value = read_struct_value(entry.get_message());
      } else {
        entry.skip();
      }
    }
    (*reply.dynamic_metadata)[key] = value;
  }
}

ResponseExtras::Typed read_typed_metadata(pbf_reader entry) {
  ResponseExtras::Typed typed;
  while (entry.next()) {
    if (entry.tag() == 1) {
      typed.name = entry.get_string();
    } else if (entry.tag() == 2) {
      pbf_reader any = entry.get_message();
      while (any.next()) {
        if (any.tag() == 1) {
          typed.type_url = any.get_string();
        } else if (any.tag() == 2) {
          typed.value = any.get_bytes();
        } else {
          any.skip();
        }
      }
    } else {
      entry.skip();
    }
  }
  return typed;
}

}  // namespace

Reply read_reply(std::string_view bytes) {
  Reply reply;
  pbf_reader message(bytes.data(), bytes.size());
  while (message.next()) {
    const auto tag = message.tag();
    if (tag >= 1 && tag <= 6) {
      reply.kind = Reply::Kind::phase;
      reply.phase = kPhases[tag - 1];
      reply.common = {};
      pbf_reader answer = message.get_message();
      while (answer.next()) {
        if (answer.tag() != 1) {
          answer.skip();
        } else if (tag <= 4) {
          read_common(answer.get_message(), reply.common);
        } else {
          read_mutation(answer.get_message(), reply.common.headers);
        }
      }
    } else if (tag == 7) {
      reply.kind = Reply::Kind::immediate;
      read_immediate(message.get_message(), reply.immediate);
    } else if (tag == 8) {
      read_metadata(message.get_message(), reply);
    } else if (tag == 9) {
      reply.mode_override = read_mode(message.get_message());
    } else if (tag == 10) {
      reply.override_message_timeout = read_duration(message.get_message());
    } else if (tag == 11) {
      reply.kind = Reply::Kind::streamed_immediate;
      read_streamed_immediate(message.get_message(), reply.streamed);
    } else if (tag == 12) {
      reply.drain_requests = reply.drain_responses = message.get_bool();
    } else if (tag == 13) {
      reply.typed_dynamic_metadata.push_back(read_typed_metadata(message.get_message()));
    } else if (tag == 15) {
      reply.drain_requests = message.get_bool();
    } else if (tag == 16) {
      reply.drain_responses = message.get_bool();
    } else {
      message.skip();
    }
  }
  return reply;
}

}  // namespace extproc::testing::envoy
