#include "extproc/coding.h"

#include <algorithm>
#include <array>

#include "base/header_name.h"
#include "blocks/coding/engine.h"
#include "extproc/error.h"
#include "extproc/http.h"

namespace extproc::coding {

namespace {

constexpr std::size_t kBlock = 16384;
/// Below it any ratio is right: a short text of one byte is no bomb.
constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;

constexpr std::array<std::string_view, 5> kNames = {"identity", "gzip", "deflate", "br", "zstd"};

class PlainDecoder final : public Decoder::Engine {
 public:
  std::size_t decode(std::string_view& bytes, char* out, std::size_t room) override {
    const std::size_t size = bytes.copy(out, room);
    bytes.remove_prefix(size);
    return size;
  }
  bool at_end() const override { return true; }
};

class PlainEncoder final : public Encoder::Engine {
 public:
  void encode(std::string_view bytes, Flush /*flush*/, std::string& out) override { out += bytes; }
};

std::unique_ptr<Decoder::Engine> make_decoder(Coding coding) {
  switch (coding) {
    case Coding::gzip:
    case Coding::deflate:
      return make_zlib_decoder(coding);
    case Coding::br:
      return make_brotli_decoder();
    case Coding::zstd:
      return make_zstd_decoder();
    case Coding::identity:
      break;
  }
  return std::make_unique<PlainDecoder>();
}

std::unique_ptr<Encoder::Engine> make_encoder(Coding coding, int level) {
  switch (coding) {
    case Coding::gzip:
    case Coding::deflate:
      return make_zlib_encoder(coding, level);
    case Coding::br:
      return make_brotli_encoder(level);
    case Coding::zstd:
      return make_zstd_encoder(level);
    case Coding::identity:
      break;
  }
  return std::make_unique<PlainEncoder>();
}

}  // namespace

std::optional<Coding> coding_of(std::string_view content_encoding) {
  Coding coding = Coding::identity;
  for (const std::string_view name : http::split_list(content_encoding)) {
    if (same_name(name, "identity")) continue;
    if (coding != Coding::identity) return std::nullopt;
    const auto known =
        std::ranges::find_if(kNames, [name](std::string_view one) { return same_name(one, name); });
    if (known != kNames.end()) {
      coding = static_cast<Coding>(known - kNames.begin());
    } else if (same_name(name, "x-gzip")) {
      coding = Coding::gzip;
    } else {
      return std::nullopt;
    }
  }
  return coding;
}

std::optional<Coding> coding_of(const HeaderView& headers) {
  std::string all;
  for (const Header& header : headers) {
    if (same_name(header.name, "content-encoding")) all.append(header.value).append(",");
  }
  return coding_of(all);
}

std::string_view name_of(Coding coding) { return kNames[static_cast<std::size_t>(coding)]; }

Decoder::Decoder(Coding coding, DecodeLimits limits) : engine_(make_decoder(coding)) {
  engine_->limits = limits;
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::decode(std::string_view bytes, std::string& out) {
  Engine& engine = *engine_;
  engine.bytes_read += bytes.size();
  const std::uint64_t by_ratio = std::max(kSmall, engine.bytes_read * engine.limits.ratio);
  const std::uint64_t most = std::min(engine.limits.bytes, by_ratio);
  // One byte more than allowed shows that there is more.
  while (true) {
    const auto room =
        static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, most - engine.bytes_made + 1));
    const std::size_t size = out.size();
    out.resize(size + room);
    const std::size_t made = engine.decode(bytes, out.data() + size, room);
    engine.bytes_made += made;
    if (engine.bytes_made > most) {
      out.resize(size);
      engine.bytes_made = most;
      throw CodingError("a body becomes too large where it is decoded: more than " +
                        (most < engine.limits.bytes
                             ? std::to_string(engine.limits.ratio) + " times its size"
                             : std::to_string(engine.limits.bytes) + " bytes"));
    }
    out.resize(size + made);
    if (made < room) return;
  }
}

void Decoder::finish() {
  if (engine_->bytes_read != 0 && !engine_->at_end()) {
    throw CodingError("a body ends too early to be decoded");
  }
}

Encoder::Encoder(Coding coding, int level) : engine_(make_encoder(coding, level)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

void Encoder::encode(std::string_view bytes, Flush flush, std::string& out) {
  engine_->encode(bytes, flush, out);
}

std::string decoded(Coding coding, std::string_view body, DecodeLimits limits) {
  Decoder decoder(coding, limits);
  std::string plain;
  decoder.decode(body, plain);
  decoder.finish();
  return plain;
}

std::string encoded(Coding coding, std::string_view body, int level) {
  std::string bytes;
  Encoder(coding, level).encode(body, Flush::end, bytes);
  return bytes;
}

bool is_changeable(const HttpHeaders& headers) {
  return coding_of(headers) && !http::has_token(headers, "cache-control", "no-transform") &&
         !headers.value("content-range") && headers.value(":status") != "206";
}

std::string detail::weak_tag(std::string_view tag) {
  return (tag.starts_with("W/") ? "" : "W/") + std::string(tag);
}

void detail::tell_changed(const HttpHeaders& headers, HeaderMutation& mutation) {
  for (const std::string_view name : {"content-length", "content-md5", "content-digest",
                                      "repr-digest", "digest", "accept-ranges"}) {
    if (headers.value(name)) mutation.remove(name);
  }
  const auto tag = headers.value("etag");
  if (tag && !tag->starts_with("W/")) mutation.set("etag", weak_tag(*tag));
}

void refuse_level(Coding coding, int level, int least, int most) {
  throw Error("level " + std::to_string(level) + " of " + std::string(name_of(coding)) +
              ": it has " + std::to_string(least) + " to " + std::to_string(most) +
              ", and 0 for the default");
}

}  // namespace extproc::coding
