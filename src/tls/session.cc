#include "tls/session.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "http2/foreign_protocol.h"

namespace extproc::tls {
namespace {

using server::SecureBuffers;

/// What a session of OpenSSL was seen to take, in the handshake and behind it.
constexpr std::size_t kHandshakeBytes = std::size_t{48} << 10;
constexpr std::size_t kOpenBytes = std::size_t{12} << 10;
/// Far more than a peer needs.
constexpr unsigned kMostOtherMessages = 32;
constexpr const char* kManyKeys = "the peer changes its keys again and again";

SecureBuffers& buffers_of(BIO* bio) { return *static_cast<SecureBuffers*>(BIO_get_data(bio)); }

int read_bytes(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  std::string_view& in = buffers_of(bio).in;
  const std::size_t count = std::min(in.size(), static_cast<std::size_t>(size));
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(to, in.data(), count);
  in.remove_prefix(count);
  return static_cast<int>(count);
}

int write_bytes(BIO* bio, const char* from, int size) {
  buffers_of(bio).out.append(from, static_cast<std::size_t>(size));
  return size;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  // All else means nothing where nothing is kept.
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/// Clearing errors costs as much where there are none, which is nearly always: a tenth of a record.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

using MethodPtr = std::unique_ptr<BIO_METHOD, Free<&BIO_meth_free>>;

MethodPtr make_method() {
  MethodPtr method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "extproc buffers"));
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_read(method.get(), &read_bytes);
  BIO_meth_set_write(method.get(), &write_bytes);
  BIO_meth_set_ctrl(method.get(), &control);
  return method;
}

BioPtr make_bio(SecureBuffers& buffers) {
  static const MethodPtr method = make_method();
  BioPtr bio(BIO_new(method.get()));
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio.get(), &buffers);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace

Session::Session(std::shared_ptr<const ServerContext> context, SecureBuffers& buffers)
    : context_(std::move(context)),
      buffers_(buffers),
      verification_{context_->allowed()},
      ssl_(context_->make_ssl()) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  buffers.text.resize(SecureBuffers::kRecord);
  BIO* bio = make_bio(buffers).release();
  // It owns the two that are one.
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), &verification_);
  SSL_set_accept_state(ssl_.get());
}

void Session::take(std::string_view bytes) {
  if (!begun_ && !bytes.empty()) {
    begun_ = true;
    if (const std::string_view foreign = http2::foreign_to_tls(bytes); !foreign.empty()) {
      state_ = State::failed;
      verification_.failure = {std::string(foreign), std::string(foreign)};
      return;
    }
  }
  buffers_.in = bytes;
  if (state_ == State::handshake) shake_hands();
}

void Session::shake_hands() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return finish_handshake();
  if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) fail();
}

void Session::finish_handshake() {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size == 0) {
    state_ = State::failed;
    verification_.failure = failure_without_protocol();
    return;
  }
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate != nullptr)
    peer_ = std::make_shared<const PeerCertificate>(describe(certificate));
  state_ = State::open;
  SSL_set_msg_callback(ssl_.get(), &Session::on_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

// Each key that a peer changes is answered with another.
void Session::on_message(int written, int /*version*/, int type, const void* /*bytes*/,
                         std::size_t /*size*/, SSL* /*ssl*/, void* session) {
  if (written != 0 || type != SSL3_RT_HANDSHAKE) return;
  auto& self = *static_cast<Session*>(session);
  if (++self.other_messages_ <= kMostOtherMessages) return;
  self.buffers_.in = {};
  self.verification_.failure = {kManyKeys, kManyKeys};
}

std::string_view Session::read() {
  if (state_ != State::open) return {};
  // OpenSSL would set up a buffer to find that there is nothing.
  if (buffers_.in.empty() && SSL_has_pending(ssl_.get()) == 0) return {};
  clear_errors();
  std::size_t size = 0;
  const int done = SSL_read_ex(ssl_.get(), buffers_.text.data(), buffers_.text.size(), &size);
  if (done == 1) {
    other_messages_ = 0;
    return {buffers_.text.data(), size};
  }
  if (other_messages_ > kMostOtherMessages) {
    fail();
    return {};
  }
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::ended;
      break;
    default:
      fail();
  }
  return {};
}

void Session::write(std::string_view text) {
  if (state_ != State::open || text.empty()) return;
  clear_errors();
  std::size_t written = 0;
  // What it is written to always takes all.
  if (SSL_write_ex(ssl_.get(), text.data(), text.size(), &written) != 1) fail();
}

void Session::end() {
  if (state_ == State::open || state_ == State::ended) SSL_shutdown(ssl_.get());
}

void Session::fail() {
  state_ = State::failed;
  if (verification_.failure.kind.empty()) {
    verification_.failure = failure_of_last_error();
  } else {
    ERR_clear_error();
  }
}

std::size_t Session::memory() const {
  return sizeof(Session) + (state_ == State::handshake ? kHandshakeBytes : kOpenBytes);
}

}  // namespace extproc::tls
