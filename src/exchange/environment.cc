#include "exchange/environment.h"

#include <utility>

namespace extproc::exchange {
namespace {

constexpr std::size_t kSpareScratches = 256;
constexpr std::size_t kKeptMessageBytes = std::size_t{64} << 10;

}  // namespace

std::unique_ptr<Scratch> Environment::take_scratch() {
  if (spare_scratches.empty()) return std::make_unique<Scratch>();
  auto taken = std::move(spare_scratches.back());
  spare_scratches.pop_back();
  return taken;
}

void Environment::give_back(std::unique_ptr<Scratch> returned) {
  if (returned == nullptr || spare_scratches.size() >= kSpareScratches) return;
  returned->message.trim(kKeptMessageBytes);
  spare_scratches.push_back(std::move(returned));
}

}  // namespace extproc::exchange
