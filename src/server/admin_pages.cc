#include "server/admin_pages.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin/form.h"
#include "admin/page.h"
#include "server/admin_documents.h"
#include "server/listen_address.h"
#include "server/values.h"

namespace extproc::server {
namespace {

using admin::Document;
using admin::HttpRequest;
using admin::HttpResponse;
using Views = std::span<AdminView* const>;

constexpr std::size_t kStreamsShown = 100;
constexpr std::size_t kMostStreamsShown = 1'000;

HttpResponse refused(unsigned status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

/// Without a port; all of it where what stands there is none.
std::string_view host_name(std::string_view host) {
  const std::size_t end =
      host.starts_with('[') ? std::min(host.find(']'), host.size() - 1) + 1 : host.find(':');
  return end >= host.size() || host[end] == ':' ? host.substr(0, end) : host;
}

/// Whether it is an address, and no name, which somebody else's DNS may have made one of ours.
bool is_address(std::string_view host) {
  const std::string_view name = host_name(host);
  if (name.starts_with('[')) return name.ends_with(']');
  return !name.empty() && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// "host:1" of "http://host:1"; empty of "null".
std::string_view host_of_origin(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
    return lower(x) == lower(y);
  });
}

/// Why it may not change anything; nothing where it may.
std::optional<HttpResponse> refuse_change(const HttpRequest& request) {
  if (!request.origin.empty() && !is_address(request.host) && !names_loopback(request.host)) {
    return refused(403, "a page may change something under an address alone, and \"" +
                            std::string(request.host) +
                            "\" is a name, which may be another site's: open it under the address");
  }
  const bool foreign_origin =
      !request.origin.empty() && !same_text(host_of_origin(request.origin), request.host);
  const bool foreign_site = !request.fetch_site.empty() && request.fetch_site != "same-origin" &&
                            request.fetch_site != "none";
  if (!foreign_origin && !foreign_site) return std::nullopt;
  return refused(403, "a page of " +
                          (request.origin.empty() ? std::string("another site")
                                                  : std::string(request.origin)) +
                          " may not change anything here: its Origin is not the Host");
}

HttpResponse get_only() {
  HttpResponse response = refused(405, "this page can be read, and not changed: ask with GET");
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

HttpResponse set_log_level(const HttpRequest& request, Views servers) {
  if (auto refusal = refuse_change(request)) return std::move(*refusal);
  const std::string type = admin::media_type(request.content_type);
  if (!request.body.empty() && !type.empty() && type != "application/x-www-form-urlencoded")
    return refused(415, "the body must be a form: level=DEBUG");
  auto text = admin::form_value(request.body, "level");
  if (!text) text = admin::form_value(request.query, "level");
  const auto level = text ? parse_log_level(*text) : std::nullopt;
  if (!level) {
    return refused(400,
                   text ? "level is \"" + *text + "\": it must be " + std::string(kAcceptedLogLevel)
                        : "the level is missing: send level=DEBUG, or another one");
  }
  for (AdminView* server : servers) server->set_log_level(*level, "admin /log-level");
  if (!admin::wants_html(request)) return admin::json_page(log_level_document(servers));
  HttpResponse response = refused(303, "the level is set");
  response.headers.emplace_back("Location", "/log-level?format=html");
  return response;
}

/// How many streams are wanted; nothing where that is no number.
std::optional<std::size_t> streams_wanted(const HttpRequest& request) {
  const auto text = admin::form_value(request.query, "limit");
  if (!text) return kStreamsShown;
  const auto count = parse_count(*text);
  if (!count) return std::nullopt;
  return std::min<std::size_t>(*count, kMostStreamsShown);
}

HttpResponse with_level_form(const HttpRequest& request, const Document& document, Views servers) {
  std::string content;
  append_html(document, content);
  if (!servers.empty()) admin::append_level_form(to_string(servers.front()->log_level()), content);
  return admin::html_page(request.path, content);
}

HttpResponse unknown_page() {
  std::string text = "there is no such page; there are";
  for (const admin::PageLink& link : admin::kPageLinks) text.append(" ").append(link.path);
  return refused(404, std::move(text));
}

}  // namespace

bool names_loopback(std::string_view host) {
  const std::string_view name = host_name(host);
  return same_text(name, "localhost") || name == "[::1]" ||
         (name.starts_with("127.") && is_loopback_host(name));
}

HttpResponse admin_answer(const HttpRequest& request, Views servers) {
  if (names_loopback(request.host)) return admin_answer_under_any_name(request, servers);
  return refused(403, "the Host \"" + std::string(request.host) +
                          "\" is not of this machine alone: ask for 127.0.0.1, [::1] or localhost");
}

HttpResponse admin_answer_under_any_name(const HttpRequest& request, Views servers) {
  const std::string_view path = request.path;
  const bool changes = request.method == "POST";
  if (changes && path == "/log-level") return set_log_level(request, servers);
  if (changes) return get_only();
  if (path == admin::kStylePath) return admin::style_sheet();
  if (path == "/") {
    const Document overview = overview_document(servers);
    return admin::wants_html(request, true) ? with_level_form(request, overview, servers)
                                            : admin::json_page(overview);
  }
  if (path == "/log-level") {
    const Document level = log_level_document(servers);
    return admin::wants_html(request) ? with_level_form(request, level, servers)
                                      : admin::json_page(level);
  }
  if (path == "/streams") {
    const auto most = streams_wanted(request);
    if (!most) return refused(400, "limit must be a number of streams, as in ?limit=100");
    return page_of(request, streams_document(servers, *most));
  }
  if (path == "/settings") return page_of(request, settings_document(servers));
  if (path == "/certs") return page_of(request, certificates_document(servers));
  if (path == "/stats") return page_of(request, stats_document(servers));
  if (path == "/version") return page_of(request, version_document(servers));
  return unknown_page();
}

}  // namespace extproc::server
