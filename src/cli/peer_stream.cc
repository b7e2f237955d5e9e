#include "cli/peer_stream.h"

#include <utility>

#include "extproc/error.h"
#ifdef EXTPROC_WITH_TLS
#include "tls/client_stream.h"
#endif

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
  explicit TlsStream(const PeerTlsOptions& tls)
      : stream_({tls.ca_file, tls.certificate_file, tls.key_file, tls.server_name}) {}

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

std::unique_ptr<PeerStream> make_peer_stream(const std::optional<PeerTlsOptions>& tls) {
  if (!tls) return std::make_unique<ClearStream>();
#ifdef EXTPROC_WITH_TLS
  return std::make_unique<TlsStream>(*tls);
#else
  throw Error("this extproc was built without TLS");
#endif
}

}  // namespace extproc::cli
