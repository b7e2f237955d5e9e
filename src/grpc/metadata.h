#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace extproc::grpc {

/// The request headers of one call without the pseudo-headers, in order, names in lower case, -bin
/// values still in base64. Immutable and shared: consecutive calls of one connection mostly carry
/// the same. It is copied and destroyed on its connection's thread only.
class Metadata {
 public:
  using Entry = std::pair<std::string_view, std::string_view>;

  Metadata();
  Metadata(const Metadata&);
  Metadata(Metadata&&) noexcept;
  Metadata& operator=(const Metadata&);
  Metadata& operator=(Metadata&&) noexcept;
  ~Metadata();

  /// The first value of `name` (lower case), or nothing.
  std::optional<std::string_view> get(std::string_view name) const;

  std::size_t size() const;
  Entry at(std::size_t index) const;
  /// `traceparent` is among them; looked for once, for all calls that have the same.
  bool has_trace() const;

  /// A call holds it from now on, or not any more. Returns the bytes that are to be counted for
  /// that: none where another call holds the same.
  std::size_t begin_use() const;
  std::size_t end_use() const;

 private:
  friend class MetadataBuilder;
  struct Block;
  boost::intrusive_ptr<const Block> block_;
};

}  // namespace extproc::grpc
