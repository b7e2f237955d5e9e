// What the filter sends to the processor.
#include <utility>

#include "envoy/kit/attributes.h"
#include "envoy/kit/filter.h"
#include "testing/request_writer.h"

namespace extproc::testing::envoy {

/// What a message carries besides its phase; holds what MessageExtras points to.
struct Filter::Extras {
  Extras(Filter& filter, Direction& d) {
    const auto& config = filter.config_;
    if (!filter.protocol_config_sent_ && !config.observability_mode) {
      filter.protocol_config_sent_ = true;
      protocol.emplace(ProtocolConfiguration{filter.request_.body_mode, filter.response_.body_mode,
                                             config.send_body_without_waiting});
    }
    std::map<std::string, std::string> forwarded;
    for (const auto& name : *config.metadata.forwarding) {
      const auto found = filter.metadata_.find(name);
      if (found != filter.metadata_.end()) forwarded.insert(*found);
    }
    metadata = write_metadata(forwarded);
    const auto& names =
        *(d.side == Side::request ? config.request_attributes : config.response_attributes);
    if (!names.empty() && !std::exchange(d.attributes_sent, true)) {
      const bool response = d.side == Side::response;
      attributes = write_attributes(
          names, {.request = &filter.host_.pipe(Side::request).headers,
                  .response = response ? &filter.host_.pipe(Side::response).headers : nullptr,
                  .request_bytes = filter.host_.pipe(Side::request).arrived_bytes,
                  .response_bytes = filter.host_.pipe(Side::response).sent_bytes,
                  .code_details = filter.host_.code_details(),
                  .given = &filter.host_.exchange().attributes});
    }
    view = {.observability_mode = config.observability_mode,
            .protocol_config = protocol ? &*protocol : nullptr,
            .metadata_context = &metadata,
            .attributes = attributes ? &*attributes : nullptr};
  }

  MessageExtras view;
  std::optional<ProtocolConfiguration> protocol;
  std::string metadata;
  std::optional<std::string> attributes;
};

bool Filter::open_stream() {
  if (complete_) return false;
  if (stream_open_) return true;
  stream_open_ = true;
  record_.count("streams_started");
  stream_.open_stream();
  return true;
}

void Filter::close_stream() {
  if (!std::exchange(stream_open_, false)) return;
  record_.count("streams_closed");
  stream_.close_stream();
}

HeaderList Filter::forwarded(const HeaderMap& headers) const {
  HeaderList list;
  for (const auto& [name, value] : headers.entries()) {
    if (any_matches(config_.disallowed_headers, name)) continue;
    if (config_.allowed_headers.empty() || any_matches(config_.allowed_headers, name))
      list.emplace_back(name, value);
  }
  return list;
}

void Filter::send(Direction& d, const std::string& message, Waiting next) {
  if (!config_.observability_mode) {
    d.waiting = next;
    d.extended = false;
    if (!d.full_duplex()) d.timer = host_.now() + *config_.message_timeout;
  }
  record_.count("stream_msgs_sent");
  stream_.send_message(message);
}

void Filter::send_headers(Direction& d, bool end) {
  const Extras extras(*this, d);
  send(d, write_headers(d.headers_phase, forwarded(pipe(d).headers), end, extras.view),
       Waiting::headers);
}

void Filter::send_body(Direction& d, std::string_view data, bool end, Waiting next) {
  const Extras extras(*this, d);
  send(d, write_body(d.body_phase, data, end, extras.view), next);
}

void Filter::send_trailers(Direction& d) {
  if (std::exchange(d.trailers_sent, true)) return;
  const Extras extras(*this, d);
  send(d, write_trailers(d.trailers_phase, forwarded(*pipe(d).trailers), extras.view),
       d.waiting == Waiting::nothing ? Waiting::trailers : d.waiting);
}

}  // namespace extproc::testing::envoy
