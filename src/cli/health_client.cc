#include "cli/health_client.h"

#include <cstddef>
#include <string>

#include "cli/deadline.h"
#include "cli/health_call.h"
#include "cli/peer_protocol.h"
#include "cli/peer_socket.h"
#include "cli/peer_stream.h"
#include "extproc/error.h"

namespace extproc::cli {
namespace {

std::string shown_address(const server::ListenAddress& address) {
  const auto* tcp = std::get_if<server::TcpAddress>(&address);
  const bool is_port_alone = tcp != nullptr && tcp->any_host;
  return is_port_alone ? "localhost:" + std::to_string(tcp->port) : to_string(address);
}

HealthRequest request_of(const HealthOptions& options) {
  const bool is_local = std::holds_alternative<server::UnixAddress>(options.address);
  return {options.tls ? "https" : "http", is_local ? "localhost" : shown_address(options.address),
          options.service};
}

std::string not_serving(const std::string& service, grpc::ServingStatus status) {
  const std::string what =
      service.empty() ? "the server" : "the service \"" + on_one_line(service) + "\"";
  switch (status) {
    case grpc::ServingStatus::not_serving:
      return what + " is NOT_SERVING: it is shutting down, or not ready";
    case grpc::ServingStatus::service_unknown:
      return what + " is unknown to the server (SERVICE_UNKNOWN): see --service";
    case grpc::ServingStatus::unknown:
      return what + " does not know its own state (UNKNOWN)";
    case grpc::ServingStatus::serving:
      break;
  }
  return what + " is in state " + std::to_string(static_cast<int>(status)) + ", which has no name";
}

std::string timeout_error(const PeerStream& stream, const HealthCall& call,
                          const Deadline& deadline) {
  const std::string time = "timed out after " + deadline.text() + ": the server ";
  if (!stream.is_open()) return time + "has not done its part of the TLS handshake";
  return time + (call.has_received() ? "has not answered in full"
                                     : "took the connection and did not answer");
}

/// Of all that a server sends, TLS's own bytes among them.
constexpr std::size_t kMostPeerBytes = 2 * HealthCall::kMostBytes;

/// Until the call is over.
void talk(PeerSocket& socket, PeerStream& stream, HealthCall& call, const Deadline& deadline) {
  std::string output;
  std::size_t received = 0;
  while (!call.is_over()) {
    stream.send(call.take_output());
    output += stream.take_output();
    std::string bytes;
    switch (socket.exchange(output, bytes, deadline)) {
      case PeerSocket::Came::nothing:
        throw Error(timeout_error(stream, call, deadline));
      case PeerSocket::Came::end:
        stream.receive_end();
        call.receive_end();
        return;
      case PeerSocket::Came::bytes:
        break;
    }
    received += bytes.size();
    if (received > kMostPeerBytes) {
      throw Error("the server has sent more than " + std::to_string(kMostPeerBytes) +
                  " bytes and no answer");
    }
    std::string text;
    try {
      stream.receive(bytes, text);
    } catch (const Error&) {
      // Why, for the server's log.
      socket.send_last(stream.take_output());
      throw;
    }
    if (!text.empty()) call.receive(text);
  }
}

void ask(const HealthOptions& options, PeerStream& stream, const Deadline& deadline) {
  HealthCall call(request_of(options));
  PeerSocket socket(find_peer(options.address, deadline), deadline);
  talk(socket, stream, call, deadline);
  const auto status = call.answer();
  if (status != grpc::ServingStatus::serving) throw Error(not_serving(options.service, status));
}

}  // namespace

void require_serving(const HealthOptions& options) {
  const Deadline deadline(options.timeout);
  const auto stream = make_peer_stream(options.tls);
  try {
    ask(options, *stream, deadline);
  } catch (const Error& error) {
    throw Error(on_one_line(shown_address(options.address)) + ": " + error.what());
  }
}

}  // namespace extproc::cli
