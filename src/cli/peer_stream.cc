#include "cli/peer_stream.h"

#include <utility>

#include "cli/tls_build.h"
#include "extproc/error.h"
#include "tls/client_stream.h"

namespace extproc::cli {
namespace {

class ClearStream final : public PeerStream {
 public:
  void receive(std::string_view bytes, std::string& text) override { text += bytes; }
  void receive_end() override {}
  void send(std::string_view text) override { output_ += text; }
  std::string take_output() override { return std::exchange(output_, {}); }
  bool is_open() const override { return true; }

 private:
  std::string output_;
};

#ifdef EXTPROC_WITH_TLS
class TlsStream final : public PeerStream {
 public:
  explicit TlsStream(const tls::ClientSettings& tls) : stream_(tls) {}

  void receive(std::string_view bytes, std::string& text) override { stream_.receive(bytes, text); }
  void receive_end() override { stream_.receive_end(); }
  void send(std::string_view text) override { stream_.send(text); }
  std::string take_output() override { return stream_.take_output(); }
  bool is_open() const override { return stream_.is_open(); }

 private:
  tls::ClientStream stream_;
};
#endif

}  // namespace

std::unique_ptr<PeerStream> make_peer_stream(const std::optional<tls::ClientSettings>& tls) {
  if (!tls) return std::make_unique<ClearStream>();
#ifdef EXTPROC_WITH_TLS
  return std::make_unique<TlsStream>(*tls);
#else
  throw Error(why_no_tls("--tls"));
#endif
}

}  // namespace extproc::cli
