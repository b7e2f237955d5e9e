#pragma once

#include <string>
#include <string_view>

#include "admin/document.h"
#include "admin/http_message.h"

namespace extproc::admin {

/// Where it is, which is what the links of each page are called.
struct PageLink {
  std::string_view path;
  std::string_view title;
};
inline constexpr PageLink kPageLinks[] = {{"/", "Overview"},           {"/streams", "Streams"},
                                          {"/settings", "Settings"},   {"/certs", "Certs"},
                                          {"/log-level", "Log level"}, {"/stats", "Stats"},
                                          {"/version", "Version"}};

/// The style sheet of all pages.
inline constexpr std::string_view kStylePath = "/style.css";
HttpResponse style_sheet();

/// Whether a page is wanted as HTML: "format=html" or "format=json" of the query says so, else the
/// Accept header, where it names text/html, or neither that nor JSON and `otherwise`.
bool wants_html(const HttpRequest& request, bool otherwise = false);

HttpResponse json_page(const Document& document);
/// `content` is HTML. It may load nothing but the style sheet, run nothing, and send forms to this
/// address alone.
HttpResponse html_page(std::string_view path, std::string_view content);
/// In the form that is wanted.
HttpResponse page_of(const HttpRequest& request, const Document& document);

/// The form that sets the level of the log, one of `levels`.
void append_level_form(std::string_view level, std::string& out);

}  // namespace extproc::admin
