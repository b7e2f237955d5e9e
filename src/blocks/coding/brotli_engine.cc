// br, by Google's library.
#include <brotli/decode.h>
#include <brotli/encode.h>

#include <new>

#include "blocks/coding/engine.h"

namespace extproc::coding {

namespace {
namespace brotli {

constexpr std::size_t kBlock = 16384;

const std::uint8_t* input(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

class BrotliDecoder final : public Decoder::Engine {
 public:
  BrotliDecoder() {
    if (!state_) throw std::bad_alloc();
  }

  std::size_t decode(std::string_view& bytes, char* out, std::size_t room) override {
    if (at_end_) {
      if (bytes.empty()) return 0;
      throw CodingError("there is something behind the end of a body of br");
    }
    std::size_t left = bytes.size();
    std::size_t room_left = room;
    const std::uint8_t* from = input(bytes);
    auto* to = reinterpret_cast<std::uint8_t*>(out);
    const auto result =
        BrotliDecoderDecompressStream(state_.get(), &left, &from, &room_left, &to, nullptr);
    bytes.remove_prefix(bytes.size() - left);
    if (result == BROTLI_DECODER_RESULT_ERROR) throw CodingError("a body is no br");
    at_end_ = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (at_end_ && !bytes.empty()) {
      throw CodingError("there is something behind the end of a body of br");
    }
    return room - room_left;
  }

  bool at_end() const override { return at_end_; }

 private:
  struct Destroy {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliDecoderState, Destroy> state_{
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
  bool at_end_ = false;
};

class BrotliEncoder final : public Encoder::Engine {
 public:
  explicit BrotliEncoder(int level) {
    if (!state_) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY,
                              static_cast<std::uint32_t>(level));
  }

  void encode(std::string_view bytes, Flush flush, std::string& out) override {
    const auto operation = flush == Flush::none  ? BROTLI_OPERATION_PROCESS
                           : flush == Flush::now ? BROTLI_OPERATION_FLUSH
                                                 : BROTLI_OPERATION_FINISH;
    std::size_t left = bytes.size();
    const std::uint8_t* from = input(bytes);
    do {
      append_all(out, kBlock, [&](char* begin, std::size_t room) {
        std::size_t room_left = room;
        auto* to = reinterpret_cast<std::uint8_t*>(begin);
        if (BrotliEncoderCompressStream(state_.get(), operation, &left, &from, &room_left, &to,
                                        nullptr) == BROTLI_FALSE) {
          throw std::bad_alloc();
        }
        return room - room_left;
      });
    } while (left != 0 || BrotliEncoderHasMoreOutput(state_.get()) != BROTLI_FALSE);
  }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_{
      BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)};
};

}  // namespace brotli
}  // namespace

std::unique_ptr<Decoder::Engine> make_brotli_decoder() {
  return std::make_unique<brotli::BrotliDecoder>();
}

std::unique_ptr<Encoder::Engine> make_brotli_encoder(int level) {
  if (level < 0 || level > BROTLI_MAX_QUALITY) {
    refuse_level(Coding::br, level, 1, BROTLI_MAX_QUALITY);
  }
  return std::make_unique<brotli::BrotliEncoder>(level == 0 ? 4 : level);
}

}  // namespace extproc::coding
