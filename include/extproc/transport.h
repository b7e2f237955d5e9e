#pragma once

namespace extproc {

/// What connections are carried by, in place of TCP alone: TLS, see extproc/tls.h. Servers may
/// share one; any thread.
class Transport;

}  // namespace extproc
