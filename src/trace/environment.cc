#include "trace/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "base/header_name.h"
#include "extproc/error.h"
#include "trace/endpoint.h"
#include "trace/sampler.h"

namespace extproc {
namespace trace {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t kMostSpans = 1'000'000;
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
constexpr std::size_t kLeastQueue = std::size_t{64} << 10;

[[noreturn]] void refuse(std::string_view source, std::string_view value,
                         std::string_view accepted) {
  throw Error(std::string(source) + " is \"" + std::string(value) + "\": it must be " +
              std::string(accepted));
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_case);
  return result;
}

/// Nothing where a percent sign has no two digits behind it.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result.push_back(text[i]);
      continue;
    }
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (text.size() - i < 3 || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
      return std::nullopt;
    result.push_back(static_cast<char>(byte));
    i += 2;
  }
  return result;
}

/// "key=value,key=value", values percent-encoded as in W3C Baggage.
Pairs parse_pairs(std::string_view source, std::string_view text, std::string_view example) {
  Pairs pairs;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view member = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    auto key = percent_decoded(trim(member.substr(0, equals)));
    auto value = equals == std::string_view::npos
                     ? std::nullopt
                     : percent_decoded(trim(member.substr(equals + 1)));
    // What a value of headers is may be a secret.
    if (!key || key->empty() || !value) {
      throw Error(std::string(source) +
                  " is not understood: it must be pairs with commas between them, as in \"" +
                  std::string(example) + "\", with %2C for a comma in a value");
    }
    pairs.emplace_back(std::move(*key), std::move(*value));
  }
  return pairs;
}

class Reader {
 public:
  explicit Reader(const Lookup& lookup) : lookup_(lookup) {}

  std::optional<std::string> text(const char* name) const {
    auto value = lookup_(name);
    if (!value || trim(*value).empty()) return std::nullopt;
    return std::string(trim(*value));
  }
  /// Calls `take(variable, value)` with the one for traces where it is set, else with the general.
  template <class Take>
  void either(const std::string& name, const Take& take) const {
    for (const char* infix : {"TRACES_", ""}) {
      const std::string variable = "OTEL_EXPORTER_OTLP_" + (infix + name);
      const auto value = text(variable.c_str());
      if (value) return take(variable, *value);
    }
  }
  template <class Take>
  void number(const char* name, std::uint64_t least, const Take& take) const {
    if (const auto value = text(name)) take(to_number(name, *value, least));
  }
  static std::uint64_t to_number(std::string_view source, std::string_view text,
                                 std::uint64_t least) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr std::uint64_t kMost = kLongest.count();
    if (error != std::errc() || end != text.data() + text.size() || number < least ||
        number > kMost) {
      refuse(source, text,
             "a whole number from " + std::to_string(least) + " to " + std::to_string(kMost));
    }
    return number;
  }

 private:
  const Lookup& lookup_;
};

