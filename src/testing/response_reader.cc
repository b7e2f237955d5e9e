#include "testing/response_reader.h"

#include <protozero/pbf_reader.hpp>
#include <string>

namespace extproc::testing {
namespace {

using protozero::pbf_reader;

// As Envoy does: the value is raw_value, and `append` alone says whether it is added.
void read_set_header(pbf_reader option, HeaderMutation& mutation) {
  std::string name, value;
  bool append = false;
  while (option.next()) {
    if (option.tag() == 1) {
      pbf_reader header = option.get_message();
      while (header.next()) {
        if (header.tag() == 1) {
          name = header.get_string();
        } else if (header.tag() == 3) {
          value = header.get_bytes();
        } else {
          header.skip();
        }
      }
    } else if (option.tag() == 2) {
      pbf_reader bool_value = option.get_message();
      while (bool_value.next()) append = bool_value.get_bool();
    } else {
      option.skip();
    }
  }
  append ? mutation.append(name, value) : mutation.set(name, value);
}

void read_header_mutation(pbf_reader field, HeaderMutation& mutation) {
  while (field.next()) {
    if (field.tag() == 1) {
      read_set_header(field.get_message(), mutation);
    } else if (field.tag() == 2) {
      mutation.remove(field.get_string());
    } else {
      field.skip();
    }
  }
}

void read_body_mutation(pbf_reader field, ProcessingResponse& response) {
  while (field.next()) {
    if (field.tag() == 1) {
      response.body_change = BodyChange::replace;
      response.body = field.get_bytes();
    } else if (field.tag() == 2) {
      if (field.get_bool()) response.body_change = BodyChange::clear;
    } else if (field.tag() == 3) {
      response.body_change = BodyChange::replace;
      pbf_reader streamed = field.get_message();
      while (streamed.next()) {
        if (streamed.tag() == 1) {
          response.body = streamed.get_bytes();
        } else {
          streamed.skip();
        }
      }
    } else {
      field.skip();
    }
  }
}

void read_common_response(pbf_reader field, ProcessingResponse& response) {
  while (field.next()) {
    switch (field.tag()) {
      case 1:
        response.continue_and_replace = field.get_enum() == 1;
        break;
      case 2:
        read_header_mutation(field.get_message(), response.header_mutation);
        break;
      case 3:
        read_body_mutation(field.get_message(), response);
        break;
      case 5:
        response.clear_route_cache = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_immediate_response(pbf_reader field, ProcessingResponse& response) {
  ImmediateResponse immediate;
  while (field.next()) {
    switch (field.tag()) {
      case 1: {
        pbf_reader status = field.get_message();
        while (status.next()) immediate.status = status.get_enum();
        break;
      }
      case 2:
        read_header_mutation(field.get_message(), response.header_mutation);
        break;
      case 3:
        immediate.body = field.get_bytes();
        break;
      case 5:
        immediate.details = field.get_string();
        break;
      default:
        field.skip();
    }
  }
  for (std::size_t i = 0; i < response.header_mutation.size(); ++i) {
    const auto entry = response.header_mutation.at(i);
    if (entry.operation == HeaderMutation::Operation::remove) continue;
    immediate.headers.emplace_back(entry.name, entry.value);
  }
  response.immediate_response = std::move(immediate);
}

}  // namespace

ProcessingResponse read_response(std::string_view bytes) {
  constexpr Phase kPhases[] = {Phase::request_headers,  Phase::response_headers,
                               Phase::request_body,     Phase::response_body,
                               Phase::request_trailers, Phase::response_trailers};
  ProcessingResponse response;
  pbf_reader message(bytes.data(), bytes.size());
  while (message.next()) {
    const auto field = message.tag();
    if (field >= 1 && field <= 6) {
      response.phase = kPhases[field - 1];
      pbf_reader answer = message.get_message();
      while (answer.next()) {
        if (answer.tag() != 1) {
          answer.skip();
        } else if (field <= 4) {
          read_common_response(answer.get_message(), response);
        } else {
          read_header_mutation(answer.get_message(), response.header_mutation);
        }
      }
    } else if (field == 7) {
      read_immediate_response(message.get_message(), response);
    } else {
      message.skip();
    }
  }
  return response;
}

}  // namespace extproc::testing
