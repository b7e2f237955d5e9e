// The state machine of TLS: any bytes as a client's, and what a real client sends, cut, flipped,
// doubled and out of order. The first byte chooses; the rest are the bytes, or what to do with each
// record.
#include <openssl/err.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "tls/session.h"
#include "tls/test_authority.h"
#include "tls/test_client.h"

namespace {

using namespace extproc;

struct Server {
  Server() {
    tls::TestAuthority ca("ca");
    const tls::Pair pair = ca.issue({});
    TlsSettings settings;
    settings.certificate = pair.certificate;
    settings.key = pair.key;
    context = std::make_shared<const tls::ServerContext>(tls::load_material(settings),
                                                         tls::AllowedNames(), TlsVersion::v1_2);
  }
  std::shared_ptr<const tls::ServerContext> context;
};

/// Each record of TLS, with its head.
std::vector<std::string> records_of(const std::string& bytes) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at + 5 <= bytes.size();) {
    const std::size_t size = 5 + (static_cast<unsigned char>(bytes[at + 3]) << 8U) +
                             static_cast<unsigned char>(bytes[at + 4]);
    records.push_back(bytes.substr(at, size));
    at += size;
  }
  return records;
}

void mangle(std::string& bytes, std::uint8_t how, std::uint8_t where) {
  auto records = records_of(bytes);
  if (records.empty()) return;
  std::string& chosen = records[where % records.size()];
  switch (how % 6) {
    case 0:
      break;
    case 1:
      chosen.resize(chosen.size() / 2);
      break;
    case 2:
      chosen[where % chosen.size()] = static_cast<char>(chosen[where % chosen.size()] ^ how);
      break;
    case 3:
      chosen += chosen;
      break;
    case 4:
      std::swap(records.front(), records.back());
      break;
    case 5:
      chosen.clear();
      break;
  }
  bytes.clear();
  for (const std::string& record : records) bytes += record;
}

/// A client whose flights are mangled as the input says.
void play_client(const Server& server, const std::uint8_t* data, std::size_t size) {
  server::SecureBuffers buffers;
  tls::Session session(server.context, buffers);
  tls::TestClient client(session, buffers, {});
  bool mangled = false;
  for (std::size_t i = 0; i + 1 < size && i < 40; i += 2) {
    ERR_clear_error();
    if (SSL_is_init_finished(client.ssl()) == 1) {
      SSL_write(client.ssl(), "text", 4);
    } else {
      SSL_do_handshake(client.ssl());
    }
    std::string bytes = client.take_bytes();
    const std::string as_sent = bytes;
    mangle(bytes, data[i], data[i + 1]);
    mangled = mangled || bytes != as_sent;
    client.give(bytes);
    const std::string text = client.text();
    // What is taken for text is what was sent, in its order, whatever came.
    fuzz::check(text.empty() || text == "text", "text is what was sent");
    if (session.state() == server::SecureSession::State::failed) {
      fuzz::check(mangled, "only what is broken fails");
      return;
    }
  }
}

void give_bytes(const Server& server, std::string_view bytes) {
  server::SecureBuffers buffers;
  tls::Session session(server.context, buffers);
  while (!bytes.empty()) {
    const std::size_t size = 1 + static_cast<unsigned char>(bytes.front());
    session.take(bytes.substr(0, size));
    fuzz::check(session.state() != server::SecureSession::State::open, "nobody knows the keys");
    fuzz::check(session.read().empty(), "there is no text before the handshake");
    if (session.state() == server::SecureSession::State::failed) return;
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server;
  if (size < 2) return 0;
  if (data[0] % 4 == 0) {
    give_bytes(server, {reinterpret_cast<const char*>(data) + 1, size - 1});
  } else {
    play_client(server, data + 1, size - 1);
  }
  return 0;
}
