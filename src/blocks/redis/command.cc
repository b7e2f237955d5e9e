#include <string>

#include "extproc/redis.h"

namespace extproc::redis {

void Command::start(std::string_view name, std::size_t arguments) {
  name_.assign(name);
  bytes_ = "*" + std::to_string(arguments + 1) + "\r\n";
  add(name);
}

void Command::add(std::string_view argument) {
  bytes_.append("$").append(std::to_string(argument.size())).append("\r\n");
  bytes_.append(argument).append("\r\n");
}

}  // namespace extproc::redis
