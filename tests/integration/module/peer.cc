#include "extproc/extproc.h"

namespace test_processors {

/// Tells the upstream by which certificate its caller was let in.
class Peer : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context& context,
                               extproc::Request&, extproc::HeadersResponse& response) override {
    const extproc::PeerCertificate* peer = context.peer_certificate();
    response.set_header("x-peer", peer == nullptr ? "none" : peer->subject);
    if (peer == nullptr) return;
    response.set_header("x-peer-fingerprint", peer->fingerprint);
    for (const std::string& name : peer->dns_names) response.append_header("x-peer-name", name);
    for (const std::string& uri : peer->uris) response.append_header("x-peer-uri", uri);
  }
};

EXTPROC_EXPORT(Peer)

}  // namespace test_processors
