#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "exchange/message.h"

namespace extproc::exchange {

/// A message that outlives who brought it. Reused, so that its memory is allocated once.
class KeptMessage final : private MessageSource {
 public:
  KeptMessage() = default;
  KeptMessage(const KeptMessage&) = delete;
  KeptMessage& operator=(const KeptMessage&) = delete;

  /// Copies what the views of `message` refer to; `with_source`: what its source tells as well,
  /// which is not asked afterwards.
  const Message& keep(const Message& message, bool with_source);
  const Message& message() const { return message_; }
  /// Gives memory back where it is more than `most` bytes.
  void trim(std::size_t most);

 private:
  void store_attributes(std::string& out) const override { out.append(attributes_); }
  void store_metadata(std::string& out) const override { out.assign(metadata_); }

  Message message_;
  std::string text_;
  std::vector<Header> headers_;
  std::string attributes_;
  std::string metadata_;
};

}  // namespace extproc::exchange
