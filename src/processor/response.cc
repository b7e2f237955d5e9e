#include "extproc/response.h"

#include <utility>

#include "base/header_name.h"
#include "base/recycle.h"
#include "extproc/error.h"

namespace extproc {
namespace {

constexpr std::size_t kKeptCapacity = std::size_t{64} << 10;

}  // namespace

void HeaderMutation::add(Operation operation, std::string_view name, std::string_view value) {
  entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size()), operation});
  for (const char c : name) text_.push_back(lower_case(c));
  text_.append(value);
}

HeaderMutation::Entry HeaderMutation::at(std::size_t index) const {
  const Slice& slice = entries_[index];
  const std::string_view text(text_);
  return {slice.operation, text.substr(slice.offset, slice.name_size),
          text.substr(slice.offset + slice.name_size, slice.value_size)};
}

bool HeaderMutation::sets(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = at(i);
    if (entry.operation != Operation::remove && same_name(entry.name, name)) return true;
  }
  return false;
}

void HeaderMutation::clear() {
  recycle(text_, kKeptCapacity);
  entries_.clear();
}

ImmediateResponse form_immediate_response(int status,
                                          std::vector<std::pair<std::string, std::string>> headers,
                                          std::string body) {
  if (status < 200 || status > 599) {
    throw Error("an immediate response needs an HTTP status from 200 to 599, not " +
                std::to_string(status));
  }
  return {status, std::move(headers), std::move(body), {}};
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

void PhaseResponse::reset() {
  mutation_.clear();
  immediate_.reset();
}

void HeadersResponse::continue_and_replace(std::string body) { replacement_ = std::move(body); }

void HeadersResponse::reset() {
  PhaseResponse::reset();
  clear_route_cache_ = false;
  replacement_.reset();
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
  recycle(body_, kKeptCapacity);
}

}  // namespace extproc
