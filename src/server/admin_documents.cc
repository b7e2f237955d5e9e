#include "server/admin_documents.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extproc/version.h"
#include "server/process.h"
#include "server/stats.h"
#include "server/values.h"

namespace extproc::server {
namespace {

using admin::Document;
using Views = std::span<AdminView* const>;
using std::chrono::milliseconds;

/// How long a page waits for threads that are busy.
constexpr milliseconds kPatience{500};

template <class Add>
Document of_each(Views servers, Add add) {
  Document::List list;
  for (AdminView* server : servers) {
    Document document =
        Document::object({{"name", server->name()}, {"address", server->address()}});
    add(*server, document);
    list.push_back(std::move(document));
  }
  return Document::object({{"servers", std::move(list)}});
}

Document milliseconds_of(std::optional<std::chrono::nanoseconds> time) {
  if (!time) return {};
  return std::int64_t{std::chrono::duration_cast<milliseconds>(*time).count()};
}

std::string utc_text(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// Below zero when it is over.
std::int64_t days_until(std::chrono::sys_seconds time) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return std::chrono::floor<std::chrono::days>(time - now).count();
}

Document text_or_nothing(std::string text) {
  return text.empty() ? Document() : Document(std::move(text));
}

/// Of a value that is a number; empty where it is a text.
std::string_view unit_of(const SettingInForce& setting) {
  if (setting.row == nullptr) return "";
  if (setting.value.find_first_not_of("0123456789.") != std::string::npos) return "";
  const Unit unit = setting.row->unit;
  return unit == Unit::seconds ? "seconds" : unit == Unit::bytes ? "bytes" : "";
}

Document setting_document(const SettingInForce& setting) {
  const SettingRow* row = setting.row;
  return Document::object(
      {{"name", setting.name},
       {"value", setting.value},
       {"unit", text_or_nothing(std::string(unit_of(setting)))},
       {"from", setting.from},
       {"flag", text_or_nothing(row == nullptr ? std::string() : flag_of(*row))},
       {"variable", text_or_nothing(std::string(row == nullptr ? "" : row->variable))},
       {"help", setting.help}});
}

Document stream_document(const OpenStream& stream) {
  const exchange::OpenExchange& at = stream.at;
  return Document::object({{"processor", at.processor},
                           {"phase", at.phase ? Document(to_string(*at.phase)) : Document()},
                           {"waits_for", at.waits_for},
                           {"age_ms", milliseconds_of(at.age)},
                           {"in_handler_ms", milliseconds_of(at.in_handler)},
                           {"request_id", text_or_nothing(at.request_id)},
                           {"peer", text_or_nothing(stream.peer)}});
}

/// What the threads of one server told; the oldest streams first.
struct Gathered {
  std::vector<OpenStream> streams{};
  std::uint64_t busy_threads = 0;
};

Gathered gather(std::vector<std::future<OpenStreams>>& asked,
                std::chrono::steady_clock::time_point until) {
  Gathered all;
  for (auto& each : asked) {
    if (each.wait_until(until) != std::future_status::ready) {
      ++all.busy_threads;
      continue;
    }
    OpenStreams told = each.get();
    std::ranges::move(told.shown, std::back_inserter(all.streams));
  }
  std::ranges::stable_sort(all.streams, [](const OpenStream& a, const OpenStream& b) {
    return a.at.age.value_or(std::chrono::nanoseconds(0)) >
           b.at.age.value_or(std::chrono::nanoseconds(0));
  });
  return all;
}

void add_streams(AdminView& server, std::vector<std::future<OpenStreams>>& asked, std::size_t most,
                 std::chrono::steady_clock::time_point until, Document& document) {
  const Gathered all = gather(asked, until);
  Document::List shown;
  for (const OpenStream& stream : all.streams) {
    if (shown.size() == most) break;
    shown.push_back(stream_document(stream));
  }
  const std::uint64_t open = server.stats().streams_open;
  document.add("open", open);
  document.add("not_shown", open > shown.size() ? open - shown.size() : std::uint64_t{0});
  document.add("busy_threads", all.busy_threads);
  document.add("streams", std::move(shown));
}

Document certificate_document(const ServedCertificate& certificate) {
  Document::List names;
  for (const std::string& name : certificate.names) names.emplace_back(name);
  return Document::object({{"use", certificate.use},
                           {"subject", certificate.subject},
                           {"issuer", certificate.issuer},
                           {"names", std::move(names)},
                           {"not_before", utc_text(certificate.not_before)},
                           {"not_after", utc_text(certificate.not_after)},
                           {"days_left", days_until(certificate.not_after)},
                           {"sha256", certificate.fingerprint},
                           {"source", certificate.source}});
}

void add_certificates(const Transport& transport, Document& document) {
  const TransportReport report = transport.report();
  Document::List certificates;
  for (const ServedCertificate& each : report.certificates)
    certificates.push_back(certificate_document(each));
  Document::List files;
  for (const std::string& file : transport.files()) files.emplace_back(file);
  document.add("description", transport.description());
  document.add("warning", text_or_nothing(transport.warning()));
  document.add("files", std::move(files));
  document.add(
      "last_reload",
      report.last_reload
          ? Document(utc_text(std::chrono::floor<std::chrono::seconds>(*report.last_reload)))
          : Document());
  document.add("reload_error", text_or_nothing(report.reload_error));
  document.add("certificates", std::move(certificates));
}

template <class Sum>
Document counters_of(const Sum& sum) {
  Document document;
  for_each_counter(sum, [&](const CounterInfo& info, std::uint64_t value) {
    document.add(std::string(info.name), value);
  });
  return document;
}

void add_process(Document& document) {
  const auto uptime = std::chrono::system_clock::now() - process_start();
  document.add("version", EXTPROC_VERSION_STRING);
  document.add("compiler", __VERSION__);
  document.add("pid", std::int64_t{::getpid()});
  document.add("started", utc_text(std::chrono::floor<std::chrono::seconds>(process_start())));
  document.add("uptime_seconds",
               std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(uptime).count()});
}

}  // namespace

