#pragma once

#include <string>

namespace extproc::filter {

/// The callbacks of abi.h that this Envoy lacks, for people, with what to do; empty where it has
/// all. Nothing else is called of one that lacks some.
std::string missing_callbacks();

/// Whether this Envoy has one of abi.h: one that is not there is null.
template <class Callback>
bool has(Callback* callback) {
  return callback != nullptr;
}

}  // namespace extproc::filter
