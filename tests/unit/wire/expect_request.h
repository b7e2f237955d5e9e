#pragma once

#include <string>

namespace extproc::wire {

/// Fails unless the codec reads from these bytes what libprotobuf reads from them as a
/// ProcessingRequest, or refuses them as that does. What is in attributes and in metadata_context
/// is not looked at: it is read when a handler asks for it.
void expect_read_as_libprotobuf_does(const std::string& bytes);

}  // namespace extproc::wire
