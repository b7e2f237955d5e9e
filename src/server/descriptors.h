#pragma once

#include <string_view>

#include "grpc/descriptor_index.h"

namespace extproc::server {

/// A serialised FileDescriptorSet of all services that a server has: ext_proc, health, reflection.
std::string_view descriptor_set();

/// An index of it, made when first asked for. From any thread.
const grpc::DescriptorIndex& descriptors();

}  // namespace extproc::server
