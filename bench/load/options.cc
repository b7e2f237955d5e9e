#include "options.h"

#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace bench::load {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::invalid_argument("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Body body_of(const std::string& name) {
  static const std::map<std::string, Body> kBodies = {{"headers", Body::none},
                                                      {"buffered", Body::buffered},
                                                      {"streamed", Body::streamed},
                                                      {"fds", Body::fds}};
  const auto found = kBodies.find(name);
  if (found == kBodies.end()) throw std::invalid_argument("no such variant: " + name);
  return found->second;
}

void set(Options& options, const std::string& name, const std::string& value) {
  if (name == "--connect") {
    options.connect = value;
  } else if (name == "--tls-ca") {
    options.tls_ca = value;
  } else if (name == "--connections") {
    options.connections = std::stoul(value);
  } else if (name == "--concurrency") {
    options.concurrency = std::stoul(value);
  } else if (name == "--count") {
    options.count = std::stoul(value);
  } else if (name == "--seconds") {
    options.seconds = std::stod(value);
  } else if (name == "--rate") {
    options.rate = std::stod(value);
  } else if (name == "--reset-after") {
    options.reset_after = std::chrono::milliseconds(std::stoul(value));
  } else if (name == "--request-headers") {
    options.parts.request_headers = read_file(value);
  } else if (name == "--response-headers") {
    options.parts.response_headers = read_file(value);
  } else if (name == "--variant") {
    options.parts.body = body_of(value);
  } else if (name == "--body-bytes") {
    options.parts.body_bytes = std::stoul(value);
  } else if (name == "--chunk-bytes") {
    options.parts.chunk_bytes = std::stoul(value);
  } else {
    throw std::invalid_argument("no such option: " + name);
  }
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  if (argc < 2) throw std::invalid_argument("the first argument is run, rate or idle");
  options.mode = argv[1];
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 == argc) throw std::invalid_argument(std::string(argv[i]) + " needs a value");
    set(options, argv[i], argv[i + 1]);
  }
  if (options.mode != "run" && options.mode != "rate" && options.mode != "idle")
    throw std::invalid_argument("the mode is run, rate or idle");
  if (options.mode == "rate" && !(options.rate > 0 && options.seconds > 0))
    throw std::invalid_argument("rate needs --rate and --seconds");
  if (options.connect.empty() || options.parts.request_headers.empty())
    throw std::invalid_argument("--connect and --request-headers are needed");
  if (!options.tls_ca.empty() && options.connect.starts_with("unix:"))
    throw std::invalid_argument("--tls-ca is for TCP: servers speak clear text on Unix sockets");
  if (options.parts.body != Body::none && options.parts.body_bytes == 0)
    throw std::invalid_argument("a body needs --body-bytes");
  if (options.parts.chunk_bytes == 0) options.parts.chunk_bytes = std::size_t{64} << 10;
  if (options.connections == 0 || options.concurrency == 0 || options.count == 0)
    throw std::invalid_argument("connections, concurrency and count are at least 1");
  return options;
}

}  // namespace bench::load
