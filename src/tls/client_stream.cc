#include "tls/client_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>

#include <array>
#include <new>
#include <utility>

#include "extproc/error.h"
#include "tls/credentials.h"
#include "tls/peer_error.h"

namespace extproc::tls {
namespace {

constexpr std::string_view kH2 = "h2";
/// The kinds of TLS's records with which a server can begin.
constexpr char kAlertRecord = 0x15;
constexpr char kFirstRecord = 0x16;

SslContextPtr make_client_context(const ClientSettings& settings) {
  SslContextPtr context = make_context(TLS_client_method());
  if (settings.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    trust(context.get(), load("ca", settings.ca_file, ""));
  }
  if (!settings.certificate_file.empty()) {
    use_certificate(context.get(), load("certificate", settings.certificate_file, ""),
                    load("key", settings.key_file, ""));
  }
  return context;
}

bool is_address(const std::string& name) {
  in6_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

void expect_name(SSL* session, const std::string& name) {
  X509_VERIFY_PARAM* checked = SSL_get0_param(session);
  // The subject's common name counts for no client any more.
  X509_VERIFY_PARAM_set_hostflags(
      checked, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_set = is_address(name)
                          ? X509_VERIFY_PARAM_set1_ip_asc(checked, name.c_str()) == 1
                          : X509_VERIFY_PARAM_set1_host(checked, name.c_str(), name.size()) == 1 &&
                                SSL_set_tlsext_host_name(session, name.c_str()) == 1;
  if (name.empty() || !is_set) {
    ERR_clear_error();
    throw Error("\"" + name + "\" cannot be a server's name: see --tls-server-name");
  }
}

}  // namespace

struct ClientStream::Impl {
  explicit Impl(const ClientSettings& settings)
      : name(settings.server_name),
        has_certificate(!settings.certificate_file.empty()),
        context(make_client_context(settings)),
        session(SSL_new(context.get())) {}

  void set_up();
  void shake_hands();
  void read(std::string& text);
  void require_tls(std::string_view bytes) const;
  [[noreturn]] void fail();

  static int on_verified(int ok, X509_STORE_CTX* store);
  static int on_certificate_asked(SSL* session, X509** certificate, EVP_PKEY** key);

  std::string name;
  bool has_certificate;
  SslContextPtr context;
  SslPtr session;
  /// Of the session, which owns them.
  BIO* in = nullptr;
  BIO* out = nullptr;
  /// What is to be sent when the handshake is done.
  std::string waiting;
  /// Why the server's certificate is refused.
  std::string distrust;
  bool received = false;
  bool was_asked = false;
  bool open = false;
  /// Whether it said anything once the handshake was done: a server that lets us in.
  bool talked = false;
};

void ClientStream::Impl::set_up() {
  in = BIO_new(BIO_s_mem());
  out = BIO_new(BIO_s_mem());
  if (!session || in == nullptr || out == nullptr) throw std::bad_alloc();
  // An empty one waits for more, and is not at its end.
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(session.get(), in, out);
  SSL_set_app_data(session.get(), this);
  SSL_set_verify(session.get(), SSL_VERIFY_PEER, &on_verified);
  SSL_CTX_set_client_cert_cb(context.get(), &on_certificate_asked);
  SSL_set_alpn_protos(session.get(), kHttp2Protocol, sizeof kHttp2Protocol);
  expect_name(session.get(), name);
  SSL_set_connect_state(session.get());
  shake_hands();
}

int ClientStream::Impl::on_verified(int ok, X509_STORE_CTX* store) {
  if (ok != 1) {
    const auto* session = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& self = *static_cast<Impl*>(SSL_get_app_data(session));
    if (self.distrust.empty()) self.distrust = certificate_error(store, self.name);
  }
  return ok;
}

int ClientStream::Impl::on_certificate_asked(SSL* session, X509**, EVP_PKEY**) {
  auto& self = *static_cast<Impl*>(SSL_get_app_data(session));
  self.was_asked = !self.has_certificate;
  return 0;
}

void ClientStream::Impl::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session.get());
  if (result != 1) {
    if (SSL_get_error(session.get(), result) != SSL_ERROR_WANT_READ) fail();
    return;
  }
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(session.get(), &protocol, &length);
  if (std::string_view(reinterpret_cast<const char*>(protocol), length) != kH2) {
    throw Error("the server does not speak HTTP/2 over TLS (ALPN h2)");
  }
  open = true;
}

void ClientStream::Impl::read(std::string& text) {
  std::array<char, 4096> part;
  while (true) {
    ERR_clear_error();
    const int size = SSL_read(session.get(), part.data(), static_cast<int>(part.size()));
    if (size <= 0) {
      const int why = SSL_get_error(session.get(), size);
      // That the server is at its end is heard of from the connection.
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN) return;
      fail();
    }
    talked = true;
    text.append(part.data(), static_cast<std::size_t>(size));
  }
}

void ClientStream::Impl::fail() {
  if (distrust.empty()) throw Error(session_error(has_certificate, was_asked));
  ERR_clear_error();
  throw Error(distrust);
}

void ClientStream::Impl::require_tls(std::string_view bytes) const {
  if (received || bytes.empty()) return;
  if (bytes.front() == kAlertRecord || bytes.front() == kFirstRecord) return;
  throw Error("the server does not speak TLS: leave out the --tls flags if it speaks clear text");
}

ClientStream::ClientStream(const ClientSettings& settings)
    : impl_(std::make_unique<Impl>(settings)) {
  impl_->set_up();
}

ClientStream::~ClientStream() = default;

void ClientStream::receive(std::string_view bytes, std::string& text) {
  impl_->require_tls(bytes);
  impl_->received = true;
  BIO_write(impl_->in, bytes.data(), static_cast<int>(bytes.size()));
  if (!impl_->open) {
    impl_->shake_hands();
    if (impl_->open) send(std::exchange(impl_->waiting, {}));
  }
  if (impl_->open) impl_->read(text);
}

void ClientStream::receive_end() {
  if (impl_->was_asked && !impl_->talked) throw Error(kCertificateAskedFor);
  if (!impl_->open) {
    throw Error(impl_->received
                    ? "the server closed the connection in the middle of the TLS handshake"
                    : "the server closed the connection in place of a TLS handshake: leave out the "
                      "--tls flags if it speaks clear text");
  }
}

void ClientStream::send(std::string_view text) {
  if (!impl_->open) {
    impl_->waiting += text;
    return;
  }
  if (text.empty()) return;
  ERR_clear_error();
  // Into memory, so that it is always taken as a whole.
  if (SSL_write(impl_->session.get(), text.data(), static_cast<int>(text.size())) <= 0) {
    impl_->fail();
  }
}

std::string ClientStream::take_output() {
  std::string bytes(BIO_ctrl_pending(impl_->out), '\0');
  if (!bytes.empty()) BIO_read(impl_->out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool ClientStream::is_open() const { return impl_->open; }

}  // namespace extproc::tls
