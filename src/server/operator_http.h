#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/http_message.h"
#include "server/listen_address.h"

namespace extproc::server {

/// An address at which operators ask a process over HTTP.
struct OperatorAddress {
  ListenAddress address;
  /// The setting that named it: "--metrics". One address is for one setting.
  std::string_view flag;
  /// A Unix domain socket is for its owner alone.
  bool owner_alone = false;
  /// Nobody but this machine may reach it.
  bool loopback_alone = false;
};

/// Who shows something there; without a type, for OperatorHttp.
class OperatorListener {
 public:
  using Answer =
      std::function<admin::HttpResponse(const admin::HttpRequest&, std::span<void* const>)>;

  /// Opens the address, or joins whoever of the process has opened it by the same text; `answer` is
  /// that of the first. Throws Error where it cannot be had.
  OperatorListener(const OperatorAddress& where, Answer answer);
  ~OperatorListener();
  OperatorListener(const OperatorListener&) = delete;
  OperatorListener& operator=(const OperatorListener&) = delete;

  void add(void* member);
  /// Waits for an answer that is being made.
  void remove(void* member);
  /// In use, as parse_listen_address() takes it.
  const std::string& address() const;

 private:
  class Shared;
  struct Table;
  std::string key_;
  Shared* shared_;
};

/// One server's part in an address for operators. The servers of a process that name the same one
/// share it: the first opens it, the last one closes it, and its pages cover all of them. Any
/// thread, but for that of the answers.
template <class Member>
class OperatorHttp {
 public:
  /// What is answered, on the address's own thread; `members` have been added and not been removed,
  /// in that order, and stay until it returns.
  using Answer = admin::HttpResponse (*)(const admin::HttpRequest&,
                                         std::span<Member* const> members);

  /// Throws Error where the address cannot be had. It answers from then on.
  OperatorHttp(const OperatorAddress& where, Answer answer)
      : listener_(where,
                  [answer](const admin::HttpRequest& request, std::span<void* const> untyped) {
                    std::vector<Member*> members;
                    for (void* each : untyped) members.push_back(static_cast<Member*>(each));
                    return answer(request, members);
                  }) {}
  ~OperatorHttp() { leave(); }

  /// Is shown from then on, until leave() or the end of this, which it must outlive. Once.
  void join(Member& member) {
    member_ = &member;
    listener_.add(member_);
  }
  void leave() {
    if (member_ != nullptr) listener_.remove(std::exchange(member_, nullptr));
  }

  const std::string& address() const { return listener_.address(); }

 private:
  OperatorListener listener_;
  Member* member_ = nullptr;
};

}  // namespace extproc::server
