#include "test_authority.h"

#include <openssl/pem.h>

#include <stdexcept>

namespace extproc::tls {
namespace {

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not make it");
}

template <class Write>
std::string pem(Write write) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  require(write(out.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

KeyPtr make_key() { return KeyPtr(EVP_EC_gen("P-256")); }

X509Ptr make(const std::string& name, EVP_PKEY* key, long serial, long from, long until) {
  X509Ptr made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
  X509_set_pubkey(made.get(), key);
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                     0) == 1);
  return made;
}

void add(X509* to, X509* issuer, int kind, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) : key_(make_key()) {
  self_ = make(name, key_.get(), serial_, -7200, 7200);
  X509_set_issuer_name(self_.get(), X509_get_subject_name(self_.get()));
  add(self_.get(), self_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add(self_.get(), self_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  require(X509_sign(self_.get(), key_.get(), EVP_sha256()) > 0);
  certificate_ = pem_of(self_.get());
}

Pair TestAuthority::issue(const Issued& wanted) {
  const KeyPtr key = make_key();
  const X509Ptr made = make(wanted.name, key.get(), ++serial_, wanted.from, wanted.until);
  X509_set_issuer_name(made.get(), X509_get_subject_name(self_.get()));
  add(made.get(), self_.get(), NID_subject_alt_name, wanted.names);
  add(made.get(), self_.get(), NID_ext_key_usage, wanted.usage);
  require(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
  return {pem_of(made.get()), pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

std::string TestAuthority::revoke(const Pair& pair) {
  const BioPtr in(BIO_new_mem_buf(pair.certificate.data(), -1));
  const X509Ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  const CrlPtr list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(self_.get()));
  ASN1_TIME* time = X509_gmtime_adj(nullptr, -60);
  X509_CRL_set1_lastUpdate(list.get(), time);
  X509_REVOKED* revoked = X509_REVOKED_new();
  X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(certificate.get()));
  X509_REVOKED_set_revocationDate(revoked, time);
  require(X509_CRL_add0_revoked(list.get(), revoked) == 1);
  X509_gmtime_adj(time, 3600);
  X509_CRL_set1_nextUpdate(list.get(), time);
  ASN1_TIME_free(time);
  require(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0);
  return pem([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list.get()); });
}

}  // namespace extproc::tls
