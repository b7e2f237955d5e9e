// The benchmark's processors on the SDK.
//
//   bench_extproc --listen ADDRESS[,ADDRESS]... [--variant NAME] [--threads N] [--six apart|chain]
//     [--early-end on|off] [--metrics ADDRESS] [--tls-cert FILE --tls-key FILE]
//
// --six serves six processors in one process: apart, on six addresses, or as one chain on one.
// TLS is for bench_extproc_tls, the same program linked with extproc::tls.
#include <extproc/extproc.h>
#if __has_include(<extproc/chain.h>)
#include <extproc/chain.h>
#define BENCH_HAS_CHAIN 1
#endif
#ifdef BENCH_TLS
#include <extproc/tls.h>
#endif

#include <cstddef>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processors.h"

namespace {

struct Options {
  std::vector<std::string> addresses;
  std::string variant = "headers";
  std::string six;
  unsigned threads = 1;
  bool early_end = true;
  std::string metrics;
  std::string tls_certificate;
  std::string tls_key;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return parts;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) throw std::invalid_argument(name + " needs a value");
    const std::string value = argv[i + 1];
    if (name == "--listen") {
      options.addresses = split(value);
    } else if (name == "--variant") {
      options.variant = value;
    } else if (name == "--threads") {
      options.threads = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--early-end") {
      options.early_end = value == "on";
    } else if (name == "--metrics") {
      options.metrics = value;
    } else if (name == "--tls-cert") {
      options.tls_certificate = value;
    } else if (name == "--tls-key") {
      options.tls_key = value;
    } else if (name == "--six") {
      options.six = value;
    } else {
      throw std::invalid_argument("no such option: " + name);
    }
  }
  return options;
}

std::vector<extproc::Service> services(const Options& options) {
  if (options.six == "apart") return bench::make_six();
  if (options.six == "chain") {
#ifdef BENCH_HAS_CHAIN
    return {extproc::Service::make<extproc::Chain>(bench::make_six(), "six")};
#else
    throw std::invalid_argument("this version has no chains");
#endif
  }
  auto service = bench::make_service(options.variant);
  if (!service) throw std::invalid_argument("no such variant: " + options.variant);
  return {*std::move(service)};
}

/// Where the version has the setting.
template <class Settings>
void set_early_end(Settings& settings, bool on) {
  if constexpr (requires { settings.early_end; })
    settings.early_end = on;
  else if (!on)
    throw std::invalid_argument("this version does not end streams early");
}

template <class Settings>
void set_metrics(Settings& settings, const std::string& address) {
  if (address.empty()) return;
  if constexpr (requires { settings.metrics; })
    settings.metrics = address;
  else
    throw std::invalid_argument("this version shows no metrics");
}

void set_transport([[maybe_unused]] extproc::Settings& settings, const Options& options) {
  if (options.tls_certificate.empty() && options.tls_key.empty()) return;
#ifdef BENCH_TLS
  settings.transport = extproc::tls_transport(
      {.certificate_file = options.tls_certificate, .key_file = options.tls_key});
#else
  throw std::invalid_argument("this program has no TLS, bench_extproc_tls has it");
#endif
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    std::vector<extproc::Service> served = services(options);
    if (served.size() != options.addresses.size())
      throw std::invalid_argument("--listen needs " + std::to_string(served.size()) + " addresses");
    for (std::size_t i = 0; i < served.size(); ++i)
      served[i] = std::move(served[i]).on(options.addresses[i]);

    extproc::Settings settings;
    settings.threads = options.threads;
    // The peers do not reveal a chain either.
    settings.reveal_chain = false;
    set_early_end(settings, options.early_end);
    set_metrics(settings, options.metrics);
    set_transport(settings, options);
    settings.grace_period = std::chrono::milliseconds(0);
    return extproc::serve(std::move(served), settings);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
