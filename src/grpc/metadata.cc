#include "grpc/metadata.h"

#include "grpc/metadata_block.h"

namespace extproc::grpc {

Metadata::Metadata() = default;
Metadata::Metadata(const Metadata&) = default;
Metadata::Metadata(Metadata&&) noexcept = default;
Metadata& Metadata::operator=(const Metadata&) = default;
Metadata& Metadata::operator=(Metadata&&) noexcept = default;
Metadata::~Metadata() = default;

std::optional<std::string_view> Metadata::get(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    const auto [key, value] = at(i);
    if (key == name) return value;
  }
  return std::nullopt;
}

std::size_t Metadata::size() const { return block_ ? block_->fields.size() - block_->pseudo : 0; }

bool Metadata::has_trace() const {
  if (!block_) return false;
  if (!block_->has_trace) block_->has_trace = get("traceparent").has_value();
  return *block_->has_trace;
}

Metadata::Entry Metadata::at(std::size_t index) const {
  const Block::Field& field = block_->fields[block_->pseudo + index];
  return {block_->name(field), block_->value(field)};
}

}  // namespace extproc::grpc
