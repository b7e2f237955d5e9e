#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "extproc/host.h"

namespace extproc::exchange {

/// A message that outlives who brought it. Reused, so that its memory is allocated once.
class KeptMessage final : private host::MessageSource {
 public:
  KeptMessage() = default;
  KeptMessage(const KeptMessage&) = delete;
  KeptMessage& operator=(const KeptMessage&) = delete;

  /// Copies what the views of `message` refer to; `with_source`: what its source tells as well,
  /// which is not asked afterwards.
  const host::Message& keep(const host::Message& message, bool with_source);
  const host::Message& message() const { return message_; }
  /// What it keeps.
  std::size_t bytes() const {
    return text_.size() + headers_.size() * sizeof(Header) + attributes_.size() + metadata_.size();
  }
  /// Forgets the message, and gives memory back where it is more than `most` bytes.
  void trim(std::size_t most);

 private:
  void store_attributes(std::string& out) const override { out.append(attributes_); }
  void store_metadata(std::string& out) const override { out.assign(metadata_); }

  host::Message message_;
  std::string text_;
  std::vector<Header> headers_;
  std::string attributes_;
  std::string metadata_;
};

}  // namespace extproc::exchange
