#include "tls/make_certificates.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "extproc/error.h"
#include "tls/handles.h"

namespace extproc::tls {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kClocksDiffer{5};
/// At most 20 bytes, and positive.
constexpr std::size_t kSerialBytes = 16;

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free<&X509_EXTENSION_free>>;

struct Pair {
  X509Ptr certificate;
  KeyPtr key;
};

void require(bool worked, std::string_view what) {
  if (worked) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  throw Error("OpenSSL cannot " + std::string(what) + ": " + reason.data());
}

void set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  require(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "get random bytes");
  bytes.front() &= 0x7fU;
  bytes.front() |= 0x40U;
  const std::unique_ptr<BIGNUM, Free<&BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  require(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
          "number a certificate");
}

void set_times(X509* certificate, std::chrono::seconds lifetime) {
  const std::chrono::seconds before = kClocksDiffer;
  require(X509_gmtime_adj(X509_getm_notBefore(certificate), -before.count()) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime.count()) != nullptr,
          "date a certificate");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
          "add to a certificate \"" + value + "\"");
}

/// With a key of its own, not yet signed.
Pair new_certificate(const char* name, std::chrono::seconds lifetime) {
  Pair pair{X509Ptr(X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
  require(pair.certificate && pair.key, "make a key");
  X509* certificate = pair.certificate.get();
  require(X509_set_version(certificate, X509_VERSION_3) == 1 &&
              X509_set_pubkey(certificate, pair.key.get()) == 1,
          "make a certificate");
  set_serial(certificate);
  set_times(certificate, lifetime);
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                     // NOLINTNEXTLINE(*-reinterpret-cast): C's two kinds of bytes
                                     reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1,
          "name a certificate");
  return pair;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
              X509_sign(certificate, key, EVP_sha256()) > 0,
          "sign a certificate");
}

Pair make_ca(std::chrono::seconds lifetime) {
  Pair ca = new_certificate("extproc CA of one run", lifetime);
  X509* certificate = ca.certificate.get();
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  sign(certificate, certificate, ca.key.get());
  return ca;
}

Pair make_signed(const Pair& ca, const char* usage, const AlternativeNames& names,
                 std::chrono::seconds lifetime) {
  Pair pair = new_certificate(usage, lifetime);
  X509* certificate = pair.certificate.get();
  X509* issuer = ca.certificate.get();
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, issuer, NID_ext_key_usage, usage);
  add_extension(certificate, issuer, NID_subject_alt_name, list);
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  sign(certificate, issuer, ca.key.get());
  return pair;
}

/// A new file, which nobody else may read before anything is in it.
BioPtr create(const fs::path& path, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) throw Error("cannot make " + path.string() + ": " + std::strerror(errno));
  BioPtr file(BIO_new_fd(fd, BIO_CLOSE));
  require(file != nullptr, "write " + path.string());
  return file;
}

fs::path write_certificate(const fs::path& path, X509* certificate) {
  const BioPtr file = create(path, 0644);
  require(PEM_write_bio_X509(file.get(), certificate) == 1, "write " + path.string());
  return path;
}

fs::path write_key(const fs::path& path, const EVP_PKEY* key) {
  const BioPtr file = create(path, 0600);
  require(PEM_write_bio_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write " + path.string());
  return path;
}

}  // namespace

MadeCertificates make_certificates(const fs::path& folder, const AlternativeNames& server,
                                   const AlternativeNames& client, std::chrono::seconds lifetime) {
  const Pair ca = make_ca(lifetime);
  const Pair of_server = make_signed(ca, "serverAuth", server, lifetime);
  const Pair of_client = make_signed(ca, "clientAuth", client, lifetime);
  return {write_certificate(folder / "ca.pem", ca.certificate.get()),
          write_certificate(folder / "server.pem", of_server.certificate.get()),
          write_key(folder / "server.key", of_server.key.get()),
          write_certificate(folder / "client.pem", of_client.certificate.get()),
          write_key(folder / "client.key", of_client.key.get())};
}

}  // namespace extproc::tls
