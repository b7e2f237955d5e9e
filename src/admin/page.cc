#include "admin/page.h"

#include <utility>

#include "admin/form.h"

namespace extproc::admin {
namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;margin:0;color:#1c1e21;background:#fff}\n"
    "header{padding:.6em 1.5em;border-bottom:1px solid #d0d4d9;background:#f5f6f8}\n"
    "header a{margin-right:1.2em;color:#0b57a4;text-decoration:none}\n"
    "header a[aria-current]{color:#1c1e21;font-weight:600}\n"
    "main{padding:1em 1.5em;overflow-x:auto}\n"
    "table{border-collapse:collapse;margin:.3em 0 1em}\n"
    "th,td{text-align:left;vertical-align:top;padding:.25em .8em .25em 0;"
    "border-bottom:1px solid #e4e7ea}\n"
    "th{font-weight:600;color:#4a5058}\n"
    "td{font-variant-numeric:tabular-nums}\n"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#17191c}"
    "header{background:#202327;border-color:#383c42}header a{color:#8ab8f0}"
    "header a[aria-current]{color:#e6e8ea}th{color:#a9b0b8}th,td{border-color:#31353a}}\n";

constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

std::string_view title_of(std::string_view path) {
  for (const PageLink& link : kPageLinks) {
    if (link.path == path) return link.title;
  }
  return path;
}

void append_links(std::string_view path, std::string& out) {
  out += "<header><nav>";
  for (const PageLink& link : kPageLinks) {
    out.append("<a href=\"").append(link.path).append("\"");
    if (link.path == path) out += " aria-current=\"page\"";
    out.append(">").append(link.title).append("</a>");
  }
  out += "</nav></header>\n";
}

}  // namespace

HttpResponse style_sheet() {
  HttpResponse response;
  response.content_type = "text/css; charset=utf-8";
  response.body = kStyle;
  return response;
}

bool wants_html(const HttpRequest& request, bool otherwise) {
  const auto format = form_value(request.query, "format");
  if (format) return *format == "html";
  if (names_type(request.accept, "text/html")) return true;
  return otherwise && !names_type(request.accept, "application/json");
}

HttpResponse json_page(const Document& document) {
  HttpResponse response;
  response.content_type = "application/json";
  response.body = to_json(document);
  return response;
}

HttpResponse html_page(std::string_view path, std::string_view content) {
  HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  // With no-referrer, a browser sends its own forms with "Origin: null".
  response.headers.emplace_back("Referrer-Policy", "same-origin");
  std::string& out = response.body;
  out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>";
  append_escaped_html(title_of(path), out);
  out.append(" - extproc</title><link rel=\"stylesheet\" href=\"")
      .append(kStylePath)
      .append("\"></head><body>\n");
  append_links(path, out);
  out += "<main><h1>";
  append_escaped_html(title_of(path), out);
  out.append("</h1>\n").append(content).append("</main></body></html>\n");
  return response;
}

HttpResponse page_of(const HttpRequest& request, const Document& document) {
  if (!wants_html(request)) return json_page(document);
  std::string content;
  append_html(document, content);
  return html_page(request.path, content);
}

void append_level_form(std::string_view level, std::string& out) {
  out += "<form method=\"post\" action=\"/log-level\"><label>Log level <select name=\"level\">";
  for (const std::string_view each : {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "OFF"}) {
    out.append("<option")
        .append(each == level ? " selected>" : ">")
        .append(each)
        .append("</option>");
  }
  out += "</select></label> <button>Set</button></form>\n";
}

}  // namespace extproc::admin
