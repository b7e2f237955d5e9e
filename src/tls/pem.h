#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/handles.h"

namespace extproc::tls {

/// A text of PEM and where it is from, for errors: a file's name, or the setting's.
struct Pem {
  std::string source{};
  std::string text{};

  bool empty() const { return source.empty(); }
  friend bool operator==(const Pem&, const Pem&) = default;
};

/// Reads the file, or takes the text; empty where neither is given. Throws Error where both are, or
/// the file cannot be read. `setting` is its name without "_file".
Pem load(std::string_view setting, const std::string& file, const std::string& text);

// Each throws Error, which names the source, where there is none or one that cannot be read.

std::vector<X509Ptr> certificates(const Pem& pem);
std::vector<CrlPtr> revocation_lists(const Pem& pem);
KeyPtr private_key(const Pem& pem);

/// What OpenSSL says of the last thing that failed, for people; its queue is empty then.
std::string last_error();

}  // namespace extproc::tls
