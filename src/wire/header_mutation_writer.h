#pragma once

#include <cstddef>

#include "extproc/header_mutation.h"
#include "wire/encoder.h"

namespace extproc::wire {

// `HeaderMutation`, without the tag and length of the field that holds it.

std::size_t mutation_size(const HeaderMutation& mutation);
void write_mutation(Encoder& encoder, const HeaderMutation& mutation);

}  // namespace extproc::wire
