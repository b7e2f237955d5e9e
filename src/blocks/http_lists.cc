// Lists, quality values and media types.
#include <algorithm>

#include "base/header_name.h"
#include "blocks/http_text.h"
#include "extproc/http.h"

namespace extproc::http {

namespace {

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_case);
  return result;
}

/// "0.5" as 500; -1 where it is no qvalue.
int thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 1 && text[1] != '.') return -1;
  int value = text[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return -1;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? -1 : value;
}

/// Whether a parameter is q, which ends those of a range; its value.
std::optional<std::string_view> quality_text(std::string_view param) {
  const auto parts = cut(param, '=');
  if (!parts || !same_name(trimmed(parts->first), "q")) return std::nullopt;
  return trimmed(parts->second);
}

std::optional<Weighted> weighted(std::string_view element) {
  std::string_view rest = element;
  take_until(rest, ';');
  Weighted result{element, 1000};
  while (!rest.empty()) {
    const char* const start = rest.data();
    const auto quality = quality_text(take_until(rest, ';'));
    if (!quality) continue;
    result.quality = thousandths(*quality);
    if (result.quality < 0) return std::nullopt;
    const auto before = static_cast<std::size_t>(start - element.data());
    result.value = trimmed(element.substr(0, before - 1));
    break;
  }
  return result;
}

/// How narrow a range of `accept` is that the type is in; nothing where it is not.
std::optional<int> breadth(std::string_view range, const MediaType& type) {
  std::string_view rest = range;
  const auto parts = cut(trimmed(take_until(rest, ';')), '/');
  if (!parts) return std::nullopt;
  if (parts->first == "*" && parts->second == "*") return 0;
  if (!same_name(parts->first, type.type)) return std::nullopt;
  if (parts->second == "*") return 1;
  return same_name(parts->second, type.subtype) ? std::optional(2) : std::nullopt;
}

}  // namespace

std::vector<std::string_view> split_list(std::string_view header) {
  std::vector<std::string_view> elements;
  while (!header.empty()) {
    const std::string_view element = trimmed(take_until(header, ','));
    if (!element.empty()) elements.push_back(element);
  }
  return elements;
}

std::vector<std::string_view> list_of(const HeaderView& headers, std::string_view name) {
  std::vector<std::string_view> elements;
  for (const Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    const auto more = split_list(header.value);
    elements.insert(elements.end(), more.begin(), more.end());
  }
  return elements;
}

bool has_token(const HeaderView& headers, std::string_view name, std::string_view token) {
  return std::ranges::any_of(list_of(headers, name), [token](std::string_view element) {
    return same_name(element, token);
  });
}

std::string unquoted(std::string_view value) {
  if (!is_quoted(value)) return std::string(value);
  std::string result;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\') ++i;
    result += value[i];
  }
  return result;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result += '"';
}

std::vector<Weighted> parse_qualities(std::string_view header) {
  std::vector<Weighted> result;
  for (const std::string_view element : split_list(header)) {
    if (const auto one = weighted(element)) result.push_back(*one);
  }
  std::ranges::stable_sort(result, std::ranges::greater{}, &Weighted::quality);
  return result;
}

std::optional<std::string_view> preferred(std::string_view header,
                                          const std::vector<std::string_view>& offers) {
  const std::vector<Weighted> wanted = parse_qualities(header);
  std::optional<std::string_view> best;
  int best_quality = 0;
  for (const std::string_view offer : offers) {
    const auto is = [&](std::string_view name) {
      return std::ranges::find_if(wanted,
                                  [name](const Weighted& w) { return same_name(w.value, name); });
    };
    auto found = is(offer);
    if (found == wanted.end()) found = is("*");
    // What is acceptable without being named is so behind all that is named.
    int quality = same_name(offer, "identity") ? 1 : 0;
    if (found != wanted.end()) quality = found->quality * 2;
    if (quality > best_quality) {
      best_quality = quality;
      best = offer;
    }
  }
  return best;
}

std::optional<MediaType> MediaType::parse(std::string_view header) {
  const auto parts = cut(trimmed(take_until(header, ';')), '/');
  if (!parts || !is_token(parts->first) || !is_token(parts->second)) return std::nullopt;
  MediaType result{lowered(parts->first), lowered(parts->second), {}};
  while (!header.empty()) {
    const std::string_view param = trimmed(take_until(header, ';'));
    if (param.empty()) continue;
    const auto pair = cut(param, '=');
    if (!pair || !is_token(pair->first) || (!is_token(pair->second) && !is_quoted(pair->second))) {
      return std::nullopt;
    }
    result.params.emplace_back(lowered(pair->first), unquoted(pair->second));
  }
  return result;
}

bool MediaType::is_json() const {
  return (type == "application" && (subtype == "json" || subtype.ends_with("+json"))) ||
         (type == "text" && subtype == "json");
}

std::optional<std::string_view> MediaType::param(std::string_view name) const {
  for (const auto& [known, value] : params) {
    if (same_name(known, name)) return value;
  }
  return std::nullopt;
}

int accepted(std::string_view accept, const MediaType& type) {
  if (trimmed(accept).empty()) return 1000;
  int quality = 0;
  int narrowest = -1;
  for (const Weighted& range : parse_qualities(accept)) {
    const auto narrow = breadth(range.value, type);
    if (!narrow || *narrow <= narrowest) continue;
    narrowest = *narrow;
    quality = range.quality;
  }
  return quality;
}

}  // namespace extproc::http
