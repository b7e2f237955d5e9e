#include "server/open_streams.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "server/process_service.h"

namespace extproc::server {
namespace {

struct Looked {
  const exchange::BaseExchange* exchange;
  const SocketConnection* connection;
  exchange::Clock::time_point begun;
};

Looked looked_at(const exchange::BaseExchange& exchange, const SocketConnection* connection) {
  return {&exchange, connection, exchange.begun().value_or(exchange::Clock::time_point::max())};
}

}  // namespace

OpenStreams open_streams(const std::set<boost::intrusive_ptr<SocketConnection>>& connections,
                         const host::Host& host, std::size_t most) {
  OpenStreams streams;
  std::vector<Looked> looked;
  detail::HostAccess::for_each_outlived(
      host, [&](const std::string&, const exchange::ProcessorExchange& exchange) {
        if (looked.size() < kMostLookedAt) looked.push_back(looked_at(exchange, nullptr));
      });
  streams.open = detail::HostAccess::counters(host).streams_open.value();
  for (const auto& connection : connections) {
    if (looked.size() >= kMostLookedAt) break;
    connection->visit_calls([&](const grpc::Call&, const grpc::CallHandler& call) {
      const host::Exchange* exchange = ProcessService::exchange_of(call);
      if (exchange != nullptr) {
        looked.push_back(looked_at(detail::HostAccess::look_at(*exchange), connection.get()));
      }
      return looked.size() < kMostLookedAt;
    });
  }
  const std::size_t shown = std::min(most, looked.size());
  std::ranges::partial_sort(looked, looked.begin() + static_cast<std::ptrdiff_t>(shown),
                            std::less<>(), &Looked::begun);
  for (const Looked& each : std::span(looked).first(shown)) {
    streams.shown.push_back(
        {each.exchange->describe(), each.connection == nullptr ? "" : each.connection->peer()});
  }
  return streams;
}

}  // namespace extproc::server
