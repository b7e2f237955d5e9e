#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace extproc::tls {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

// OpenSSL's objects, each with one owner.
using BioPtr = std::unique_ptr<BIO, Free<&BIO_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Free<&X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<&GENERAL_NAMES_free>>;
using SslPtr = std::unique_ptr<SSL, Free<&SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Free<&SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<&X509_free>>;

}  // namespace extproc::tls
