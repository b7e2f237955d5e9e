#include "server/operator_http.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <memory>
#include <string>

#include "extproc/error.h"
#include "server/http_client.h"
#include "server/socket_client.h"

namespace extproc::server {
namespace {

using testing::get;
using ::testing::HasSubstr;

struct Shown {
  std::string name;
};
using Http = OperatorHttp<Shown>;

admin::HttpResponse names(const admin::HttpRequest&, std::span<Shown* const> members) {
  admin::HttpResponse response;
  for (const Shown* each : members) response.body += each->name + ";";
  return response;
}

OperatorAddress at(const std::string& text, std::string_view flag = "--metrics") {
  OperatorAddress where;
  where.address = parse_listen_address(flag, text);
  where.flag = flag;
  return where;
}

std::string refused(const OperatorAddress& where) {
  try {
    const Http http(where, &names);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(OperatorHttp, ServersShareAnAddressOfTheProcess) {
  Shown a{"a"};
  Shown b{"b"};
  auto first = std::make_unique<Http>(at("127.0.0.1:0"), &names);
  first->join(a);
  {
    Http second(at("127.0.0.1:0"), &names);
    EXPECT_EQ(second.address(), first->address());
    EXPECT_EQ(get(first->address(), "/").body, "a;");
    second.join(b);
    EXPECT_EQ(get(first->address(), "/").body, "a;b;");
    first.reset();
    EXPECT_EQ(get(second.address(), "/").body, "b;");
    second.leave();
    EXPECT_EQ(get(second.address(), "/").body, "");
  }
  const Http another(at("127.0.0.1:0"), &names);
  EXPECT_EQ(get(another.address(), "/").body, "");
}

TEST(OperatorHttp, AnAddressIsFreeWhenTheLastHasLeft) {
  std::string address;
  {
    const Http http(at("127.0.0.1:0"), &names);
    address = http.address();
  }
  const Http again(at(address), &names);
  EXPECT_EQ(again.address(), address);
}

TEST(OperatorHttp, AnAddressIsForOneSetting) {
  const Http http(at("127.0.0.1:0"), &names);
  EXPECT_THAT(refused(at("127.0.0.1:0", "--server-admin")),
              HasSubstr("--server-admin and --metrics both name 127.0.0.1:0: give each"));
}

TEST(OperatorHttp, TellsWhichSettingToChange) {
  const Http http(at("127.0.0.1:0"), &names);
  EXPECT_THAT(refused(at(http.address())), HasSubstr("is in use: stop what listens there, or "
                                                     "choose another with --metrics"));
}

TEST(OperatorHttp, IsForThisMachineAloneWhereThatIsWanted) {
  OperatorAddress where = at("[::]:0", "--server-admin");
  where.loopback_alone = true;
  EXPECT_THAT(refused(where), HasSubstr("which other machines may reach"));
  where.address = TcpAddress{"localhost", 0};
  EXPECT_EQ(refused(where), "accepted");
}

TEST(OperatorHttp, AUnixSocketMayBeForItsOwnerAlone) {
  const testing::TemporaryFolder folder;
  for (const bool alone : {true, false}) {
    OperatorAddress where = at("unix:" + folder.path() + "/http");
    where.owner_alone = alone;
    Shown shown{"here"};
    Http http(where, &names);
    http.join(shown);
    struct stat file {};
    ASSERT_EQ(::stat((folder.path() + "/http").c_str(), &file), 0);
    EXPECT_EQ((file.st_mode & 0077) == 0, alone);
    EXPECT_EQ(get(http.address(), "/").body, "here;");
  }
  struct stat file {};
  EXPECT_NE(::stat((folder.path() + "/http").c_str(), &file), 0);
}

}  // namespace
}  // namespace extproc::server
