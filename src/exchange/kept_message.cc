#include "exchange/kept_message.h"

#include "base/recycle.h"

namespace extproc::exchange {

const host::Message& KeptMessage::keep(const host::Message& message, bool with_source) {
  message_ = message;
  text_.clear();
  headers_.clear();
  std::size_t size = message.body.size();
  for (const auto& [name, value] : message.headers) size += name.size() + value.size();
  // Nothing moves below.
  text_.reserve(size);
  headers_.reserve(message.headers.size());
  const auto copy = [this](std::string_view view) {
    const std::size_t at = text_.size();
    text_.append(view);
    return std::string_view(text_).substr(at);
  };
  for (const auto& [name, value] : message.headers) {
    const std::string_view kept_name = copy(name);
    headers_.push_back({kept_name, copy(value)});
  }
  message_.headers = headers_;
  message_.body = copy(message.body);
  message_.source = nullptr;
  if (!with_source || message.source == nullptr) return message_;
  attributes_.clear();
  if (message.has_attributes) message.source->store_attributes(attributes_);
  if (message.has_metadata) message.source->store_metadata(metadata_);
  message_.source = this;
  return message_;
}

void KeptMessage::trim(std::size_t most) {
  recycle(text_, most);
  recycle(headers_, most / sizeof(Header));
  recycle(attributes_, most);
  recycle(metadata_, most);
}

}  // namespace extproc::exchange
