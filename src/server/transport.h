#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/peer_certificate.h"
#include "extproc/transport.h"

namespace extproc {
namespace server {

/// What the secure connections of one thread share; outlives them.
struct SecureBuffers {
  /// The longest text of a record.
  static constexpr std::size_t kRecord = std::size_t{16} << 10;

  /// What the peer sent and the session has not taken yet.
  std::string_view in{};
  /// What is to be sent to the peer, of the session that was called last.
  std::string out{};
  /// The text of one record; there is none before the first session.
  std::vector<char> text{};
};

/// Why a session failed.
struct SecureFailure {
  /// The same for all failures of a kind.
  std::string kind{};
  /// With what is of this one alone.
  std::string text{};
};

/// One connection's, between the bytes of its socket and those of HTTP/2. Whatever is called leaves
/// in SecureBuffers::out what is to be sent then. One thread.
class SecureSession {
 public:
  enum class State : std::uint8_t { handshake, open, ended, failed };

  virtual ~SecureSession() = default;

  /// Takes bytes of the socket, all of them; where state() is `open` then, read() gives their text.
  virtual void take(std::string_view bytes) = 0;
  /// The text of the next record, valid until the next call; empty where there is none yet, or none
  /// any more.
  virtual std::string_view read() = 0;
  /// One record. At most SecureBuffers::kRecord bytes; while it is open.
  virtual void write(std::string_view text) = 0;
  /// Tells the peer that nothing more will be written.
  virtual void end() = 0;

  virtual State state() const = 0;
  virtual const SecureFailure& failure() const = 0;
  /// Null where the peer showed none. After the handshake.
  virtual std::shared_ptr<const PeerCertificate> peer_certificate() const = 0;
  /// What it holds in memory for its peer, about, in bytes.
  virtual std::size_t memory() const = 0;
};

/// A certificate that is in use, for people.
struct ServedCertificate {
  /// "server"; "intermediate", between the server's and its CA; "client_ca".
  std::string use{};
  /// As RFC 2253 writes them.
  std::string subject{};
  std::string issuer{};
  /// "dns:a", "uri:b".
  std::vector<std::string> names{};
  // Of whole seconds: years far ahead fit.
  std::chrono::sys_seconds not_before{};
  std::chrono::sys_seconds not_after{};
  /// As PeerCertificate::fingerprint.
  std::string fingerprint{};
  /// The file, or the setting, that it is of.
  std::string source{};
};

/// What is in use, for operators who ask.
struct TransportReport {
  std::vector<ServedCertificate> certificates{};
  /// When something that had changed was taken last; and why what is there now was not taken, empty
  /// where it is in use.
  std::optional<std::chrono::system_clock::time_point> last_reload{};
  std::string reload_error{};
};

/// What became of reading files anew.
struct Refreshed {
  enum class Kind : std::uint8_t { unchanged, reloaded, failed };
  Kind kind = Kind::unchanged;
  /// For the log; empty where it has been told before.
  std::string text{};
};

}  // namespace server

class Transport {
 public:
  virtual ~Transport() = default;

  /// A session for a connection that was accepted; `buffers` must outlive it.
  virtual std::unique_ptr<server::SecureSession> open(server::SecureBuffers& buffers) = 0;
  /// Where what it was made of has changed: new sessions take what is there now, where that is
  /// right.
  virtual server::Refreshed refresh() = 0;
  /// What it was made of, as it was named.
  virtual std::vector<std::string> files() const = 0;
  /// For the log of who serves with it.
  virtual std::string description() const = 0;
  /// What somebody should look after today; empty where all is right.
  virtual std::string warning() const = 0;
  /// Does not wait for files.
  virtual server::TransportReport report() const = 0;
};

}  // namespace extproc
