#include "metrics/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace extproc::metrics {
namespace {

constexpr std::string_view kTotal = "_total";
constexpr std::string_view kInfo = "_info";

void append_number(std::string& out, double value) {
  // What is whole is written without an exponent.
  constexpr double kMostWhole = 1e15;
  char text[40];
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (std::trunc(value) == value && std::abs(value) < kMostWhole) {
    const auto end = std::to_chars(text, std::end(text), static_cast<std::int64_t>(value)).ptr;
    out.append(text, end);
  } else {
    const auto end = std::to_chars(text, std::end(text), value).ptr;
    out.append(text, end);
  }
}

/// Seconds with their fraction, which a shortest number would write with an exponent.
void append_time(std::string& out, double seconds) {
  char text[64];
  const auto end = std::to_chars(text, std::end(text), seconds, std::chars_format::fixed, 3).ptr;
  out.append(text, end);
}

/// As OpenMetrics says, so that both formats have the same series: "0.0001", "1e-05", "1.0".
std::string bound_text(double bound) {
  char text[40];
  const auto end = std::to_chars(text, std::end(text), bound, std::chars_format::general).ptr;
  std::string out(text, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

std::string_view kind_text(Kind kind, Format format) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      return "histogram";
    case Kind::info:
      return format == Format::openmetrics ? "info" : "gauge";
  }
  return "unknown";
}

/// What OpenMetrics calls the family.
std::string_view family_name(const Family& family, Format format) {
  std::string_view name = family.name;
  if (format == Format::text) return name;
  const std::string_view suffix = family.kind == Kind::counter ? kTotal
                                  : family.kind == Kind::info  ? kInfo
                                                               : std::string_view();
  if (!suffix.empty() && name.ends_with(suffix)) name.remove_suffix(suffix.size());
  return name;
}

std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.size() > unit.size() && name.ends_with(unit) &&
        name[name.size() - unit.size() - 1] == '_')
      return unit;
  }
  return {};
}

class Writer {
 public:
  explicit Writer(Format format) : format_(format) {}

  void write(const Family& family) {
    if (family.series.empty()) return;
    write_head(family);
    for (const Series& series : family.series) {
      if (family.kind == Kind::histogram) {
        write_histogram(family.name, series);
      } else {
        write_sample(family.name, {}, series.labels, {}, series.value);
        out_ += '\n';
      }
    }
  }

  std::string take() {
    if (format_ == Format::openmetrics) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  void write_head(const Family& family) {
    const std::string_view name = family_name(family, format_);
    const auto line = [&](std::string_view what) {
      out_.append("# ").append(what).append(" ").append(name).append(" ");
    };
    line("HELP");
    append_escaped(out_, family.help, format_ == Format::openmetrics);
    out_ += '\n';
    line("TYPE");
    out_.append(kind_text(family.kind, format_)).append("\n");
    const std::string_view unit = unit_of(name);
    if (format_ == Format::text || unit.empty() || family.kind == Kind::info) return;
    line("UNIT");
    out_.append(unit).append("\n");
  }

  void write_sample(std::string_view name, std::string_view suffix, const LabelPairs& labels,
                    std::string_view bound, double value) {
    out_.append(name).append(suffix);
    char before = '{';
    const auto label = [&](std::string_view key, std::string_view text) {
      out_ += before;
      out_.append(key).append("=\"");
      append_escaped(out_, text, true);
      out_ += '"';
      before = ',';
    };
    for (const auto& [key, text] : labels) label(key, text);
    if (!bound.empty()) label("le", bound);
    if (before == ',') out_ += '}';
    out_ += ' ';
    append_number(out_, value);
  }

  void write_histogram(std::string_view name, const Series& series) {
    const Distribution& its = series.distribution;
    double count = 0;
    for (std::size_t i = 0; i < its.counts.size(); ++i) {
      count += its.counts[i];
      write_sample(name, "_bucket", series.labels,
                   i < its.bounds.size() ? bound_text(its.bounds[i]) : "+Inf", count);
      if (format_ == Format::openmetrics && i < its.exemplars.size() && its.exemplars[i])
        write_exemplar(*its.exemplars[i]);
      out_ += '\n';
    }
    write_sample(name, "_sum", series.labels, {}, its.sum);
    out_ += '\n';
    write_sample(name, "_count", series.labels, {}, count);
    out_ += '\n';
  }

  void write_exemplar(const Exemplar& exemplar) {
    out_ += " # {trace_id=\"";
    append_hex(exemplar.ids.trace);
    out_ += "\",span_id=\"";
    append_hex(exemplar.ids.span);
    out_ += "\"} ";
    append_number(out_, exemplar.value);
    out_ += ' ';
    append_time(out_, exemplar.time);
  }

  template <class Bytes>
  void append_hex(const Bytes& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const std::uint8_t byte : bytes) {
      out_ += kDigits[byte >> 4];
      out_ += kDigits[byte & 15];
    }
  }

  const Format format_;
  std::string out_;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Calls `each` with what stands between `separator`s.
template <class Each>
void split(std::string_view text, char separator, Each each) {
  while (true) {
    const std::size_t end = text.find(separator);
    each(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// One range of Accept, and how much it is liked.
struct Range {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

Range range_of(std::string_view text) {
  Range range;
  bool first = true;
  split(text, ';', [&](std::string_view part) {
    if (std::exchange(first, false)) {
      range.type = part;
    } else if (part.starts_with("q=")) {
      range.quality = 0;
      std::from_chars(part.data() + 2, part.data() + part.size(), range.quality);
    } else if (part.starts_with("version=")) {
      range.version = part.substr(part.find('=') + 1);
    }
  });
  return range;
}

}  // namespace

Format format_for(std::string_view accept) {
  double text = 0;
  double openmetrics = 0;
  split(accept, ',', [&](std::string_view part) {
    const Range range = range_of(part);
    if (range.type == "application/openmetrics-text") {
      // There is no other version that is final; who names none gets that.
      if (range.version.empty() || range.version == "1.0.0")
        openmetrics = std::max(openmetrics, range.quality);
    } else if (range.type == "text/plain" || range.type == "text/*" || range.type == "*/*") {
      text = std::max(text, range.quality);
    }
  });
  return openmetrics > 0 && openmetrics >= text ? Format::openmetrics : Format::text;
}

std::string_view content_type(Format format) {
  return format == Format::text ? "text/plain; version=0.0.4; charset=utf-8"
                                : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

std::string write(const Families& families, Format format) {
  Writer writer(format);
  for (const Family& family : families.all()) writer.write(family);
  return writer.take();
}

}  // namespace extproc::metrics
