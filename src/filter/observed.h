#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "extproc/host.h"

namespace extproc::filter {

/// Messages of a request that a processor only looks at, while a handler of it waits: the request
/// does not wait with it.
class Observed {
 public:
  bool empty() const { return waiting_.empty(); }
  /// What they take, in bytes.
  std::size_t bytes() const { return bytes_; }

  /// Copied.
  void push(const host::Message& message);
  /// Tells `exchange` the first.
  void tell_first(host::Exchange& exchange);
  void clear() {
    waiting_.clear();
    bytes_ = 0;
  }

 private:
  class Kept final : public host::MessageSource {
   public:
    explicit Kept(const host::Message& message);

    std::size_t bytes() const { return bytes_; }
    void tell(host::Exchange& exchange) const;

    void store_attributes(std::string& out) const override { out.append(attributes_); }
    void store_metadata(std::string& out) const override { out = metadata_; }

   private:
    host::Message message_;
    std::vector<std::pair<std::string, std::string>> headers_;
    std::string body_;
    std::string attributes_;
    std::string metadata_;
    std::size_t bytes_;
  };

  // Every stream has one, and few put something into it: empty, it takes nothing elsewhere.
  std::list<Kept> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace extproc::filter
