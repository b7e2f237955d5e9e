#include "stream/describe.h"

#include <cstdint>
#include <protozero/pbf_reader.hpp>

namespace extproc::stream {
namespace {

using protozero::pbf_reader;

std::string in_quotes(const std::string& bytes) { return '"' + bytes + '"'; }

// `each(field)` reads or skips one field.
template <class Each>
void for_each_field(pbf_reader message, const Each& each) {
  while (message.next()) each(message);
}

// envoy.config.core.v3.HeaderValue, as Envoy reads it.
std::string header(pbf_reader message) {
  std::string name, value;
  for_each_field(message, [&](pbf_reader& field) {
    if (field.tag() == 1) {
      name = field.get_string();
    } else if (field.tag() == 3) {
      value = field.get_bytes();
    } else {
      field.skip();
    }
  });
  return name + "=" + value;
}

std::string header_map(pbf_reader message) {
  std::string text;
  for_each_field(message, [&](pbf_reader& field) { text += " " + header(field.get_message()); });
  return text;
}

std::string set_header(pbf_reader message) {
  std::string text;
  bool append = false;
  for_each_field(message, [&](pbf_reader& field) {
    if (field.tag() == 1) {
      text = header(field.get_message());
    } else if (field.tag() == 2) {
      for_each_field(field.get_message(), [&](pbf_reader& flag) { append = flag.get_bool(); });
    } else {
      field.skip();
    }
  });
  return (append ? " append " : " set ") + text;
}

std::string mutation(pbf_reader message) {
  std::string text;
  for_each_field(message, [&](pbf_reader& field) {
    text += field.tag() == 1 ? set_header(field.get_message()) : " remove " + field.get_string();
  });
  return text;
}

// StreamedBodyResponse
std::string streamed(pbf_reader message) {
  constexpr const char* kFlags[] = {"", "", ",end", ",no-message", ",compressed", ",drained"};
  std::string body, flags;
  for_each_field(message, [&](pbf_reader& field) {
    if (field.tag() == 1) {
      body = field.get_bytes();
    } else if (const char* name = kFlags[field.tag()]; field.get_bool()) {
      flags += name;
    }
  });
  return in_quotes(body) + flags;
}

std::string body_mutation(pbf_reader message) {
  std::string text;
  for_each_field(message, [&](pbf_reader& field) {
    if (field.tag() == 1) {
      text = " body=" + in_quotes(field.get_bytes());
    } else if (field.tag() == 2) {
      text = field.get_bool() ? " clear" : "";
    } else {
      text = " streamed=" + streamed(field.get_message());
    }
  });
  return text;
}

std::string common(pbf_reader message) {
  std::string text;
  for_each_field(message, [&](pbf_reader& field) {
    switch (field.tag()) {
      case 1:
        text += field.get_enum() == 1 ? " replace" : " continue";
        break;
      case 2:
        text += mutation(field.get_message());
        break;
      case 3:
        text += body_mutation(field.get_message());
        break;
      case 5:
        text += field.get_bool() ? " route" : "";
        break;
      default:
        text += " unknown";
        field.skip();
    }
  });
  return text;
}

std::string answer(unsigned member, pbf_reader message) {
  constexpr const char* kNames[] = {"",
                                    "request_headers",
                                    "response_headers",
                                    "request_body",
                                    "response_body",
                                    "request_trailers",
                                    "response_trailers"};
  std::string text = kNames[member];
  for_each_field(message, [&](pbf_reader& field) {
    text += member <= 4 ? common(field.get_message()) : mutation(field.get_message());
  });
  return text;
}

std::string immediate(pbf_reader message) {
  std::string text = "immediate";
  for_each_field(message, [&](pbf_reader& field) {
    switch (field.tag()) {
      case 1:
        for_each_field(field.get_message(), [&](pbf_reader& status) {
          text += " " + std::to_string(status.get_enum());
        });
        break;
      case 2:
        text += mutation(field.get_message());
        break;
      case 3:
        text += " " + in_quotes(field.get_bytes());
        break;
      case 4:
        text += " grpc";
        for_each_field(field.get_message(), [&](pbf_reader& status) {
          text += "=" + std::to_string(status.get_uint32());
        });
        break;
      default:
        text += " details=" + field.get_string();
    }
  });
  return text;
}

std::string streamed_immediate(pbf_reader message) {
  std::string text = "streamed_immediate";
  for_each_field(message, [&](pbf_reader& field) {
    if (field.tag() == 1) {
      text = "head";
      for_each_field(field.get_message(), [&](pbf_reader& part) {
        text += part.tag() == 1 ? header_map(part.get_message())
                                : (part.get_bool() ? " end" : " no-end");
      });
    } else if (field.tag() == 2) {
      text = "chunk " + streamed(field.get_message());
    } else {
      text = "trailers" + header_map(field.get_message());
    }
  });
  return text;
}

// The names of a map's entries.
std::string entry_name(pbf_reader entry) {
  std::string name;
  for_each_field(entry, [&](pbf_reader& field) {
    field.tag() == 1 ? void(name = field.get_string()) : field.skip();
  });
  return name;
}

std::string mode_override(pbf_reader message) {
  constexpr const char* kNames[] = {"",
                                    "request_headers",
                                    "response_headers",
                                    "request_body",
                                    "response_body",
                                    "request_trailers",
                                    "response_trailers"};
  std::string text = " mode{";
  for_each_field(message, [&](pbf_reader& field) {
    const auto tag = field.tag();
    if (text.back() != '{') text += ' ';
    text += std::string(kNames[tag]) + "=" + std::to_string(field.get_enum());
  });
  return text + "}";
}

std::string numbers(pbf_reader message, const char* separator) {
  std::int64_t first = 0, second = 0;
  for_each_field(message, [&](pbf_reader& field) {
    std::int64_t& number = field.tag() == 1 ? first : second;
    number = field.get_int64();
  });
  return std::to_string(first) + separator + std::to_string(second);
}

std::string duration(pbf_reader message) {
  std::int64_t ms = 0;
  for_each_field(message, [&](pbf_reader& field) {
    ms += field.tag() == 1 ? field.get_int64() * 1000 : std::int64_t{field.get_int32()} / 1'000'000;
  });
  return std::to_string(ms) + "ms";
}

std::string field_text(pbf_reader& field) {
  switch (field.tag()) {
    case 7:
      return immediate(field.get_message());
    case 8: {
      std::string text = " metadata{";
      for_each_field(field.get_message(),
                     [&](pbf_reader& entry) { text += entry_name(entry.get_message()); });
      return text + "}";
    }
    case 9:
      return mode_override(field.get_message());
    case 10:
      return "more-time " + duration(field.get_message());
    case 11:
      return streamed_immediate(field.get_message());
    case 12:
      return field.get_bool() ? " drain" : "";
    case 13:
      return " typed{" + entry_name(field.get_message()) + "}";
    case 14:
      return "window " + numbers(field.get_message(), "/");
    case 15:
      return field.get_bool() ? " drain-requests" : "";
    case 16:
      return field.get_bool() ? " drain-responses" : "";
    default: {
      // Not as arguments of one call: a field that was read has no tag any more, where protozero
      // asserts.
      const unsigned member = field.tag();
      return answer(member, field.get_message());
    }
  }
}

}  // namespace

std::string describe(std::string_view response) {
  std::string text;
  for_each_field(pbf_reader(response.data(), response.size()),
                 [&](pbf_reader& field) { text += field_text(field); });
  return text;
}

}  // namespace extproc::stream
