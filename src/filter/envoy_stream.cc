#include "filter/envoy_stream.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <protozero/pbf_writer.hpp>

#include "rules/reply_rules.h"

namespace extproc::filter {
namespace {

abi::Fields fields_of(Phase phase) {
  switch (phase) {
    case Phase::request_headers:
    case Phase::request_body:
      return abi::kRequestHeaders;
    case Phase::request_trailers:
      return abi::kRequestTrailers;
    case Phase::response_headers:
    case Phase::response_body:
      return abi::kResponseHeaders;
    case Phase::response_trailers:
      break;
  }
  return abi::kResponseTrailers;
}

abi::Body received_of(Phase body) {
  return is_request_phase(body) ? abi::kReceivedRequest : abi::kReceivedResponse;
}
abi::Body buffered(Phase body) {
  return is_request_phase(body) ? abi::kBufferedRequest : abi::kBufferedResponse;
}

abi::Field field(std::string_view name, std::string_view value) {
  return {name.data(), name.size(), value.data(), value.size()};
}

std::vector<abi::Field> fields(std::span<const Header> headers) {
  std::vector<abi::Field> all;
  all.reserve(headers.size());
  for (const auto& [name, value] : headers) all.push_back(field(name, value));
  return all;
}

/// Where the parts of a body lie.
void add_chunks(void* filter, abi::Body which, std::vector<abi::Bytes>& chunks) {
  const std::size_t count = EXTPROC_ENVOY_CALL(http_get_body_chunks_size)(filter, which);
  if (count == 0) return;
  const std::size_t before = chunks.size();
  chunks.resize(before + count);
  if (!EXTPROC_ENVOY_CALL(http_get_body_chunks)(filter, which, chunks.data() + before))
    chunks.resize(before);
}

/// Which of the headers that a mutation sets are not there yet. Those may be added: to overwrite,
/// Envoy makes an index of all headers first, which costs more than all that is done for one here.
class NewHeaders {
 public:
  /// Before anything is changed, since the views in `told` end with that. `told`: what is there,
  /// lower-cased; empty where it is not known.
  NewHeaders(std::span<const Header> told, const HeaderMutation& mutation) {
    // A few in many headers are looked for.
    constexpr std::size_t kMostTold = 128;
    if (told.empty() || told.size() > kMostTold) return;
    for (std::size_t i = 0; i < std::min(mutation.size(), new_.size()); ++i)
      new_[i] = is_new(told, mutation, i);
  }

  bool has(std::size_t index) const { return index < new_.size() && new_[index]; }

 private:
  static bool is_new(std::span<const Header> told, const HeaderMutation& mutation,
                     std::size_t index) {
    const auto [operation, name, value] = mutation.at(index);
    // Empty ones Envoy removes; and it has another name for the host, beside those that begin with
    // ':'.
    if (operation != HeaderMutation::Operation::set || value.empty() || name.empty() ||
        name.front() == ':' || name == "host")
      return false;
    for (const Header& header : told) {
      if (header.name == name) return false;
    }
    for (std::size_t i = 0; i < index; ++i) {
      if (mutation.at(i).name == name) return false;
    }
    return true;
  }

  std::bitset<32> new_;
};

}  // namespace

void EnvoyStream::read_headers(Phase phase, std::vector<Header>& out) const {
  const abi::Fields which = fields_of(phase);
  const std::size_t count = EXTPROC_ENVOY_CALL(http_get_headers_size)(filter_, which);
  out.resize(count);
  if (count == 0) return;
  constexpr std::size_t kFew = 64;
  abi::Field few[kFew];
  std::vector<abi::Field> many(count > kFew ? count : 0);
  abi::Field* const all = count > kFew ? many.data() : few;
  if (!EXTPROC_ENVOY_CALL(http_get_headers)(filter_, which, all)) return out.clear();
  for (std::size_t i = 0; i < count; ++i)
    out[i] = {{all[i].name, all[i].name_size}, {all[i].value, all[i].value_size}};
}

void EnvoyStream::change_headers(Phase phase, const HeaderMutation& mutation,
                                 std::span<const Header> told) const {
  using Operation = HeaderMutation::Operation;
  const abi::Fields which = fields_of(phase);
  const NewHeaders added(told, mutation);
  // As Envoy does it: removes first.
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == Operation::remove) remove_header(phase, name);
  }
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == Operation::remove) continue;
    const auto change = operation == Operation::append || added.has(i)
                            ? EXTPROC_ENVOY_CALL(http_add_header)
                            : EXTPROC_ENVOY_CALL(http_set_header);
    change(filter_, which, abi::bytes(name), abi::bytes(value));
  }
}