void check_endpoint(std::string_view source, const std::string& url) {
  if (!parse_endpoint(source, url).secure) return;
  refuse(source, url,
         "http://: spans are sent in clear text, to a collector on this machine or in this pod, "
         "which speaks TLS with those behind it");
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    const char lowered = lower_case(c);
    return (lowered >= 'a' && lowered <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

void check_headers(std::string_view source, const Pairs& headers) {
  const auto is_printed = [](char c) { return c >= ' ' && c != '\x7f'; };
  for (const auto& [name, value] : headers) {
    // It may be a header as a whole, with a secret.
    if (!is_token(name)) throw Error(std::string(source) + " has a name that is none of a header");
    if (!std::ranges::all_of(value, is_printed)) {
      throw Error(std::string(source) + " has \"" + name +
                  "\", whose value is none of a header: it has control characters");
    }
  }
}

/// Whether spans are to be sent, by what the environment says of exporters.
bool is_wanted(const Reader& reader) {
  const auto disabled = reader.text("OTEL_SDK_DISABLED");
  if (disabled && lower(*disabled) == "true") return false;
  const auto exporter = reader.text("OTEL_TRACES_EXPORTER");
  if (exporter) {
    if (*exporter == "none") return false;
    if (*exporter != "otlp")
      refuse("OTEL_TRACES_EXPORTER", *exporter, "otlp, or none where no traces are to be sent");
    return true;
  }
  bool named = false;
  reader.either("ENDPOINT", [&](const auto&, const auto&) { named = true; });
  return named;
}

void read_exporter(const Reader& reader, TraceSettings& settings) {
  reader.either("PROTOCOL", [](const auto& variable, const auto& value) {
    if (value != "http/protobuf") {
      refuse(variable, value,
             "http/protobuf, which is what spans are sent as; collectors take that on port 4318");
    }
  });
  reader.either("COMPRESSION", [](const auto& variable, const auto& value) {
    if (value != "none") refuse(variable, value, "none, or not set: spans are sent as they are");
  });
  reader.either("ENDPOINT", [&](const std::string& variable, std::string value) {
    // As it was written.
    check_endpoint(variable, value);
    if (!variable.ends_with("TRACES_ENDPOINT"))
      value += value.ends_with('/') ? "v1/traces" : "/v1/traces";
    settings.endpoint = std::move(value);
  });
  reader.either("HEADERS", [&](const auto& variable, const auto& value) {
    settings.headers = parse_pairs(variable, value, "x-api-key=abc,x-tenant=7");
    check_headers(variable, settings.headers);
  });
  reader.either("TIMEOUT", [&](const auto& variable, const auto& value) {
    settings.timeout = std::chrono::milliseconds(Reader::to_number(variable, value, 1));
  });
}

void read_resource(const Reader& reader, TraceSettings& settings) {
  if (const auto text = reader.text("OTEL_RESOURCE_ATTRIBUTES")) {
    settings.resource_attributes =
        parse_pairs("OTEL_RESOURCE_ATTRIBUTES", *text, "service.version=1,k8s.pod.name=a");
    std::erase_if(settings.resource_attributes, [&](auto& pair) {
      if (pair.first != "service.name") return false;
      settings.service_name = std::move(pair.second);
      return true;
    });
  }
  if (auto name = reader.text("OTEL_SERVICE_NAME")) settings.service_name = std::move(*name);
}

void read_sampler(const Reader& reader, TraceSettings& settings) {
  const auto name = reader.text("OTEL_TRACES_SAMPLER");
  if (!name) return;
  const auto sampler = parse_sampler(*name);
  if (!sampler) refuse("OTEL_TRACES_SAMPLER", *name, kAcceptedSampler);
  settings.sampler = *sampler;
  if (!name->ends_with("traceidratio")) return;
  const auto text = reader.text("OTEL_TRACES_SAMPLER_ARG");
  if (!text) return;
  double ratio = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ratio);
  if (error != std::errc() || end != text->data() + text->size() || !(ratio >= 0 && ratio <= 1))
    refuse("OTEL_TRACES_SAMPLER_ARG", *text, "a number from 0 to 1, as in \"0.01\"");
  settings.ratio = ratio;
}

template <class T>
void check_range(std::string_view setting, T value, T least, T most, std::string_view unit) {
  if (value >= least && value <= most) return;
  refuse(setting, std::to_string(value),
         "from " + std::to_string(least) + " to " + std::to_string(most) + std::string(unit));
}

}  // namespace

std::optional<TraceSettings> settings_from(const Lookup& environment) {
  const Reader reader(environment);
  if (!is_wanted(reader)) return std::nullopt;
  TraceSettings settings;
  read_exporter(reader, settings);
  read_resource(reader, settings);
  read_sampler(reader, settings);
  reader.number("OTEL_BSP_SCHEDULE_DELAY", 1,
                [&](std::uint64_t value) { settings.delay = std::chrono::milliseconds(value); });
  reader.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1,
                [&](std::uint64_t value) { settings.batch_spans = std::min(value, kMostSpans); });
  reader.number("OTEL_BSP_MAX_QUEUE_SIZE", 1,
                [&](std::uint64_t value) { settings.queue_spans = std::min(value, kMostSpans); });
  check(settings);
  return settings;
}

void check(const TraceSettings& settings) {
  check_endpoint("TraceSettings::endpoint", settings.endpoint);
  check_headers("TraceSettings::headers", settings.headers);
  if (!(settings.ratio >= 0 && settings.ratio <= 1))
    refuse("TraceSettings::ratio", std::to_string(settings.ratio), "from 0 to 1");
  const auto check_time = [](std::string_view setting, std::chrono::milliseconds time,
                             std::int64_t least) {
    check_range<std::int64_t>(setting, time.count(), least, kLongest.count(), " ms");
  };
  check_time("TraceSettings::timeout", settings.timeout, 1);
  check_time("TraceSettings::delay", settings.delay, 1);
  check_time("TraceSettings::last_send", settings.last_send, 0);
  check_range<std::uint64_t>("TraceSettings::batch_spans", settings.batch_spans, 1, kMostSpans, "");
  check_range<std::uint64_t>("TraceSettings::queue_spans", settings.queue_spans, 0, kMostSpans, "");
  check_range<std::uint64_t>("TraceSettings::queue_bytes", settings.queue_bytes, kLeastQueue,
                             std::uint64_t{1} << 32, " bytes");
}

}  // namespace trace

std::optional<TraceSettings> TraceSettings::from_environment() {
  return trace::settings_from([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace extproc
