#pragma once

#include <span>

#include "admin/http_message.h"
#include "server/admin_view.h"

namespace extproc::server {

/// What the admin service answers, over all servers of the process that are shown there.
///
/// A page in a browser may not ask for it under a name of its own (DNS rebinding): the Host header
/// must be an address of the loopback interface, or localhost. What changes something is a POST,
/// which no page of another origin may send.
admin::HttpResponse admin_answer(const admin::HttpRequest& request,
                                 std::span<AdminView* const> servers);
/// The same under any name: of a Unix domain socket, which browsers do not reach, and where
/// Settings::server_admin_anywhere is set.
admin::HttpResponse admin_answer_under_any_name(const admin::HttpRequest& request,
                                                std::span<AdminView* const> servers);

/// Whether a Host header, which may have a port, is the loopback interface's.
bool names_loopback(std::string_view host);

}  // namespace extproc::server
