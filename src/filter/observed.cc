#include "filter/observed.h"

namespace extproc::filter {

Observed::Kept::Kept(const host::Message& message) : message_(message), body_(message.body) {
  bytes_ = sizeof(Kept) + body_.size();
  for (const auto& [name, value] : message.headers) {
    headers_.emplace_back(name, value);
    bytes_ += sizeof(headers_.front()) + name.size() + value.size();
  }
  if (message.has_attributes) message.source->store_attributes(attributes_);
  if (message.has_metadata) message.source->store_metadata(metadata_);
  bytes_ += attributes_.size() + metadata_.size();
}

void Observed::Kept::tell(host::Exchange& exchange) const {
  std::vector<Header> headers;
  headers.reserve(headers_.size());
  for (const auto& [name, value] : headers_) headers.push_back({name, value});
  host::Message message = message_;
  message.headers = headers;
  message.body = body_;
  message.source = message_.source == nullptr ? nullptr : this;
  exchange.on(message);
}

void Observed::push(const host::Message& message) {
  waiting_.emplace_back(message);
  bytes_ += waiting_.back().bytes();
}

void Observed::tell_first(host::Exchange& exchange) {
  // It may be the last of what refers to this.
  const Kept first = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= first.bytes();
  first.tell(exchange);
}

}  // namespace extproc::filter
