#include "envoy/kit/inside/module_filter.h"

#include <protozero/pbf_reader.hpp>
#include <utility>

#include "envoy/kit/attributes.h"
#include "envoy/kit/inside/hooks.h"

namespace extproc::testing::envoy {
namespace {

Side side_of(abi::Body which) {
  return which == abi::kReceivedRequest || which == abi::kBufferedRequest ? Side::request
                                                                          : Side::response;
}
bool is_received(abi::Body which) {
  return which == abi::kReceivedRequest || which == abi::kReceivedResponse;
}

Step step_of(abi::OnBody status) {
  switch (status) {
    case abi::OnBody::go_on:
      return Step::proceed;
    case abi::OnBody::stop_and_buffer:
      return Step::stop_and_buffer;
    case abi::OnBody::stop_and_watermark:
      return Step::stop_and_watermark;
    case abi::OnBody::stop_no_buffer:
      break;
  }
  return Step::stop;
}

}  // namespace

ModuleFilter::ModuleFilter(const ModuleSetup& setup, FilterHost& host)
    : setup_(setup),
      host_(host),
      metadata_(host.exchange()),
      module_(EXTPROC_HOOK_NAME(http_filter_new)(setup.config, this)) {}

void ModuleFilter::destroy() {
  if (std::exchange(destroyed_, true)) return;
  EXTPROC_HOOK_NAME(http_filter_stream_complete)(this, module_);
  EXTPROC_HOOK_NAME(http_filter_destroy)(module_);
  module_ = nullptr;
}

// A response of the module's own does not pass its hooks.
bool ModuleFilter::passes_by(Side side) const {
  return destroyed_ || (side == Side::response && replied_);
}

Step ModuleFilter::on_headers(Side side, bool end) {
  if (passes_by(side)) return Step::proceed;
  way(side).came = true;
  const auto status = side == Side::request
                          ? EXTPROC_HOOK_NAME(http_filter_request_headers)(this, module_, end)
                          : EXTPROC_HOOK_NAME(http_filter_response_headers)(this, module_, end);
  way(side).goes_on = status == abi::OnHeaders::go_on;
  return way(side).goes_on ? Step::proceed : Step::stop;
}

Step ModuleFilter::on_data(Side side, std::string& data, bool end) {
  if (passes_by(side)) return Step::proceed;
  way(side).received = &data;
  const auto status = side == Side::request
                          ? EXTPROC_HOOK_NAME(http_filter_request_body)(this, module_, end)
                          : EXTPROC_HOOK_NAME(http_filter_response_body)(this, module_, end);
  way(side).received = nullptr;
  way(side).goes_on = status == abi::OnBody::go_on;
  return step_of(status);
}

Step ModuleFilter::on_trailers(Side side) {
  if (passes_by(side)) return Step::proceed;
  const auto status = side == Side::request
                          ? EXTPROC_HOOK_NAME(http_filter_request_trailers)(this, module_)
                          : EXTPROC_HOOK_NAME(http_filter_response_trailers)(this, module_);
  way(side).goes_on = status == abi::OnTrailers::go_on;
  return way(side).goes_on ? Step::proceed : Step::stop;
}

const HeaderList& ModuleFilter::show(abi::Fields which) {
  HeaderList& shown = shown_[which];
  const HeaderList& entries = fields(which)->entries();
  if (shown != entries) shown = HeaderList(entries);
  return shown;
}

HeaderMap* ModuleFilter::fields(abi::Fields which) {
  switch (which) {
    case abi::kRequestHeaders:
      return request_.came ? &host_.pipe(Side::request).headers : nullptr;
    case abi::kResponseHeaders:
      return response_.came ? &host_.pipe(Side::response).headers : nullptr;
    case abi::kRequestTrailers:
    case abi::kResponseTrailers:
      break;
  }
  auto& trailers =
      host_.pipe(which == abi::kRequestTrailers ? Side::request : Side::response).trailers;
  return trailers ? &*trailers : nullptr;
}

std::string* ModuleFilter::body(abi::Body which) {
  const Side side = side_of(which);
  if (is_received(which)) return way(side).received;
  auto& buffered = host_.pipe(side).buffered;
  return buffered ? &*buffered : nullptr;
}

bool ModuleFilter::append(abi::Body which, std::string_view bytes) {
  if (std::string* const there = body(which)) {
    there->append(bytes);
    return true;
  }
  if (is_received(which)) return false;
  host_.pipe(side_of(which)).buffer_more(std::string(bytes));
  return true;
}

void ModuleFilter::go_on(Side side) {
  if (destroyed_ || way(side).goes_on) return;
  way(side).goes_on = true;
  host_.pipe(side).resume();
}

void ModuleFilter::reply(int status, HeaderList headers, std::string_view body,
                         std::string_view details) {
  replied_ = true;
  host_.reply({.status = status,
               .body = std::string(body),
               .details = std::string(details),
               // As the call has it.
               .grpc_status = 0,
               .mutate = [&](HeaderMap& map) {
                 for (const auto& [name, value] : headers) map.add(lower_case(name), value);
               }});
}

void ModuleFilter::reply_headers(const HeaderList& headers, bool end) {
  replied_ = true;
  host_.local_headers(HeaderMap(HeaderKind::response, headers), end);
}

void ModuleFilter::reply_data(std::string_view bytes, bool end) {
  host_.local_data(std::string(bytes), end);
}

void ModuleFilter::reply_trailers(const HeaderList& trailers) {
  host_.local_trailers(HeaderMap(HeaderKind::response_trailers, trailers));
}

std::optional<ValueView> ModuleFilter::attribute(std::string_view name) {
  const std::string written = write_attributes(
      {std::string(name)}, {.request = fields(abi::kRequestHeaders),
                            .response = fields(abi::kResponseHeaders),
                            .request_bytes = host_.pipe(Side::request).arrived_bytes,
                            .response_bytes = host_.pipe(Side::response).sent_bytes,
                            .code_details = host_.code_details(),
                            .given = &host_.exchange().attributes});
  protozero::pbf_reader entry(written);
  if (!entry.next(2)) return std::nullopt;
  attributes_.push_back(entry.get_bytes());
  if (const auto value = StructView(attributes_.back()).find(name)) return value;
  if (name != "source.address") return std::nullopt;
  attributes_.back() = Struct().set(name, setup_.peer).bytes();
  return StructView(attributes_.back()).find(name);
}

void ModuleFilter::on_scheduled(std::uint64_t event) {
  if (!destroyed_) EXTPROC_HOOK_NAME(http_filter_scheduled)(this, module_, event);
}

}  // namespace extproc::testing::envoy
