#pragma once

#include <cstddef>
#include <span>

#include "admin/document.h"
#include "server/admin_view.h"

namespace extproc::server {

/// What each page of the admin service tells.
admin::Document overview_document(std::span<AdminView* const> servers);
admin::Document settings_document(std::span<AdminView* const> servers);
/// At most `most` streams of each server. Waits half a second at most for threads that are busy.
admin::Document streams_document(std::span<AdminView* const> servers, std::size_t most);
admin::Document certificates_document(std::span<AdminView* const> servers);
admin::Document log_level_document(std::span<AdminView* const> servers);
admin::Document stats_document(std::span<AdminView* const> servers);
admin::Document version_document(std::span<AdminView* const> servers);

}  // namespace extproc::server
