#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <string_view>

#include "grpc/metadata.h"
#include "grpc/metadata_block.h"

namespace extproc::grpc {

/// Makes the Metadata of the calls of one connection, one after another. A call whose headers are
/// those of the call before shares its block, and what was read from it: headers are only compared
/// then, nothing is copied or parsed.
class MetadataBuilder {
 public:
  /// `max_bytes` is in http2::list_bytes().
  explicit MetadataBuilder(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void begin();
  void add(std::string_view name, std::string_view value);
  /// The headers since begin(); none when they were too large.
  Metadata finish();
  /// The same again: the headers are those of the last finish(), one by one.
  Metadata last() const { return last_; }
  /// Forgets them: the next call shares nothing with those before.
  void forget();
  /// What the headers of the last finish() say. Valid until the next begin().
  const CallHead& head() const { return last_.block_->head; }

 private:
  void copy_same();

  Metadata last_;
  /// Made at the first header that differs from those of `last_`.
  boost::intrusive_ptr<Metadata::Block> changed_;
  std::size_t same_ = 0;
  std::size_t bytes_ = 0;
  std::size_t max_bytes_;
};

}  // namespace extproc::grpc
