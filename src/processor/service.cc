#include "extproc/service.h"

#include <string>
#include <utility>

namespace extproc {

Service Service::on(int port) && { return std::move(*this).on(std::to_string(port)); }

Service Service::on(std::string address) && {
  address_ = std::move(address);
  return std::move(*this);
}

Service Service::on_sockets(std::vector<int> sockets) && {
  sockets_ = std::move(sockets);
  return std::move(*this);
}

Service Service::over(std::shared_ptr<Transport> transport) && {
  transport_ = std::move(transport);
  return std::move(*this);
}

Service Service::on_reload(std::function<void(const OwnSettings&)> reload) && {
  dispatcher_->set_reload(std::move(reload));
  return std::move(*this);
}

bool Service::reload(const OwnSettings& settings) const {
  if (!dispatcher_->reloads()) return false;
  dispatcher_->reload(settings);
  settings.check_all_read();
  return true;
}

const std::string& Service::name() const { return dispatcher_->name(); }

PhaseSet Service::handled_phases() const { return dispatcher_->phases(); }

Needs Service::needs() const { return dispatcher_->needs(); }

}  // namespace extproc
