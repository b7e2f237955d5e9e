#pragma once

#include <string>
#include <string_view>

#include "envoy/kit/direction.h"
#include "envoy/kit/header_map.h"
#include "envoy/kit/local_reply.h"
#include "envoy/kit/pipe.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

/// What a filter needs of Envoy around it.
class FilterHost {
 public:
  virtual Pipe& pipe(Side side) = 0;
  virtual Time now() const = 0;
  virtual void reply(const LocalReply& reply) = 0;
  /// A response that the filter sends in pieces, in place of the upstream's.
  virtual void local_headers(HeaderMap headers, bool end) = 0;
  virtual void local_data(std::string data, bool end) = 0;
  virtual void local_trailers(HeaderMap trailers) = 0;
  /// Ends the caller's stream, and with it that of the upstream.
  virtual void reset() = 0;
  virtual void clear_route_cache() = 0;
  virtual const Exchange& exchange() const = 0;
  virtual std::string_view code_details() const = 0;

 protected:
  ~FilterHost() = default;
};

}  // namespace extproc::testing::envoy