void EnvoyStream::remove_header(Phase phase, std::string_view name) const {
  EXTPROC_ENVOY_CALL(http_set_header)
  (filter_, fields_of(phase), abi::bytes(name), abi::Bytes{});
}

bool EnvoyStream::received_is_kept(Phase body) const {
  return is_request_phase(body) ? EXTPROC_ENVOY_CALL(http_received_buffered_request_body)(filter_)
                                : EXTPROC_ENVOY_CALL(http_received_buffered_response_body)(filter_);
}

std::size_t EnvoyStream::kept_bytes(Phase body) const {
  return EXTPROC_ENVOY_CALL(http_get_body_size)(filter_, buffered(body));
}

std::size_t EnvoyStream::body_bytes(Phase body, const BodyPlace& place) const {
  const std::size_t kept = kept_bytes(body);
  return kept - std::min(kept, place.gone) +
         (place.received ? EXTPROC_ENVOY_CALL(http_get_body_size)(filter_, received_of(body)) : 0);
}

std::string_view EnvoyStream::read_body(Phase body, const BodyPlace& place,
                                        std::string& text) const {
  std::vector<abi::Bytes> chunks;
  add_chunks(filter_, buffered(body), chunks);
  std::size_t gone = place.gone;
  for (abi::Bytes& chunk : chunks) {
    const std::size_t skipped = std::min(gone, chunk.size);
    chunk = abi::bytes(chunk.view().substr(skipped));
    gone -= skipped;
  }
  if (place.received) add_chunks(filter_, received_of(body), chunks);
  std::erase_if(chunks, [](const abi::Bytes& chunk) { return chunk.size == 0; });
  if (chunks.empty()) return {};
  if (chunks.size() == 1) return chunks.front().view();
  text.clear();
  for (const abi::Bytes& chunk : chunks) text.append(chunk.view());
  return text;
}

void EnvoyStream::drop_body(Phase body, const BodyPlace& place) const {
  if (const std::size_t kept = kept_bytes(body); kept > place.gone) {
    // Envoy drains from the front.
    std::string all;
    const std::string gone(read_body(body, {}, all).substr(0, place.gone));
    EXTPROC_ENVOY_CALL(http_drain_body)(filter_, buffered(body), kept);
    if (!gone.empty())
      EXTPROC_ENVOY_CALL(http_append_body)(filter_, buffered(body), abi::bytes(gone));
  }
  if (!place.received) return;
  const std::size_t bytes = EXTPROC_ENVOY_CALL(http_get_body_size)(filter_, received_of(body));
  if (bytes > 0) EXTPROC_ENVOY_CALL(http_drain_body)(filter_, received_of(body), bytes);
}

std::string EnvoyStream::cut_kept(Phase body, std::size_t from, std::size_t bytes) const {
  std::string text;
  std::string all(read_body(body, {}, text));
  EXTPROC_ENVOY_CALL(http_drain_body)(filter_, buffered(body), all.size());
  std::string part = all.substr(from, bytes);
  all.erase(from, bytes);
  append_body(body, {}, all);
  return part;
}

void EnvoyStream::prepend_body(Phase body, const BodyPlace& place, std::string_view bytes) const {
  std::string text;
  const std::string behind(read_body(body, place, text));
  if (!behind.empty()) drop_body(body, place);
  append_body(body, place, bytes);
  append_body(body, place, behind);
}

void EnvoyStream::append_body(Phase body, const BodyPlace& place, std::string_view bytes) const {
  if (bytes.empty()) return;
  EXTPROC_ENVOY_CALL(http_append_body)
  (filter_, place.received ? received_of(body) : buffered(body), abi::bytes(bytes));
}

