#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace bench::load {
namespace {

using Context = std::shared_ptr<SSL_CTX>;

constexpr const char* kServerName = "localhost";
constexpr const char* kSuite = "TLS_AES_128_GCM_SHA256";
constexpr unsigned char kHttp2[] = {2, 'h', '2'};
/// What OpenSSL asks the socket for at once.
constexpr std::size_t kReadAhead = std::size_t{64} << 10;

[[noreturn]] void fail(const std::string& what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
  throw std::runtime_error(what + ": " + reason);
}

Context make_context(const std::string& ca) {
  Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (context == nullptr) fail("OpenSSL cannot be used");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context.get(), kSuite);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(context.get(), ca.c_str()) != 1) fail("--tls-ca " + ca);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAhead);
  return context;
}

class TlsSocket final : public Socket {
 public:
  TlsSocket(const Context& context, int fd)
      : Socket(fd), context_(context), ssl_(SSL_new(context.get()), &SSL_free) {
    if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), fd) != 1) fail("OpenSSL cannot be used");
    SSL_set_alpn_protos(ssl_.get(), kHttp2, sizeof kHttp2);
    SSL_set_tlsext_host_name(ssl_.get(), kServerName);
    SSL_set1_host(ssl_.get(), kServerName);
    if (SSL_connect(ssl_.get()) != 1) fail("no TLS handshake");
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    if (size == 0) throw std::runtime_error("the server does not speak HTTP/2 over TLS (ALPN h2)");
    do_not_block(fd);
  }

  ssize_t read(std::span<std::uint8_t> to) override {
    std::size_t filled = 0;
    // It holds what it read ahead, of which no event tells.
    while (filled < to.size()) {
      std::size_t size = 0;
      ERR_clear_error();
      const int done = SSL_read_ex(ssl_.get(), to.data() + filled, to.size() - filled, &size);
      if (done != 1) return filled > 0 ? static_cast<ssize_t>(filled) : no_bytes(done);
      filled += size;
    }
    return static_cast<ssize_t>(filled);
  }

  ssize_t write(std::string_view from) override {
    std::size_t size = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_.get(), from.data(), from.size(), &size);
    return done == 1 ? static_cast<ssize_t>(size) : no_bytes(done);
  }

 private:
  ssize_t no_bytes(int done) const {
    const int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
  }

  Context context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

}  // namespace

Connector tls_connector(const std::string& ca, std::function<int()> connect) {
  // Its socket BIO writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  return [context = make_context(ca), connect = std::move(connect)] {
    return std::make_unique<TlsSocket>(context, connect());
  };
}

}  // namespace bench::load
