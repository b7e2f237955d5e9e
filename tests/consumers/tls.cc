// TLS is a component of its own: a program that links it gets it, with OpenSSL; no other does.

#include <extproc/error.h>
#include <extproc/tls.h>

#include <cstring>
#include <iostream>

int main() {
  extproc::TlsSettings settings;
  settings.certificate_file = settings.key_file = "/nowhere/tls.crt";
  try {
    extproc::tls_transport(settings);
  } catch (const extproc::Error& error) {
    std::cout << error.what() << "\n";
    return std::strstr(error.what(), "/nowhere/tls.crt cannot be read") == nullptr ? 1 : 0;
  }
  return 1;
}
