#include "extproc/response.h"

#include <utility>

#include "base/header_name.h"
#include "base/recycle.h"
#include "extproc/error.h"
#include "rules/reply_rules.h"

namespace extproc {
namespace {

constexpr std::size_t kKeptByResponse = std::size_t{4} << 10;

void check_status(int status) {
  if (status >= rules::kLeastStatus && status <= rules::kMostStatus) return;
  throw Error("an immediate response needs an HTTP status from 200 to 599, not " +
              std::to_string(status));
}

}  // namespace

void HeaderMutation::add(Operation operation, std::string_view name, std::string_view value) {
  entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size()), operation});
  const std::size_t begin = text_.size();
  text_.append(name);
  make_lower_case(text_.data() + begin, name.size());
  text_.append(value);
}

bool HeaderMutation::sets(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = at(i);
    if (entry.operation != Operation::remove && same_name(entry.name, name)) return true;
  }
  return false;
}

void HeaderMutation::clear() {
  recycle(text_, kKeptByResponse);
  recycle(entries_, kKeptByResponse / sizeof(Slice));
}

ImmediateResponse form_immediate_response(int status,
                                          std::vector<std::pair<std::string, std::string>> headers,
                                          std::string body) {
  check_status(status);
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

StopRequestProcessing::~StopRequestProcessing() = default;

const char* StopRequestProcessing::what() const noexcept {
  return "request processing stopped with an immediate response";
}

void PhaseResponse::set_headers(
    std::span<const std::pair<std::string_view, std::string_view>> headers) {
  for (const auto& [name, value] : headers) set_header(name, value);
}

void PhaseResponse::remove_headers(std::span<const std::string_view> names) {
  for (const auto name : names) remove_header(name);
}

void ResponseExtras::add_dynamic_metadata(std::string_view name, const StructView& value) {
  for (auto& [known, fields] : dynamic_metadata) {
    if (known == name) return static_cast<void>(fields.merge(value));
  }
  dynamic_metadata.emplace_back(name, Struct().merge(value));
}

void PhaseResponse::set_dynamic_metadata(std::string_view name, Struct value) {
  extras().add_dynamic_metadata(name, value.view());
}

void PhaseResponse::set_typed_dynamic_metadata(std::string_view name, std::string_view type_url,
                                               std::string_view value) {
  extras().typed_dynamic_metadata.push_back(
      {std::string(name), std::string(type_url), std::string(value)});
}

void PhaseResponse::reset() {
  mutation_.clear();
  immediate_.reset();
  extras_.reset();
  fallback_.reset();
  fallback_listener_ = nullptr;
}

void StreamedResponse::start(int status, detail::HeaderPairs headers) {
  if (started_) return;
  started_ = true;
  if (sink_ != nullptr) sink_->head(status, std::move(headers));
}

void StreamedResponse::write(std::string_view chunk) {
  if (!started_ || finished_ || chunk.empty()) return;
  if (sink_ != nullptr) sink_->chunk(chunk);
}

void StreamedResponse::finish(std::vector<std::pair<std::string, std::string>> trailers) {
  if (!started_ || finished_) return;
  finished_ = true;
  if (sink_ != nullptr) sink_->end(std::move(trailers));
}

StreamedResponse& HeadersResponse::respond_streaming(
    int status, std::vector<std::pair<std::string, std::string>> headers) {
  check_status(status);
  streamed_.start(status, std::move(headers));
  return streamed_;
}

void HeadersResponse::wait_for_body(std::optional<ImmediateResponse> otherwise) {
  body_wait_ = std::make_unique<detail::BodyWait>(std::move(otherwise));
}

void HeadersResponse::continue_and_replace(std::string body) { replacement_ = std::move(body); }

void HeadersResponse::reset() {
  PhaseResponse::reset();
  clear_route_cache_ = false;
  replacement_.reset();
  streamed_.reset(nullptr);
  body_wait_.reset();
}

void BodyResponse::replace_body(std::string_view body) {
  change_ = BodyChange::replace;
  body_.assign(body);
}

void BodyResponse::clear_body() {
  change_ = BodyChange::clear;
  body_.clear();
}

void BodyResponse::reset() {
  PhaseResponse::reset();
  change_ = BodyChange::none;
  clear_route_cache_ = false;
  compressed_ = false;
  recycle(body_, kKeptByResponse);
}

}  // namespace extproc
