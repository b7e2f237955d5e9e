#include "server/server_admin.h"

#include <utility>

#include "server/admin_pages.h"

namespace extproc::server {
namespace {

bool takes_any_name(const OperatorAddress& where) {
  return !where.loopback_alone || std::holds_alternative<UnixAddress>(where.address);
}

}  // namespace

ServerAdmin::ServerAdmin(Shown shown)
    : shown_(std::move(shown)),
      http_(*shown_.configuration.server_admin, takes_any_name(*shown_.configuration.server_admin)
                                                    ? &admin_answer_under_any_name
                                                    : &admin_answer) {}

void ServerAdmin::join(std::string address) {
  address_ = std::move(address);
  http_.join(*this);
  shown_.logger.log(
      LogLevel::info, LineKind::server,
      shown_.name + " is shown to operators on " + http_.address() + " (--server-admin)");
}

std::vector<std::future<OpenStreams>> ServerAdmin::open_streams(std::size_t most) const {
  std::vector<std::future<OpenStreams>> asked;
  for (const auto& worker : shown_.workers) asked.push_back(worker->open_streams(most));
  return asked;
}

const Transport* ServerAdmin::transport() const {
  return is_secure(shown_.configuration) ? shown_.configuration.transport.get() : nullptr;
}

}  // namespace extproc::server
