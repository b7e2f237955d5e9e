#include <charconv>
#include <optional>
#include <string>

#include "extproc/error.h"
#include "extproc/http.h"
#include "extproc/redis.h"

namespace extproc::redis {
namespace {

/// Without the URL, which may have a password in it.
[[noreturn]] void refuse(const std::string& why) {
  throw Error("a URL of Redis is redis://[[user]:password@]host[:port][/database], or rediss://: " +
              why);
}

template <class T>
T number_of(std::string_view text, const std::string& why) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) refuse(why);
  return number;
}

std::string decoded(std::string_view text) {
  const auto plain = http::percent_decode(text);
  if (!plain) refuse("user and password must be percent-encoded");
  return *plain;
}

}  // namespace

Settings Settings::from_url(std::string_view url) {
  Settings settings;
  if (url.starts_with("rediss://")) {
    settings.tls.emplace();
  } else if (!url.starts_with("redis://")) {
    refuse("it begins otherwise");
  }
  std::string_view rest = url.substr(url.find("://") + 3);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = rest.substr(0, at);
    const auto colon = who.find(':');
    if (colon == std::string_view::npos) refuse("a user without a password");
    settings.user = decoded(who.substr(0, colon));
    settings.password = decoded(who.substr(colon + 1));
    rest.remove_prefix(at + 1);
  }
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view database = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    if (!database.empty()) {
      settings.database = number_of<unsigned>(database, "the database must be a number");
    }
  }
  if (rest.starts_with('[')) {
    const auto bracket = rest.find(']');
    if (bracket == std::string_view::npos) refuse("a bracket is not closed");
    settings.host = rest.substr(1, bracket - 1);
    rest.remove_prefix(bracket + 1);
  } else {
    settings.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(settings.host.size());
  }
  if (settings.host.empty()) refuse("there is no host");
  if (rest.empty()) return settings;
  if (rest.front() != ':') refuse("there is something behind the host");
  settings.port = number_of<std::uint16_t>(rest.substr(1), "the port must be a number");
  if (settings.port == 0) refuse("the port must be from 1 to 65535");
  return settings;
}

}  // namespace extproc::redis
