#include "extproc/json_fields.h"

namespace extproc {

void JsonEdit::set_json(std::string_view json) {
  if (!field_.too_long) json_ = json;
}

void JsonEdit::set_string(std::string_view text) { set_json(json_quoted(text)); }

const JsonField* JsonEditor::next(bool last) {
  const JsonField* field = reader_.next();
  if (field == nullptr && last) {
    reader_.finish();
    field = reader_.next();
  }
  return field;
}

void JsonEditor::end_field(const JsonEdit& edit) {
  const JsonField& field = edit.field();
  if (!edit.json_) {
    // What was held goes on; what of it is in this chunk does so with the chunk.
    out_.append(field.raw.substr(0, held_));
    held_ = 0;
    return;
  }
  const std::size_t end = reader_.at_;
  const std::size_t begin = held_ != 0 ? 0 : end - field.raw.size();
  out_.append(reader_.chunk_.substr(copied_, begin - copied_)).append(*edit.json_);
  copied_ = end;
  held_ = 0;
}

std::string_view JsonEditor::end_chunk() {
  const std::string_view chunk = reader_.chunk_;
  if (reader_.capturing_) {
    const std::size_t begin = held_ != 0 ? 0 : reader_.open_from_;
    out_.append(chunk.substr(copied_, begin - copied_));
    held_ += chunk.size() - begin;
    return out_;
  }
  // Held in vain: the text has an error.
  if (held_ != 0) out_.append(reader_.kept_, 0, held_);
  held_ = 0;
  if (out_.empty() && copied_ == 0) return chunk;
  return out_.append(chunk.substr(copied_));
}

}  // namespace extproc
