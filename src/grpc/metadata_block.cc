#include "grpc/metadata_block.h"

#include "grpc/timeout.h"

namespace extproc::grpc {
namespace {

using Verdict = CallHead::Verdict;

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view kPrefix = "application/grpc";
  if (!content_type.starts_with(kPrefix)) return false;
  content_type.remove_prefix(kPrefix.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

}  // namespace

void Metadata::Block::append(std::string_view name, std::string_view value) {
  fields.push_back({static_cast<std::uint32_t>(text.size()),
                    static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size())});
  text += name;
  text += value;
}

void Metadata::Block::read_head() {
  bool post = false;
  bool content_type = false;
  bool encoding = true;
  bool timeout = true;
  for (const Field& field : fields) {
    const std::string_view key = name(field);
    const std::string_view text_of = value(field);
    if (key.starts_with(':')) ++pseudo;
    if (key == ":method") {
      post = text_of == "POST";
    } else if (key == ":path") {
      head.path = text_of;
    } else if (key == "content-type") {
      content_type = is_grpc(text_of);
    } else if (key == "grpc-encoding") {
      encoding = text_of == "identity";
    } else if (key == "grpc-timeout") {
      head.timeout = parse_timeout(text_of);
      timeout = head.timeout.has_value();
    }
  }
  head.verdict = !post           ? Verdict::wrong_method
                 : !content_type ? Verdict::wrong_content_type
                 : !encoding     ? Verdict::wrong_encoding
                 : !timeout      ? Verdict::wrong_timeout
                                 : Verdict::accepted;
  weight =
      sizeof *this + text.capacity() + fields.capacity() * sizeof(Field) + head.path.capacity();
}

}  // namespace extproc::grpc
