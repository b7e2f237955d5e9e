#include <extproc/async.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kSecret = "secret";

/// Takes off what can be sent on: all but a tail in which the word may have begun.
std::string take_masked(std::string& pending) {
  for (auto at = pending.find(kSecret); at != std::string::npos; at = pending.find(kSecret, at)) {
    pending.replace(at, kSecret.size(), kSecret.size(), '*');
  }
  std::size_t kept = std::min(pending.size(), kSecret.size() - 1);
  while (!kSecret.starts_with(std::string_view(pending).substr(pending.size() - kept))) --kept;
  std::string ready = pending.substr(0, pending.size() - kept);
  pending.erase(0, ready.size());
  return ready;
}

}  // namespace

/// Masks a word wherever it stands in the request's body, across chunks too.
class Mask : public extproc::AsyncProcessor {
 public:
  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context& /*context*/,
                                      extproc::Request& /*request*/) override {
    std::string pending;
    while (auto chunk = co_await body.read()) {
      pending += chunk->bytes();
      body.write(take_masked(pending));
    }
    body.write(pending);
  }
};

EXTPROC_EXPORT(Mask)
