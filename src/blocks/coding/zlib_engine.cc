// gzip and deflate, by zlib.
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "blocks/coding/engine.h"

namespace extproc::coding {

namespace {
namespace zlib {

constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;
constexpr std::size_t kBlock = 16384;
constexpr std::size_t kMost = std::numeric_limits<uInt>::max();

/// zlib's input is not const, and not changed.
Bytef* input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

class ZlibDecoder final : public Decoder::Engine {
 public:
  explicit ZlibDecoder(Coding coding) : is_gzip_(coding == Coding::gzip) {
    if (inflateInit2(&stream_, is_gzip_ ? kGzip : kZlib) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibDecoder() override { inflateEnd(&stream_); }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  std::size_t decode(std::string_view& bytes, char* out, std::size_t room) override {
    std::size_t made = 0;
    while (made < room) {
      if (at_end_) {
        if (bytes.empty()) return made;
        begin_member(bytes);
        if (at_end_) continue;
      }
      if (!is_gzip_ && !started_) {
        if (bytes.empty()) return made;
        choose_form(bytes.front());
      }
      made += inflate_some(bytes, out + made, room - made);
      if (bytes.empty() && made < room && !at_end_) return made;
    }
    return made;
  }

  bool at_end() const override { return at_end_; }

 private:
  std::size_t inflate_some(std::string_view& bytes, char* out, std::size_t room) {
    const std::size_t given = std::min(bytes.size(), kMost);
    stream_.next_in = input(bytes);
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    bytes.remove_prefix(given - stream_.avail_in);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw CodingError(is_gzip_ ? "a body is no gzip" : "a body is no deflate");
    }
    at_end_ = result == Z_STREAM_END;
    return room - stream_.avail_out;
  }

  /// Behind a member of gzip another can follow, or zeros.
  void begin_member(std::string_view& bytes) {
    if (!is_gzip_) throw CodingError("there is something behind the end of a body of deflate");
    if (bytes.front() == '\0') {
      bytes.remove_prefix(1);
      return;
    }
    inflateReset(&stream_);
    at_end_ = false;
  }

  /// With zlib's header, as RFC 9110 has it, or without, as some servers do. In that header's first
  /// byte the low half is 8 and the high one at most 7; a stream of deflate never begins so: 8
  /// would be a block that is stored, whose padding has bits.
  void choose_form(char first) {
    started_ = true;
    const auto byte = static_cast<unsigned char>(first);
    if ((byte & 15) != 8 || byte >> 4 > 7) inflateReset2(&stream_, kRaw);
  }

  z_stream stream_{};
  bool is_gzip_;
  bool started_ = false;
  bool at_end_ = false;
};

class ZlibEncoder final : public Encoder::Engine {
 public:
  ZlibEncoder(Coding coding, int level) {
    constexpr int kMemory = 8;  // zlib's default
    if (deflateInit2(&stream_, level, Z_DEFLATED, coding == Coding::gzip ? kGzip : kZlib, kMemory,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~ZlibEncoder() override { deflateEnd(&stream_); }
  ZlibEncoder(const ZlibEncoder&) = delete;
  ZlibEncoder& operator=(const ZlibEncoder&) = delete;

  void encode(std::string_view bytes, Flush flush, std::string& out) override {
    do {
      const std::string_view part = bytes.substr(0, kMost);
      bytes.remove_prefix(part.size());
      stream_.next_in = input(part);
      stream_.avail_in = static_cast<uInt>(part.size());
      const int how = !bytes.empty() || flush == Flush::none ? Z_NO_FLUSH
                      : flush == Flush::now                  ? Z_SYNC_FLUSH
                                                             : Z_FINISH;
      append_all(out, kBlock, [&](char* begin, std::size_t room) {
        stream_.next_out = reinterpret_cast<Bytef*>(begin);
        stream_.avail_out = static_cast<uInt>(room);
        deflate(&stream_, how);
        return room - stream_.avail_out;
      });
    } while (!bytes.empty());
  }

 private:
  z_stream stream_{};
};

}  // namespace zlib
}  // namespace

std::unique_ptr<Decoder::Engine> make_zlib_decoder(Coding coding) {
  return std::make_unique<zlib::ZlibDecoder>(coding);
}

std::unique_ptr<Encoder::Engine> make_zlib_encoder(Coding coding, int level) {
  if (level < 0 || level > Z_BEST_COMPRESSION) refuse_level(coding, level, 1, Z_BEST_COMPRESSION);
  return std::make_unique<zlib::ZlibEncoder>(coding, level == 0 ? 6 : level);
}

}  // namespace extproc::coding
