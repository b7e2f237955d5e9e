#pragma once

#include <string>

namespace extproc::filter {

/// The callbacks of abi.h that this Envoy lacks and without which nothing works, for people, with
/// what to do; empty where it has all. Others are asked for where they are used.
std::string missing_callbacks();

/// Whether this Envoy has one of abi.h: one that is not there is null.
template <class Callback>
bool has(Callback* callback) {
  return callback != nullptr;
}

}  // namespace extproc::filter
