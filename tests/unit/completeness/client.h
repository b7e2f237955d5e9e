#pragma once

#include <string>
#include <vector>

#include "extproc/service.h"

namespace extproc::completeness {

/// What Envoy never asks for, and other clients do: an exchange that has the library write it.
struct ClientPlay {
  std::string name;
  /// As of Row.
  std::vector<std::string> writes;
  Service (*processor)();
  /// The serialised answers.
  std::vector<std::string> (*play)(const Service& processor);
};

const std::vector<ClientPlay>& client_plays();

}  // namespace extproc::completeness
