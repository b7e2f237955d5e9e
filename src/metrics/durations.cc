#include "metrics/durations.h"

namespace extproc::metrics {
namespace {

/// Three words of ids, the value and the time of an exemplar, read as they were written together or
/// not at all.
class Slot {
 public:
  using Words = std::array<std::uint64_t, 5>;

  void write(const Words& words) {
    const std::uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    // Who sees one of them sees that it is being written.
    for (std::size_t i = 0; i < words.size(); ++i)
      words_[i].store(words[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }

  std::optional<Words> read() const {
    constexpr int kTries = 16;
    for (int i = 0; i < kTries; ++i) {
      const std::uint64_t before = version_.load(std::memory_order_acquire);
      if (before == 0) return std::nullopt;
      Words words;
      for (std::size_t word = 0; word < words.size(); ++word)
        words[word] = words_[word].load(std::memory_order_acquire);
      if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before) return words;
    }
    return std::nullopt;
  }

 private:
  std::atomic<std::uint64_t> version_{0};
  std::array<std::atomic<std::uint64_t>, 5> words_{};
};

std::uint64_t word_of(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | bytes[i];
  return word;
}

void put_word(std::uint64_t word, std::uint8_t* bytes) {
  for (int i = 7; i >= 0; --i, word >>= 8) bytes[i] = static_cast<std::uint8_t>(word);
}

double seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

}  // namespace

struct Durations::Exemplars {
  std::array<Slot, kBounds.size() + 1> slots;
};

void Durations::DeleteExemplars::operator()(Exemplars* exemplars) const { delete exemplars; }

void Durations::add(std::chrono::nanoseconds duration, const SpanIds& span) {
  const std::size_t bucket = bucket_of(duration);
  add_to(bucket, duration);
  if (own_exemplars_ == nullptr) {
    own_exemplars_.reset(new Exemplars);
    exemplars_.store(own_exemplars_.get(), std::memory_order_release);
  }
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const std::chrono::nanoseconds now = since_epoch;
  own_exemplars_->slots[bucket].write(
      {word_of(span.trace.data()), word_of(span.trace.data() + 8), word_of(span.span.data()),
       static_cast<std::uint64_t>(duration.count()), static_cast<std::uint64_t>(now.count())});
}

void Durations::read(Distribution& sum) const {
  if (sum.counts.empty()) {
    sum.counts.resize(counts_.size());
    sum.exemplars.resize(counts_.size());
    for (const auto bound : kBounds) sum.bounds.push_back(static_cast<double>(bound.count()) / 1e6);
  }
  for (std::size_t i = 0; i < counts_.size(); ++i)
    sum.counts[i] += static_cast<double>(counts_[i].value());
  sum.sum += seconds(nanoseconds_.value());
  const Exemplars* exemplars = exemplars_.load(std::memory_order_acquire);
  if (exemplars == nullptr) return;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto words = exemplars->slots[i].read();
    if (!words) continue;
    Exemplar exemplar;
    put_word((*words)[0], exemplar.ids.trace.data());
    put_word((*words)[1], exemplar.ids.trace.data() + 8);
    put_word((*words)[2], exemplar.ids.span.data());
    exemplar.value = seconds((*words)[3]);
    exemplar.time = seconds((*words)[4]);
    auto& kept = sum.exemplars[i];
    if (!kept || kept->time < exemplar.time) kept = exemplar;
  }
}

}  // namespace extproc::metrics
