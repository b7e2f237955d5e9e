#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/options.h"

namespace extproc::cli {

/// What carries the text of a connection to a server in bytes: clear text, or TLS. It does no I/O.
/// All functions but is_open() and take_output() throw Error.
class PeerStream {
 public:
  virtual ~PeerStream() = default;

  /// Takes bytes of the server; appends what they say to `text`.
  virtual void receive(std::string_view bytes, std::string& text) = 0;
  /// The connection has ended. Throws where that tells something of the stream itself.
  virtual void receive_end() = 0;
  virtual void send(std::string_view text) = 0;
  /// Bytes for the server.
  virtual std::string take_output() = 0;
  /// Whether text goes through: a handshake is done.
  virtual bool is_open() const = 0;
};

/// Reads the files of `tls`; nothing: clear text. Throws Error.
std::unique_ptr<PeerStream> make_peer_stream(const std::optional<tls::ClientSettings>& tls);

}  // namespace extproc::cli
