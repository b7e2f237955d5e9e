// zstd, by Facebook's library.
#include <zstd.h>

#include <new>

#include "blocks/coding/engine.h"

namespace extproc::coding {

namespace {
namespace zstd {

constexpr std::size_t kBlock = 16384;
/// 8 MiB: what a body may ask of who reads it (RFC 9659).
constexpr int kMostWindow = 23;

class ZstdDecoder final : public Decoder::Engine {
 public:
  ZstdDecoder() {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMostWindow);
  }

  std::size_t decode(std::string_view& bytes, char* out, std::size_t room) override {
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    while (true) {
      // It would take an empty call behind a frame for the begin of another.
      if (at_end_ && from.pos == from.size) break;
      if (at_begin_ && from.pos < from.size) check_begin(bytes[from.pos]);
      const std::size_t in_before = from.pos;
      const std::size_t out_before = to.pos;
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &to, &from);
      if (ZSTD_isError(result) != 0) {
        throw CodingError(std::string("a body is no zstd: ") + ZSTD_getErrorName(result));
      }
      at_begin_ = at_end_ = result == 0;
      if (to.pos == to.size || (from.pos == in_before && to.pos == out_before)) break;
    }
    bytes.remove_prefix(from.pos);
    return to.pos;
  }

  bool at_end() const override { return at_end_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* stream) const { ZSTD_freeDCtx(stream); }
  };
  /// The library may be built to read the formats of before zstd's first version as well, which are
  /// no zstd to HTTP (RFC 8878), and whose readers keep to none of its limits.
  static void check_begin(char first) {
    const auto byte = static_cast<unsigned char>(first);
    const bool is_frame = byte == 0x28;
    const bool is_skippable = (byte & 0xF0) == 0x50;
    if (!is_frame && !is_skippable) throw CodingError("a body is no zstd: no frame begins so");
  }

  std::unique_ptr<ZSTD_DCtx, Free> stream_{ZSTD_createDCtx()};
  bool at_begin_ = true;
  bool at_end_ = false;
};

class ZstdEncoder final : public Encoder::Engine {
 public:
  explicit ZstdEncoder(int level) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, level);
    // Levels above 19 would take a larger one, which no reader has to accept.
    if (level > 19) ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_windowLog, kMostWindow);
  }

  void encode(std::string_view bytes, Flush flush, std::string& out) override {
    const auto operation = flush == Flush::none  ? ZSTD_e_continue
                           : flush == Flush::now ? ZSTD_e_flush
                                                 : ZSTD_e_end;
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    std::size_t left = 1;
    while (operation == ZSTD_e_continue ? from.pos != from.size : left != 0) {
      const std::size_t size = out.size();
      out.resize(size + kBlock);
      ZSTD_outBuffer to{out.data() + size, kBlock, 0};
      left = ZSTD_compressStream2(stream_.get(), &to, &from, operation);
      out.resize(size + to.pos);
      if (ZSTD_isError(left) != 0) throw std::bad_alloc();
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* stream) const { ZSTD_freeCCtx(stream); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> stream_{ZSTD_createCCtx()};
};

}  // namespace zstd
}  // namespace

std::unique_ptr<Decoder::Engine> make_zstd_decoder() {
  return std::make_unique<zstd::ZstdDecoder>();
}

std::unique_ptr<Encoder::Engine> make_zstd_encoder(int level) {
  if (level < 0 || level > ZSTD_maxCLevel()) refuse_level(Coding::zstd, level, 1, ZSTD_maxCLevel());
  return std::make_unique<zstd::ZstdEncoder>(level == 0 ? 3 : level);
}

}  // namespace extproc::coding
