// Sockets that a service manager hands over, and what it is told.

#include "server/passed_sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "extproc/error.h"
#include "extproc/processor.h"
#include "extproc/server.h"
#include "server/configuration.h"
#include "server/socket_client.h"
#include "server/variable.h"

namespace extproc::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Left : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
};
class Right : public Left {};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

UniqueFd listening(const ListenAddress& address = TcpAddress{"127.0.0.1", 0}) {
  auto sockets = bind_sockets(address);
  // A copy, since the bound socket takes its own with it.
  return UniqueFd(::dup(sockets.front().fd()));
}

constexpr int kAboveAllPassed = 100;

/// The process's descriptors from 3 upward are others' for as long as it lives.
class Passed {
 public:
  explicit Passed(const std::vector<int>& fds, const std::string& names = "")
      : count_("LISTEN_FDS", std::to_string(fds.size())),
        pid_("LISTEN_PID", std::to_string(::getpid())) {
    if (!names.empty()) names_.emplace("LISTEN_FDNAMES", names);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const int at = kFirst + static_cast<int>(i);
      saved_.emplace_back(::fcntl(at, F_DUPFD_CLOEXEC, kAboveAllPassed));
      // So high that none is overwritten before its turn.
      given_.emplace_back(::fcntl(fds[i], F_DUPFD, kAboveAllPassed));
    }
    for (std::size_t i = 0; i < fds.size(); ++i)
      ::dup2(given_[i].get(), kFirst + static_cast<int>(i));
  }
  ~Passed() {
    for (std::size_t i = 0; i < saved_.size(); ++i) {
      const int at = kFirst + static_cast<int>(i);
      if (saved_[i]) {
        ::dup2(saved_[i].get(), at);
      } else {
        ::close(at);
      }
    }
  }

 private:
  static constexpr int kFirst = 3;
  Variable count_;
  Variable pid_;
  std::optional<Variable> names_;
  std::vector<UniqueFd> saved_;
  std::vector<UniqueFd> given_;
};

TEST(PassedSockets, NoneWhereTheyAreForNobodyOrAnother) {
  EXPECT_TRUE(passed_sockets().empty());
  const Variable count("LISTEN_FDS", "1");
  EXPECT_TRUE(passed_sockets().empty());
  const Variable pid("LISTEN_PID", std::to_string(::getppid()));
  EXPECT_TRUE(passed_sockets().empty());
}

TEST(PassedSockets, WrongVariables) {
  const Variable pid("LISTEN_PID", std::to_string(::getpid()));
  for (const std::string wrong : {"0", "x", "-1", "1025", "99999999999999999999"}) {
    const Variable count("LISTEN_FDS", wrong);
    EXPECT_THAT(error_of(passed_sockets), StartsWith("LISTEN_FDS is \"" + wrong + "\""));
  }
  const Variable count("LISTEN_FDS", "2");
  const Variable names("LISTEN_FDNAMES", "one");
  EXPECT_THAT(error_of(passed_sockets), StartsWith("LISTEN_FDNAMES is \"one\""));
  const Variable other("LISTEN_PID", "me");
  EXPECT_THAT(error_of(passed_sockets), StartsWith("LISTEN_PID is \"me\""));
}

TEST(PassedSockets, WithTheirNamesAndNotInherited) {
  const UniqueFd one = listening();
  const UniqueFd two = listening();
  const Passed passed({one.get(), two.get()}, "first:");
  const auto sockets = passed_sockets();
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].fd, 3);
  EXPECT_EQ(sockets[0].name, "first");
  EXPECT_EQ(sockets[1].fd, 4);
  EXPECT_EQ(sockets[1].name, "");
  EXPECT_NE(::fcntl(3, F_GETFD) & FD_CLOEXEC, 0);
}

