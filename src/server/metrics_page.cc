#include "server/metrics_page.h"

#include "extproc/version.h"
#include "metrics/exposition.h"
#include "metrics/process_families.h"
#include "metrics/registry.h"

namespace extproc::server {
namespace {

admin::HttpResponse plain(unsigned status, std::string body) {
  return {.status = status, .body = std::move(body)};
}

admin::HttpResponse metrics_of(std::string_view accept, std::span<MetricsSource* const> servers) {
  metrics::Families families;
  families.get("extproc_build_info", metrics::Kind::info, "The version of the library, as a label")
      .add({{"version", EXTPROC_VERSION_STRING}}, 1);
  metrics::Family& ready =
      families.get("extproc_ready", metrics::Kind::gauge,
                   "Whether the health of the processor is SERVING: 1 for yes");
  for (const MetricsSource* each : servers)
    ready.add({{"processor", each->name()}}, each->ready() ? 1 : 0, metrics::Join::least);
  for (const MetricsSource* each : servers) each->collect(families);
  metrics::add_process(families);
  metrics::Registry::instance().collect(families);
  const metrics::Format format = metrics::format_for(accept);
  return {.content_type = std::string(metrics::content_type(format)),
          .body = metrics::write(families, format)};
}

admin::HttpResponse readiness(std::span<MetricsSource* const> servers) {
  std::string missing;
  for (const MetricsSource* each : servers) {
    if (!each->ready()) missing += (missing.empty() ? "" : ", ") + each->name();
  }
  if (servers.empty()) return plain(503, "not ready: nothing is served yet\n");
  if (!missing.empty()) return plain(503, "not ready: " + missing + "\n");
  return plain(200, "ready\n");
}

}  // namespace

admin::HttpResponse answer_metrics(const admin::HttpRequest& request,
                                   std::span<MetricsSource* const> servers) {
  const bool known =
      request.path == "/metrics" || request.path == "/healthz" || request.path == "/readyz";
  if (!known) {
    return plain(404,
                 "nothing is here: /metrics has the metrics, /healthz and /readyz say whether "
                 "the process lives and whether its processors take requests\n");
  }
  if (request.method != "GET") {
    admin::HttpResponse refused = plain(405, "this can only be read: GET or HEAD\n");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  if (request.path == "/healthz") return plain(200, "ok\n");
  if (request.path == "/readyz") return readiness(servers);
  return metrics_of(request.accept, servers);
}

}  // namespace extproc::server
