#include "tls/pem.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "extproc/error.h"

namespace extproc::tls {
namespace {

/// Far more than any bundle of CAs has.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;
/// In milliseconds.
constexpr int kPipeTime = 1'000;

[[noreturn]] void refuse_file(const std::string& file, const char* why) {
  throw Error(file + " cannot be read: " + why);
}

/// Whether a pipe has something, or its end, soon.
bool comes_soon(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, kPipeTime) > 0;
}

// A pipe is read as well, since a shell gives one for `<(command)`, but is not waited for.
std::string read_file(const std::string& file) {
  const UniqueFd in(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!in) refuse_file(file, std::strerror(errno));
  std::string text;
  std::array<char, 4096> part;
  while (text.size() <= kMostBytes) {
    const ssize_t size = ::read(in.get(), part.data(), part.size());
    if (size > 0) {
      text.append(part.data(), static_cast<std::size_t>(size));
    } else if (size == 0) {
      break;
    } else if (errno == EAGAIN) {
      if (!comes_soon(in.get())) refuse_file(file, "it is a pipe into which nobody writes");
    } else if (errno != EINTR) {
      refuse_file(file, std::strerror(errno));
    }
  }
  return text;
}

BioPtr reader_of(const Pem& pem) {
  return BioPtr(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

/// No password is known, and none is asked for on a terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Whether reading one after another ended because there are no more.
bool at_end() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// All of one kind; `read_one` is OpenSSL's reader of it.
template <class Ptr, class ReadOne>
std::vector<Ptr> read_all(const Pem& pem, const char* what, ReadOne read_one) {
  ERR_clear_error();
  const BioPtr in = reader_of(pem);
  std::vector<Ptr> all;
  while (Ptr one{read_one(in.get())}) all.push_back(std::move(one));
  if (!at_end()) {
    throw Error(pem.source + ": " + what + " " + std::to_string(all.size() + 1) +
                " cannot be read: " + last_error());
  }
  ERR_clear_error();
  if (all.empty()) {
    throw Error(pem.source + " has no " + what + ": PEM is expected, with a line \"-----BEGIN " +
                (std::strcmp(what, "certificate") == 0 ? "CERTIFICATE" : "X509 CRL") + "-----\"");
  }
  return all;
}

}  // namespace

Pem load(std::string_view setting, const std::string& file, const std::string& text) {
  const std::string name = "TlsSettings::" + std::string(setting);
  if (!file.empty() && !text.empty())
    throw Error(name + " and " + name + "_file are both given: give one of them");
  if (file.empty() && text.empty()) return {};
  Pem pem = file.empty() ? Pem{name, text} : Pem{file, read_file(file)};
  if (pem.text.size() > kMostBytes) throw Error(pem.source + " is larger than 16 MiB");
  return pem;
}

std::vector<X509Ptr> certificates(const Pem& pem) {
  return read_all<X509Ptr>(
      pem, "certificate", [](BIO* in) { return PEM_read_bio_X509(in, nullptr, nullptr, nullptr); });
}

std::vector<CrlPtr> revocation_lists(const Pem& pem) {
  return read_all<CrlPtr>(pem, "certificate revocation list", [](BIO* in) {
    return PEM_read_bio_X509_CRL(in, nullptr, nullptr, nullptr);
  });
}

KeyPtr private_key(const Pem& pem) {
  ERR_clear_error();
  bool password = false;
  KeyPtr key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, &no_password, &password));
  if (key != nullptr) return key;
  if (password) {
    ERR_clear_error();
    throw Error(pem.source +
                ": the key has a password: write it without one (openssl pkey -in FILE -out FILE)");
  }
  if (pem.text.find("PRIVATE KEY-----") == std::string::npos) {
    ERR_clear_error();
    throw Error(
        pem.source +
        " has no private key: PEM is expected, with a line \"-----BEGIN PRIVATE KEY-----\"");
  }
  throw Error(pem.source + ": the private key cannot be read: " + last_error());
}

std::string last_error() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "for no reason that OpenSSL tells" : reason;
}

}  // namespace extproc::tls
