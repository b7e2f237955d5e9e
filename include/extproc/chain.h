#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extproc/detail/dispatcher.h"
#include "extproc/export.h"
#include "extproc/phase.h"
#include "extproc/service.h"

namespace extproc {

/// Several processors behind one name, on one stream, in one filter:
///
///   extproc::Chain chain({extproc::Service::make<Authenticate>(),
///   extproc::Service::make<Route>()}); return extproc::serve(chain);
///
/// It does what one filter for each of them, in this order, would do, for one exchange with Envoy
/// in place of many:
/// - Request phases run in the order given, response phases in reverse. Each processor sees the
///   headers, body and trailers as those before it changed them, and its own Request.
/// - The changes are merged into one answer. More than 100 headers to set, or to remove, in one
///   answer is an error that ends the stream, as Envoy would fail the request.
/// - The chain header lists all of them.
/// - After an immediate response, the response phases of the other processors run on it, in memory
///   and in reverse, as Envoy would run their filters; so a processor may see response phases
///   without request phases. One in a response phase ends the request at once, with no other
///   processor asked.
/// - An exception or an abort in one ends the stream for all.
///
/// What differs from filters: with buffered bodies Envoy goes filter by filter, so that the
/// second's request_headers come after the first's request_body; a chain goes phase by phase. After
/// continue_and_replace, the processors before it do not see the body that was replaced, and none
/// sees trailers of that direction, because Envoy sends neither. mode_override asks for what any of
/// the processors still needs.
///
/// What they know of a request together is in Request::shared<T>(). Dynamic metadata that one sets
/// is seen by those behind it, and in later phases by all, in Context::filter_metadata.
class EXTPROC_API Chain {
 public:
  /// `name` is what logs and the health check show; by default the processors' names, joined by
  /// commas. Throws Error when `services` is empty, holds a chain, or the same name twice.
  explicit Chain(std::vector<Service> services, std::string name = {});

  const std::string& name() const { return name_; }
  /// Those that any of the processors handles.
  PhaseSet handled_phases() const;
  const std::vector<Service>& services() const { return services_; }

 private:
  std::vector<Service> services_;
  std::string name_;
};

namespace detail {

EXTPROC_API std::shared_ptr<const Dispatcher> make_chain_dispatcher(const Chain& chain);

template <>
struct DispatcherFactory<Chain> {
  static std::shared_ptr<const Dispatcher> make(const std::shared_ptr<Chain>& chain) {
    return make_chain_dispatcher(*chain);
  }
};

}  // namespace detail
}  // namespace extproc
