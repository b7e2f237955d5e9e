#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "extproc/detail/dispatcher.h"
#include "extproc/export.h"
#include "extproc/needs.h"
#include "extproc/own_settings.h"
#include "extproc/transport.h"

namespace extproc {

namespace detail {
class Access;
}

/// A processor, ready to be served: what `serve`, `Server` and EXTPROC_EXPORT take, made from any
/// kind of processor. It is made where the processor's concrete type is known, because the phases
/// that it handles are read from that type. Cheap to copy: the processor is shared.
///
/// Made from a reference, it only refers to the processor, which must outlive every server of it.
class EXTPROC_API Service {
 public:
  /// From a `Processor`, an `AsyncProcessor`, or `Handlers`; by reference.
  template <class P>
    requires(!std::is_same_v<std::remove_cv_t<P>, Service>)
  Service(P& processor)  // NOLINT(google-explicit-constructor): serve(processor) is the point
      : dispatcher_(
            detail::make_dispatcher(std::shared_ptr<P>(std::shared_ptr<void>(), &processor))) {}

  /// The same; the processor is kept alive.
  template <class P>
  Service(std::shared_ptr<P> processor)  // NOLINT(google-explicit-constructor)
      : dispatcher_(detail::make_dispatcher(std::move(processor))) {}

  /// Makes the processor from `arguments` and keeps it alive.
  template <class P, class... Args>
  static Service make(Args&&... arguments) {
    return Service(std::make_shared<P>(std::forward<Args>(arguments)...));
  }

  /// This service on a TCP port of its own, in place of the settings' address.
  Service on(int port) &&;
  /// This service on an address of its own: "host:port", "[v6]:port", "unix:/path".
  Service on(std::string address) &&;
  /// This service on sockets that listen already, in place of an address: what a service manager
  /// hands over (passed_sockets()). Stream sockets of IPv4, IPv6 or the Unix domain; with a
  /// transport, of TCP alone or of the Unix domain alone. Server::start() takes them over; the file
  /// of a Unix domain socket stays where it is.
  Service on_sockets(std::vector<int> sockets) &&;
  /// This service with a transport of its own, in place of Settings::transport.
  Service over(std::shared_ptr<Transport> transport) &&;

  /// This service with what it does where its processor is to take other settings while it runs, in
  /// place of Processor::reload, whose contract it has: for Handlers, and processors that are made
  /// by others.
  Service on_reload(std::function<void(const OwnSettings&)> reload) &&;
  /// Has the processor take other settings of its own: Processor::reload. False where it cannot
  /// while it runs; of a chain each service by itself. Throws what it throws, and Error for keys
  /// that it did not read. Any thread, one call at a time.
  bool reload(const OwnSettings& settings) const;

  const std::string& name() const;
  /// The phases that have a handler.
  PhaseSet handled_phases() const;
  /// As the processor says; of a chain what one filter for all must have. Throws Error where
  /// processors of a chain contradict each other.
  Needs needs() const;

  const std::optional<std::string>& address() const { return address_; }
  /// None where on_sockets() was not called.
  const std::vector<int>& sockets() const { return sockets_; }
  /// Null where over() was not called.
  const std::shared_ptr<Transport>& transport() const { return transport_; }

 private:
  friend class detail::Access;

  std::shared_ptr<const detail::Dispatcher> dispatcher_;
  std::optional<std::string> address_;
  std::vector<int> sockets_;
  std::shared_ptr<Transport> transport_;
};

}  // namespace extproc
