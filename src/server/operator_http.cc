#include "server/operator_http.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <system_error>

#include "admin/http_listener.h"
#include "extproc/error.h"
#include "server/bound_socket.h"

namespace extproc::server {
namespace {

std::vector<BoundSocket> open_address(const OperatorAddress& where) {
  auto sockets =
      bind_sockets(where.address, {.flag = where.flag, .owner_alone = where.owner_alone});
  if (!where.loopback_alone || std::holds_alternative<UnixAddress>(where.address)) return sockets;
  // A name is what the machine makes of it.
  for (const BoundSocket& each : sockets) {
    const std::string bound = describe_bound(each.fd());
    if (is_loopback(bound)) continue;
    throw Error(std::string(where.flag) + " " + to_string(where.address) + ": that is " + bound +
                ", which other machines may reach");
  }
  return sockets;
}

std::string address_of(const ListenAddress& address, const std::vector<BoundSocket>& sockets) {
  if (std::holds_alternative<UnixAddress>(address)) return to_string(address);
  return describe_bound(sockets.front().fd());
}

std::vector<int> descriptors(const std::vector<BoundSocket>& sockets) {
  std::vector<int> all;
  for (const BoundSocket& each : sockets) all.push_back(each.fd());
  return all;
}

}  // namespace

/// An address that is open, and all that are shown there.
class OperatorListener::Shared {
 public:
  Shared(const OperatorAddress& where, Answer answer)
      : flag_(where.flag),
        sockets_(open_address(where)),
        address_(address_of(where.address, sockets_)),
        answer_(std::move(answer)),
        http_(descriptors(sockets_), [this](const admin::HttpRequest& request) {
          const std::lock_guard lock(mutex_);
          return answer_(request, members_);
        }) {
    http_.start();
  }

  const std::string& flag() const { return flag_; }
  const std::string& address() const { return address_; }
  void add(void* member) {
    const std::lock_guard lock(mutex_);
    members_.push_back(member);
  }
  void remove(void* member) {
    const std::lock_guard lock(mutex_);
    std::erase(members_, member);
  }

  /// Under the table's mutex.
  std::size_t users = 0;

 private:
  const std::string flag_;
  const std::vector<BoundSocket> sockets_;
  const std::string address_;
  const Answer answer_;
  /// Held while something is answered, so that no member goes meanwhile.
  std::mutex mutex_;
  std::vector<void*> members_;
  admin::HttpListener http_;
};

/// The process's, by the text of the address. Held while one is opened or closed: whoever is next
/// finds it open or finds it free.
struct OperatorListener::Table {
  static Table& instance() {
    static Table& table = *new Table;  // servers may end later than what this file has
    return table;
  }

  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Shared>> listeners;
};

OperatorListener::OperatorListener(const OperatorAddress& where, Answer answer)
    : key_(to_string(where.address)) {
  Table& table = Table::instance();
  const std::lock_guard lock(table.mutex);
  auto found = table.listeners.find(key_);
  if (found == table.listeners.end()) {
    try {
      found =
          table.listeners.emplace(key_, std::make_unique<Shared>(where, std::move(answer))).first;
    } catch (const std::system_error& error) {
      throw Error(std::string(where.flag) + " " + key_ + ": " + error.what());
    }
  }
  shared_ = found->second.get();
  if (shared_->flag() != where.flag) {
    throw Error(std::string(where.flag) + " and " + shared_->flag() + " both name " + key_ +
                ": give each an address of its own");
  }
  ++shared_->users;
}

OperatorListener::~OperatorListener() {
  Table& table = Table::instance();
  const std::lock_guard lock(table.mutex);
  if (--shared_->users == 0) table.listeners.erase(key_);
}

void OperatorListener::add(void* member) { shared_->add(member); }
void OperatorListener::remove(void* member) { shared_->remove(member); }
const std::string& OperatorListener::address() const { return shared_->address(); }

}  // namespace extproc::server
