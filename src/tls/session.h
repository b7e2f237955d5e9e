#pragma once

#include <memory>

#include "server/transport.h"
#include "tls/server_context.h"
#include "tls/verify.h"

namespace extproc::tls {

/// One connection's TLS. OpenSSL reads from and writes to the buffers of the thread, so that the
/// connection keeps none of its own but for a record that is incomplete.
class Session final : public server::SecureSession {
 public:
  Session(std::shared_ptr<const ServerContext> context, server::SecureBuffers& buffers);

  void take(std::string_view bytes) override;
  std::string_view read() override;
  void write(std::string_view text) override;
  void end() override;

  State state() const override { return state_; }
  const server::SecureFailure& failure() const override { return verification_.failure; }
  std::shared_ptr<const PeerCertificate> peer_certificate() const override { return peer_; }
  std::size_t memory() const override;

 private:
  void shake_hands();
  void finish_handshake();
  static void on_message(int written, int version, int type, const void* bytes, std::size_t size,
                         SSL* ssl, void* session);
  void fail();

  const std::shared_ptr<const ServerContext> context_;
  server::SecureBuffers& buffers_;
  Verification verification_;
  SslPtr ssl_;
  std::shared_ptr<const PeerCertificate> peer_;
  State state_ = State::handshake;
  bool begun_ = false;
  /// Messages of the peer that are no text, since its last text.
  unsigned other_messages_ = 0;
};

}  // namespace extproc::tls
