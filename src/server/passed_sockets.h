#pragma once

#include <string>
#include <vector>

#include "extproc/service.h"
#include "extproc/service_manager.h"
#include "server/bound_socket.h"
#include "server/listen_address.h"
#include "server/serve.h"

namespace extproc::server {

/// Throws Error, which begins with `what`, where the descriptor is no stream socket of a family
/// that a server knows, or does not listen.
void check_listening(int fd, const std::string& what);

/// What a socket that was checked is bound to; "@name" is the path of an abstract one.
ListenAddress bound_address(int fd);

/// Checks the sockets and takes them over, as sockets that are never waited for and that no program
/// inherits. Throws Error, and takes none, where one cannot be listened on.
std::vector<BoundSocket> adopt_sockets(const std::vector<int>& sockets);

/// Gives the sockets to the services: all to one; to several by name where a name is that of a
/// service, else one to each in their order. Throws Error where that does not come out even, or an
/// address is given as well.
std::vector<Served> on_passed_sockets(std::vector<Served> services,
                                      const std::vector<PassedSocket>& sockets);

/// Whether the service listens where the settings say.
inline bool has_address_of_settings(const Service& service) {
  return !service.address() && service.sockets().empty();
}

}  // namespace extproc::server