TEST(PassedSockets, WhatCannotBeListenedOn) {
  const UniqueFd file(::open("/dev/null", O_RDONLY));
  const UniqueFd datagram(::socket(AF_INET, SOCK_DGRAM, 0));
  const UniqueFd idle(::socket(AF_INET6, SOCK_STREAM, 0));
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW, 0));
  const std::pair<int, std::string> cases[] = {
      {file.get(), "is not a socket"},
      {datagram.get(), "is not a stream socket"},
      {idle.get(), "does not listen"},
      {netlink.get(), "is of address family 16"},
  };
  for (const auto& [fd, reason] : cases) {
    const Passed passed({fd}, "web");
    EXPECT_THAT(error_of(passed_sockets),
                StartsWith("the passed descriptor 3 (\"web\") " + reason));
  }
  EXPECT_EQ(error_of([] { adopt_sockets({9'999}); }), "the socket 9999 is not open");
}

TEST(PassedSockets, WhatTheyAreBoundTo) {
  const TemporaryFolder folder;
  EXPECT_EQ(std::get<TcpAddress>(bound_address(listening().get())).host, "127.0.0.1");
  const auto local = bind_sockets(UnixAddress{folder.path() + "/s"});
  EXPECT_EQ(bound_address(local.front().fd()), ListenAddress(UnixAddress{folder.path() + "/s"}));
  const UniqueFd abstract(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "extproc-test-" + std::to_string(::getpid());
  text.copy(name.sun_path + 1, text.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  EXPECT_EQ(bound_address(abstract.get()), ListenAddress(UnixAddress{"@" + text}));
}

std::vector<Served> left_and_right() {
  return {{Service::make<Left>(), {}}, {Service::make<Right>(), {}}};
}

/// The sockets of Left and Right, or the error's text.
std::string shared_out(const std::vector<PassedSocket>& sockets) {
  std::string text;
  const std::string error = error_of([&] {
    for (const auto& [service, settings] : on_passed_sockets(left_and_right(), sockets)) {
      text += service.name();
      for (const int fd : service.sockets()) text += " " + std::to_string(fd);
      text += ";";
    }
  });
  return text.empty() ? error : text;
}

TEST(OnPassedSockets, OneEachInOrderOrByName) {
  EXPECT_EQ(shared_out({{3, ""}, {4, ""}}), "Left 3;Right 4;");
  EXPECT_EQ(shared_out({{3, "extproc.socket"}, {4, "extproc.socket"}}), "Left 3;Right 4;");
  EXPECT_EQ(shared_out({{3, "Right"}, {4, "Left"}, {5, "Right"}}), "Left 4;Right 3 5;");
}

TEST(OnPassedSockets, WhatDoesNotComeOutEven) {
  EXPECT_EQ(shared_out({{3, ""}}),
            "the service manager hands over 1 socket (LISTEN_FDS) for 2 processors: give each one, "
            "in the order of the processors, or named after them (FileDescriptorName=)");
  EXPECT_THAT(shared_out({{3, "a"}, {4, "b"}, {5, "c"}}), HasSubstr("hands over 3 sockets"));
  EXPECT_EQ(shared_out({{3, "Left"}, {4, "Middle"}}),
            "the passed socket \"Middle\" is named after no processor, and others are (\"Left\", "
            "\"Middle\"): name all of them (FileDescriptorName=), or none");
  EXPECT_THAT(shared_out({{3, "Left"}, {4, "Left"}}), StartsWith("no passed socket is for Right"));
  const std::vector<Served> same{{Service::make<Left>(), {}}, {Service::make<Left>(), {}}};
  EXPECT_THAT(error_of([&] {
                on_passed_sockets(same, {{3, "Left"}, {4, "Left"}});
              }),
              HasSubstr("two of those have the same name"));
}

TEST(OnPassedSockets, AreNotBesideAnAddress) {
  const auto refusal = [](Service service, Settings settings) {
    return error_of([&] {
      on_passed_sockets({{std::move(service), std::move(settings)}}, {{3, ""}});
    });
  };
  Settings settings;
  settings.port = 50'051;
  EXPECT_THAT(refusal(Service::make<Left>(), settings),
              HasSubstr("and \"50051\" is given as well: leave out the address"));
  settings = {};
  settings.listen = "unix:/s";
  EXPECT_THAT(refusal(Service::make<Left>(), settings), HasSubstr("\"unix:/s\" is given as well"));
  EXPECT_THAT(refusal(Service::make<Left>().on(1), {}), HasSubstr("\"1\" is given as well"));
  EXPECT_THAT(error_of([&] { resolve({}, "1", {3}); }), HasSubstr("are both given"));
}

TEST(OnSockets, AServerTakesThemOver) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/s";
  const auto local = bind_sockets(UnixAddress{path});
  UniqueFd tcp = listening();
  const int tcp_fd = tcp.release();
  {
    Settings settings;
    settings.threads = 1;

    settings.log_level = LogLevel::off;
    Server server(Service::make<Left>().on_sockets({tcp_fd, ::dup(local.front().fd())}), settings);
    server.start();
    EXPECT_EQ(server.address(), to_string(bound_address(tcp_fd)));
    SocketClient over_tcp(server.port());
    EXPECT_NE(over_tcp.call(kProcess, kRequestHeaders), 0);
    SocketClient over_unix(path);
    EXPECT_NE(over_unix.call(kProcess, kRequestHeaders), 0);
  }
  EXPECT_EQ(::fcntl(tcp_fd, F_GETFD), -1);
  EXPECT_TRUE(std::filesystem::is_socket(path));
}

/// Where a service manager listens for what it is told.
class Manager {
 public:
  Manager() {
    // Not among those that a Passed stands in for.
    const UniqueFd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    fd_.reset(::fcntl(made.get(), F_DUPFD_CLOEXEC, kAboveAllPassed));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path().copy(name.sun_path, sizeof name.sun_path - 1);
    ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name);
  }
  std::string path() const { return folder_.path() + "/notify"; }
  /// The next thing that it is told, which it waits for.
  std::string told() const {
    char text[4'096];
    const auto size = ::recv(fd_.get(), text, sizeof text, 0);
    return {text, static_cast<std::size_t>(size)};
  }

 private:
  const TemporaryFolder folder_;
  UniqueFd fd_;
};

TEST(Notify, GoesNowhereWithoutAManager) {
  EXPECT_FALSE(notify_service_manager("READY=1"));
  for (const std::string wrong : {"relative", "@", "/no/such/socket"}) {
    const Variable where("NOTIFY_SOCKET", wrong);
    EXPECT_FALSE(notify_service_manager("READY=1"));
  }
  const Variable where("NOTIFY_SOCKET", "/" + std::string(200, 'x'));
  EXPECT_FALSE(notify_service_manager("READY=1"));
}

TEST(Notify, TellsTheManager) {
  const Manager manager;
  const Variable where("NOTIFY_SOCKET", manager.path());
  EXPECT_TRUE(notify_service_manager("READY=1\nSTATUS=fine"));
  EXPECT_EQ(manager.told(), "READY=1\nSTATUS=fine");
}

TEST(Serve, OnPassedSocketsAndTellsTheManager) {
  const Manager manager;
  const UniqueFd socket = listening();
  const int port = std::get<TcpAddress>(bound_address(socket.get())).port;
  const Variable where("NOTIFY_SOCKET", manager.path());
  const Variable not_looked_at("GRPC_PORT", "wrong");
  const Passed passed({socket.get()});
  Settings settings;
  settings.threads = 1;
  settings.log_level = LogLevel::off;
  // Before anybody serves: it waits in the socket.
  SocketClient client(port);
  int status = -1;
  std::thread serving([&] { status = serve(Service::make<Left>(), settings); });
  EXPECT_EQ(manager.told(), "READY=1\nSTATUS=serving Left on 127.0.0.1:" + std::to_string(port));
  EXPECT_NE(client.call(kProcess, kRequestHeaders), 0);
  std::raise(SIGHUP);
  EXPECT_THAT(manager.told(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(manager.told(), "READY=1");
  client.close();
  std::raise(SIGTERM);
  EXPECT_EQ(manager.told(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000");
  serving.join();
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace extproc::server::testing
