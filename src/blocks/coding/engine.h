#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "extproc/coding.h"

namespace extproc::coding {

/// What of `bytes` was used, and whether there is more to come out without more going in.
class Decoder::Engine {
 public:
  virtual ~Engine() = default;

  /// Takes bytes from the front of `bytes`, puts some into the `room` at `out`, and says how many.
  /// Fewer than there is room for: it needs more bytes.
  virtual std::size_t decode(std::string_view& bytes, char* out, std::size_t room) = 0;
  /// A body can end here.
  virtual bool at_end() const = 0;

  DecodeLimits limits;
  std::uint64_t bytes_read = 0, bytes_made = 0;
};

class Encoder::Engine {
 public:
  virtual ~Engine() = default;

  virtual void encode(std::string_view bytes, Flush flush, std::string& out) = 0;
};

std::unique_ptr<Decoder::Engine> make_zlib_decoder(Coding coding);
std::unique_ptr<Decoder::Engine> make_brotli_decoder();
std::unique_ptr<Decoder::Engine> make_zstd_decoder();
std::unique_ptr<Encoder::Engine> make_zlib_encoder(Coding coding, int level);
std::unique_ptr<Encoder::Engine> make_brotli_encoder(int level);
std::unique_ptr<Encoder::Engine> make_zstd_encoder(int level);

/// Calls `more(begin, size)` with room at the end of `out`, as long as it fills all of it.
template <class More>
void append_all(std::string& out, std::size_t block, const More& more) {
  std::size_t made = block;
  while (made == block) {
    const std::size_t size = out.size();
    out.resize(size + block);
    made = more(out.data() + size, block);
    out.resize(size + made);
  }
}

[[noreturn]] void refuse_level(Coding coding, int level, int least, int most);

}  // namespace extproc::coding
