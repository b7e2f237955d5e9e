#include <algorithm>

#include "admin/document.h"

namespace extproc::admin {
namespace {

bool is_table(const Document::List& list) {
  return !list.empty() && std::ranges::all_of(list, [](const Document& each) {
    return std::holds_alternative<Document::Object>(each.value());
  });
}

void append_cell(std::string_view name, const Document& value, std::string& out) {
  out.append("<").append(name).append(">");
  append_html(value, out);
  out.append("</").append(name).append(">");
}

/// One row an object, with the names of the first as the heading: all of a list have the same.
void append_rows(const Document::List& list, std::string& out) {
  out += "<table><thead><tr>";
  const auto& heading = std::get<Document::Object>(list.front().value());
  for (const auto& [name, value] : heading) append_cell("th", name, out);
  out += "</tr></thead><tbody>\n";
  for (const Document& row : list) {
    out += "<tr>";
    for (const auto& [name, value] : heading) {
      const Document* cell = row.find(name);
      append_cell("td", cell == nullptr ? Document() : *cell, out);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table>\n";
}

class HtmlWriter {
 public:
  explicit HtmlWriter(std::string& out) : out_(out) {}

  void operator()(Document::Nothing /*nothing*/) { out_ += "&ndash;"; }
  void operator()(bool value) { out_ += value ? "yes" : "no"; }
  void operator()(std::int64_t value) { out_ += std::to_string(value); }
  void operator()(std::uint64_t value) { out_ += std::to_string(value); }
  void operator()(const std::string& value) { append_escaped_html(value, out_); }
  void operator()(const Document::List& list) {
    if (is_table(list)) return append_rows(list, out_);
    bool first = true;
    for (const Document& each : list) {
      if (!first) out_ += "<br>";
      first = false;
      std::visit(*this, each.value());
    }
    if (first) out_ += "none";
  }
  void operator()(const Document::Object& members) {
    out_ += "<table>\n";
    for (const auto& [name, value] : members) {
      out_ += "<tr>";
      append_cell("th", name, out_);
      append_cell("td", value, out_);
      out_ += "</tr>\n";
    }
    out_ += "</table>\n";
  }

 private:
  std::string& out_;
};

}  // namespace

void append_escaped_html(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

void append_html(const Document& document, std::string& out) {
  HtmlWriter writer(out);
  std::visit(writer, document.value());
}

}  // namespace extproc::admin