std::size_t EnvoyStream::buffer_limit() const {
  return EXTPROC_ENVOY_CALL(http_get_buffer_limit)(filter_);
}

std::optional<std::string> EnvoyStream::request_header(std::string_view name) const {
  std::vector<Header> headers;
  read_headers(Phase::request_headers, headers);
  const auto value = HeaderView(headers).value(name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

void EnvoyStream::add_request_header(std::string_view name, std::string_view value) const {
  EXTPROC_ENVOY_CALL(http_add_header)
  (filter_, abi::kRequestHeaders, abi::bytes(name), abi::bytes(value));
}

void EnvoyStream::reply(const ImmediateResponse& response) const {
  std::vector<abi::Field> headers;
  headers.reserve(response.headers.size() + 1);
  bool has_status = false;
  for (const auto& [name, value] : response.headers) {
    headers.push_back(field(name, value));
    has_status |= name == "grpc-status";
  }
  // Envoy's call would tell callers that speak gRPC that all is well. To others it leaves the
  // header as it is, so that they must not get one.
  std::string status;
  if (!has_status && is_grpc_request()) {
    status = std::to_string(
        static_cast<int>(response.grpc_status.value_or(rules::grpc_status_of(response.status))));
    headers.push_back(field("grpc-status", status));
  }
  EXTPROC_ENVOY_CALL(http_send_response)
  (filter_, static_cast<std::uint32_t>(response.status), headers.data(), headers.size(),
   abi::bytes(response.body), abi::bytes(response.details));
}

void EnvoyStream::reply_head(std::span<const Header> headers) const {
  const auto all = fields(headers);
  EXTPROC_ENVOY_CALL(http_send_response_headers)(filter_, all.data(), all.size(), false);
}

void EnvoyStream::reply_chunk(std::string_view bytes) const {
  EXTPROC_ENVOY_CALL(http_send_response_data)(filter_, abi::bytes(bytes), false);
}

void EnvoyStream::reply_end(std::span<const Header> trailers) const {
  if (trailers.empty())
    return EXTPROC_ENVOY_CALL(http_send_response_data)(filter_, abi::bytes(""), true);
  const auto all = fields(trailers);
  EXTPROC_ENVOY_CALL(http_send_response_trailers)(filter_, all.data(), all.size());
}

void EnvoyStream::reset(std::string_view details) const {
  EXTPROC_ENVOY_CALL(http_filter_reset_stream)(filter_, 0, abi::bytes(details));
}

void EnvoyStream::go_on(Phase phase) const {
  is_request_phase(phase) ? EXTPROC_ENVOY_CALL(http_filter_continue_decoding)(filter_)
                          : EXTPROC_ENVOY_CALL(http_filter_continue_encoding)(filter_);
}

void EnvoyStream::clear_route_cache() const { EXTPROC_ENVOY_CALL(http_clear_route_cache)(filter_); }

void EnvoyStream::set_metadata(const ResponseExtras& extras) const {
  for (const auto& [name, value] : extras.dynamic_metadata)
    EXTPROC_ENVOY_CALL(http_set_dynamic_metadata_struct)
  (filter_, abi::bytes(name), abi::bytes(value.bytes()));
  for (const auto& [name, type_url, value] : extras.typed_dynamic_metadata) {
    std::string any;
    protozero::pbf_writer writer(any);
    writer.add_string(1, type_url);
    writer.add_bytes(2, value);
    EXTPROC_ENVOY_CALL(http_set_dynamic_typed_metadata)
    (filter_, abi::bytes(name), abi::bytes(any));
  }
}

void EnvoyStream::note_request(std::span<const Header> headers) {
  const auto type = HeaderView(headers).value("content-type");
  came_as_grpc_ = type && rules::is_grpc(*type);
}

bool EnvoyStream::is_grpc_request() const {
  if (came_as_grpc_) return *came_as_grpc_;
  // Nobody has changed them.
  std::vector<Header> headers;
  read_headers(Phase::request_headers, headers);
  const auto type = HeaderView(headers).value("content-type");
  return type && rules::is_grpc(*type);
}

}  // namespace extproc::filter
