#include "exchange/streamed_reply.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>
#include <vector>

#include "base/access.h"
#include "base/header_name.h"
#include "base/recycle.h"
#include "exchange/answer_checker.h"
#include "exchange/processor_exchange.h"
#include "extproc/headers.h"

namespace extproc::exchange {
namespace {

/// Lower-cases the names, as HTTP/2 and Envoy have them; the views are of `pairs`.
std::vector<Header> views(detail::HeaderPairs& pairs) {
  std::vector<Header> headers;
  headers.reserve(pairs.size() + 2);
  for (auto& [name, value] : pairs) {
    for (char& c : name) c = lower_case(c);
    headers.push_back({name, value});
  }
  return headers;
}

}  // namespace

void StreamedReply::head(int status, detail::HeaderPairs headers) {
  const Environment& env = checker_.reporter().environment();
  // In a chain it goes on when it is whole, and other threads send nothing.
  if (env.link != nullptr || elsewhere() || closed_ || !checker_.takes_streamed_reply()) {
    collected_ = ImmediateResponse{.status = status, .headers = std::move(headers)};
    return;
  }
  begun_ = true;
  status_ = static_cast<std::uint16_t>(status);
  all_head_ = checker_.is_all_head(status);
  const std::string code = std::to_string(status);
  std::vector<Header> all = views(headers);
  std::erase_if(all, [&](const Header& header) {
    return header.name == ":status" || header.name == env.settings.chain_header;
  });
  if (!checker_.tells_of_another(status) &&
      std::erase_if(all, [](const Header& header) { return header.name == "content-length"; }) > 0)
    checker_.violation(Phase::request_headers, Rule::content_length, "content-length");
  leave_checked(all);
  all.insert(all.begin(), Header{":status", code});
  if (!env.settings.chain_header.empty())
    all.push_back({env.settings.chain_header, env.dispatcher.name()});
  checker_.reporter().sent(Phase::request_headers, 0);
  checker_.sink().reply_head(all, extras());
  detail::Access::drop_extras(response_);
}

void StreamedReply::chunk(std::string_view bytes) {
  if (collected_) {
    const bool here = !elsewhere();
    if (too_large_ || (here && closed_)) return;
    const Environment& env = checker_.reporter().environment();
    if (bytes.size() > env.settings.collected_bytes - collected_->body.size()) {
      too_large_ = true;
      release(collected_->body);
    } else {
      collected_->body.append(bytes);
    }
    if (here) exchange_.on_collected();
    return;
  }
  if (closed_) return;
  if (all_head_) return checker_.violation(Phase::request_headers, Rule::body_not_allowed, "body");
  if (pacer_ != nullptr) pacer_->wrote(bytes.size(), exchange_.now());
  checker_.reporter().sent(Phase::request_headers, bytes.size());
  checker_.sink().reply_chunk(bytes, extras());
  detail::Access::drop_extras(response_);
}

void StreamedReply::end(detail::HeaderPairs trailers) {
  if (collected_ || closed_) return;
  if (all_head_) trailers.clear();
  std::vector<Header> all = views(trailers);
  leave_checked(all);
  checker_.reporter().sent(Phase::request_headers, 0);
  checker_.sink().reply_end(all, extras());
  detail::Access::drop_extras(response_);
}

const ResponseExtras* StreamedReply::extras() const {
  const ResponseExtras* extras = response_.extras_or_null();
  checker_.note_extras(Phase::request_headers, extras);
  return extras;
}

bool StreamedReply::elsewhere() const {
  return checker_.reporter().environment().dispatcher.blocks();
}

bool StreamedReply::writable() {
  if (!begun_ || closed_) return true;
  if (checker_.sink().congested(Phase::request_headers)) return false;
  return pacer_ == nullptr || !pacer_->writable_at(exchange_.now());
}

void StreamedReply::wait_writable(std::coroutine_handle<> handler) {
  waiting_ = handler;
  if (pacer_ != nullptr) exchange_.on_paced();
}

std::optional<Pacer::Clock::time_point> StreamedReply::resumes_at() const {
  if (pacer_ == nullptr || !waiting_) return std::nullopt;
  return pacer_->writable_at(exchange_.now());
}

void StreamedReply::check_open() {
  if (!closed_ && !too_large_) return;
  throw boost::system::system_error(
      boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
}

void StreamedReply::wake() {
  if (waiting_ && writable()) std::exchange(waiting_, nullptr).resume();
}

// The filter's rules count here, too.
void StreamedReply::leave_checked(std::vector<Header>& headers) const {
  HeaderMutation mutation;
  for (const auto& [name, value] : headers) mutation.set(name, value);
  checker_.check(Phase::request_headers, mutation);
  if (mutation.size() == headers.size()) return;
  std::erase_if(headers, [&](const Header& header) { return !mutation.sets(header.name); });
}

}  // namespace extproc::exchange
