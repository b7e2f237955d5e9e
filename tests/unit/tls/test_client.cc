#include "test_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <utility>

namespace extproc::tls {

TestClient::TestClient(server::SecureSession& session, server::SecureBuffers& buffers,
                       const Options& options)
    : session_(session), buffers_(buffers), context_(SSL_CTX_new(TLS_client_method())) {
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(context_.get(), options.version);
    SSL_CTX_set_max_proto_version(context_.get(), options.version);
  }
  if (!options.pair.certificate.empty()) {
    const BioPtr certificate(BIO_new_mem_buf(options.pair.certificate.data(), -1));
    const BioPtr key(BIO_new_mem_buf(options.pair.key.data(), -1));
    SSL_CTX_use_certificate(
        context_.get(),
        X509Ptr(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)).get());
    SSL_CTX_use_PrivateKey(
        context_.get(),
        KeyPtr(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr)).get());
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  if (options.protocol.empty()) return;
  const std::string wire = static_cast<char>(options.protocol.size()) + options.protocol;
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                      static_cast<unsigned>(wire.size()));
}

std::string TestClient::take_bytes() {
  BIO* out = SSL_get_wbio(ssl_.get());
  std::string bytes(BIO_pending(out), '\0');
  if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

void TestClient::give(std::string_view bytes) {
  session_.take(bytes);
  while (true) {
    const std::string_view text = session_.read();
    if (text.empty()) break;
    text_ += text;
  }
  const std::string out = std::exchange(buffers_.out, {});
  if (!out.empty()) BIO_write(SSL_get_rbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
}

bool TestClient::shake_hands() {
  for (int i = 0; i < 10; ++i) {
    ERR_clear_error();
    const bool done = SSL_do_handshake(ssl_.get()) == 1;
    const std::string bytes = take_bytes();
    if (bytes.empty()) return done;
    give(bytes);
  }
  return false;
}

void TestClient::write(std::string_view text) {
  ERR_clear_error();
  SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  give(take_bytes());
}

std::string TestClient::read() {
  if (!buffers_.out.empty()) {
    const std::string out = std::exchange(buffers_.out, {});
    BIO_write(SSL_get_rbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
  }
  std::string all;
  std::array<char, 4096> part{};
  ERR_clear_error();
  for (int size = 0; (size = SSL_read(ssl_.get(), part.data(), part.size())) > 0;)
    all.append(part.data(), static_cast<std::size_t>(size));
  return all;
}

std::string TestClient::text() { return std::exchange(text_, {}); }

}  // namespace extproc::tls
