#include "grpc/metadata_builder.h"

#include <utility>

#include "http2/request_check.h"

namespace extproc::grpc {

void MetadataBuilder::begin() {
  changed_.reset();
  same_ = 0;
  bytes_ = 0;
  if (last_.block_ && last_.block_->head.verdict == CallHead::Verdict::too_large) last_ = {};
}

void MetadataBuilder::forget() {
  last_ = {};
  changed_.reset();
  same_ = 0;
}

void MetadataBuilder::add(std::string_view name, std::string_view value) {
  bytes_ += http2::list_bytes(name, value);
  if (bytes_ > max_bytes_) return;
  if (!changed_) {
    if (last_.block_ && last_.block_->has_at(same_, name, value)) {
      ++same_;
      return;
    }
    copy_same();
  }
  changed_->append(name, value);
}

Metadata MetadataBuilder::finish() {
  if (bytes_ > max_bytes_) {
    const boost::intrusive_ptr<Metadata::Block> empty(new Metadata::Block);
    empty->head.verdict = CallHead::Verdict::too_large;
    changed_.reset();
    last_.block_ = empty;
    return last_;
  }
  const bool shorter = !last_.block_ || same_ != last_.block_->fields.size();
  if (!changed_ && shorter) copy_same();
  if (changed_) {
    changed_->read_head();
    last_.block_ = std::move(changed_);
  }
  return last_;
}

void MetadataBuilder::copy_same() {
  changed_.reset(new Metadata::Block);
  if (!last_.block_) return;
  const Metadata::Block& last = *last_.block_;
  changed_->text.reserve(last.text.size() + 64);
  changed_->fields.reserve(last.fields.size() + 1);
  for (std::size_t i = 0; i < same_; ++i)
    changed_->append(last.name(last.fields[i]), last.value(last.fields[i]));
}

}  // namespace extproc::grpc
