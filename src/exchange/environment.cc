#include "exchange/environment.h"

#include <utility>

#include "base/access.h"
#include "base/recycle.h"

namespace extproc::exchange {
namespace {

constexpr std::size_t kSpareScratches = 256;
/// Of one message, and of one text, in bytes.
constexpr std::size_t kKeptBytes = std::size_t{4} << 10;

}  // namespace

std::unique_ptr<Scratch> Environment::take_scratch() {
  if (spare_scratches.empty()) return std::make_unique<Scratch>();
  auto taken = std::move(spare_scratches.back());
  spare_scratches.pop_back();
  return taken;
}

void Environment::give_back(std::unique_ptr<Scratch> returned) {
  if (returned == nullptr || spare_scratches.size() >= kSpareScratches) return;
  returned->message.trim(kKeptBytes);
  recycle(returned->text, kKeptBytes);
  detail::Access::reset(returned->headers_response);
  detail::Access::reset(returned->body_response);
  detail::Access::reset(returned->trailers_response);
  returned->streamed_reply.reset();
  spare_scratches.push_back(std::move(returned));
}

}  // namespace extproc::exchange
