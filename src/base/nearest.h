#pragma once

#include <span>
#include <string>
#include <string_view>

namespace extproc {

/// Of names that there are the one that is least different from one that there is not; empty where
/// there are none.
std::string nearest(std::string_view name, std::span<const std::string_view> names);

/// The same, empty too where even that one is so different that it was hardly meant.
std::string likely_meant(std::string_view name, std::span<const std::string_view> names);

}  // namespace extproc
