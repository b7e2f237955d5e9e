#include "envoy/kit/local_reply.h"

#include <cstdint>

#include "rules/reply_rules.h"

namespace extproc::testing::envoy {
namespace {

bool is_grpc(const HeaderMap& request) {
  const auto* type = request.get("content-type");
  return type != nullptr && rules::is_grpc(*type);
}

std::string percent_encoded(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7f && c != '%') {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return encoded;
}

}  // namespace

std::pair<HeaderMap, std::string> make_local_reply(const LocalReply& reply,
                                                   const HeaderMap& request) {
  const auto* method = request.get(":method");
  const bool is_head = method != nullptr && *method == "HEAD";
  HeaderMap headers(HeaderKind::response, {{":status", std::to_string(reply.status)}});
  if (reply.mutate) reply.mutate(headers);
  headers.set(":status", std::to_string(reply.status));
  if (is_grpc(request)) {
    const auto status =
        reply.grpc_status.value_or(static_cast<std::uint32_t>(rules::grpc_status_of(reply.status)));
    headers.set(":status", "200");
    headers.set("content-type", "application/grpc");
    // What the processor has set itself stays.
    const auto* set = headers.get("grpc-status");
    if (set == nullptr || set->empty()) headers.set("grpc-status", std::to_string(status));
    if (!reply.body.empty() && !is_head) headers.set("grpc-message", percent_encoded(reply.body));
    headers.remove("content-length");
    return {std::move(headers), std::string()};
  }
  if (reply.body.empty()) {
    headers.remove("content-length");
    headers.remove("content-type");
    return {std::move(headers), std::string()};
  }
  headers.set("content-length", std::to_string(reply.body.size()));
  if (headers.get("content-type") == nullptr) headers.set("content-type", "text/plain");
  return {std::move(headers), is_head ? std::string() : reply.body};
}

}  // namespace extproc::testing::envoy