Document overview_document(Views servers) {
  Document document;
  add_process(document);
  const Document each = of_each(servers, [](AdminView& server, Document& out) {
    const Stats stats = server.stats();
    out.add("tls", server.transport() != nullptr);
    out.add("log_level", to_string(server.log_level()));
    out.add("connections_open", stats.connections_open);
    out.add("streams_open", stats.streams_open);
    out.add("streams_started", stats.streams_started);
    out.add("streams_failed", stats.streams_failed);
    out.add("handler_failures", stats.handler_failures);
    out.add("misused_answers", stats.misused_answers);
    out.add("memory_bytes", stats.memory_bytes);
  });
  document.add("servers", *each.find("servers"));
  return document;
}

Document settings_document(Views servers) {
  return of_each(servers, [](AdminView& server, Document& document) {
    Document::List settings;
    for (const SettingInForce& setting : server.settings())
      settings.push_back(setting_document(setting));
    document.add("settings", std::move(settings));
  });
}

Document streams_document(Views servers, std::size_t most) {
  // All are asked before one is waited for.
  std::vector<std::vector<std::future<OpenStreams>>> asked;
  for (AdminView* server : servers) asked.push_back(server->open_streams(most));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  auto next = asked.begin();
  return of_each(servers, [&](AdminView& server, Document& document) {
    add_streams(server, *next++, most, until, document);
  });
}

Document certificates_document(Views servers) {
  return of_each(servers, [](AdminView& server, Document& document) {
    const Transport* transport = server.transport();
    document.add("tls", transport != nullptr);
    if (transport != nullptr) add_certificates(*transport, document);
  });
}

Document log_level_document(Views servers) {
  const Document each = of_each(servers, [](AdminView& server, Document& document) {
    document.add("log_level", to_string(server.log_level()));
  });
  Document document;
  document.add("log_level",
               servers.empty() ? Document() : Document(to_string(servers.front()->log_level())));
  document.add("servers", *each.find("servers"));
  return document;
}

Document stats_document(Views servers) {
  return of_each(servers, [](AdminView& server, Document& document) {
    const Stats stats = server.stats();
    document.add("counters", counters_of(stats));
    Document::List processors;
    for (const ProcessorStats& processor : stats.processors) {
      Document each = Document::object({{"name", processor.name}});
      for_each_counter(processor, [&](const CounterInfo& info, std::uint64_t value) {
        each.add(std::string(info.name), value);
      });
      processors.push_back(std::move(each));
    }
    document.add("processors", std::move(processors));
  });
}

Document version_document(Views servers) {
  Document document;
  add_process(document);
  document.add("servers", *of_each(servers, [](AdminView&, Document&) {}).find("servers"));
  return document;
}

}  // namespace extproc::server
