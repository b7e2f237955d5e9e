#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"
#include "extproc/headers.h"

/// What HTTP's own texts say: targets, forms, cookies, media types, lists, credentials.
///
/// Functions of their arguments alone, safe from any thread. Views in results are of the text that
/// was given, and live as long as it. Bad input is no error of the program: a result that is
/// optional is nothing then, a list leaves out the element. Time and memory are in proportion to
/// the text; what can be bounded further takes a limit.
namespace extproc::http {

// --- Percent-encoding (RFC 3986, 2.1) and that of forms (the URL Standard)

/// Each %XX as its byte. Nothing where a '%' has no two hexadecimal digits behind it.
EXTPROC_API std::optional<std::string> percent_decode(std::string_view text);
/// As forms have it: '+' is a space, and a '%' that encodes nothing is itself.
EXTPROC_API std::string form_decode(std::string_view text);
/// Everything but RFC 3986's unreserved characters as %XX: right in a path's segment, and in a
/// query's name or value.
EXTPROC_API std::string percent_encode(std::string_view text);

// --- Query and form: name=value&name=value

struct Param {
  /// As they are written; see form_decode().
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Param&, const Param&) = default;
};

/// The parameters of a query, or of a body of application/x-www-form-urlencoded. Nothing is decoded
/// until it is asked for; each question goes through the text once.
class EXTPROC_API Params {
 public:
  explicit Params(std::string_view text) : text_(text) {}

  class EXTPROC_API Iterator {
   public:
    using value_type = Param;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { read(); }
    const Param& operator*() const { return param_; }
    const Param* operator->() const { return &param_; }
    Iterator& operator++() {
      read();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      read();
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    void read();

    std::string_view rest_;
    Param param_;
    const char* at_ = nullptr;  // nothing: the end
  };
  Iterator begin() const { return Iterator(text_); }
  Iterator end() const { return {}; }

  /// The first value of `name`, decoded. Names are compared decoded, too.
  std::optional<std::string> value(std::string_view name) const;
  /// All of them, in order.
  std::vector<std::string> values(std::string_view name) const;

 private:
  std::string_view text_;
};

// --- A request's target, as `:path` has it

struct Target {
  std::string_view path;
  /// Without '?'; nothing is not the same as an empty one.
  std::optional<std::string_view> query;

  Params params() const { return Params(query.value_or("")); }
};
/// A fragment, which has no place there, is left out.
EXTPROC_API Target split_target(std::string_view target);

/// The segments between a path's slashes, as they are written: "/a//b/" has "a", "", "b", "".
EXTPROC_API std::vector<std::string_view> path_segments(std::string_view path);

/// A path in the one form that all ways to write it share (RFC 3986, 6.2.2): "." and ".." taken
/// out, unreserved characters decoded, the digits of other escapes in upper case. What access is
/// decided by. Nothing where it does not begin with '/', leads above its root, or has an escape
/// that is none. Slashes, encoded ones as well, stay as they are.
EXTPROC_API std::optional<std::string> normal_path(std::string_view path);

/// The target with the first parameter `name` set to `value`, others of that name left out, and all
/// else as it was; added at the end where there was none.
EXTPROC_API std::string with_param(std::string_view target, std::string_view name,
                                   std::string_view value);
/// Without any parameter `name`; without '?' where none is left.
EXTPROC_API std::string without_param(std::string_view target, std::string_view name);

// --- Cookies (RFC 6265)

struct Cookie {
  std::string_view name;
  /// Quotes, where it has some, are part of it.
  std::string_view value;

  friend bool operator==(const Cookie&, const Cookie&) = default;
};
/// Of one `cookie` header.
EXTPROC_API std::vector<Cookie> parse_cookies(std::string_view header);
/// The first of that name in all `cookie` headers, of which HTTP/2 allows several. Names are
/// compared as bytes.
EXTPROC_API std::optional<std::string_view> cookie(const HeaderView& headers,
                                                   std::string_view name);
/// The header's value without the cookies of that name; empty where none is left.
EXTPROC_API std::string without_cookie(std::string_view header, std::string_view name);

enum class SameSite : std::uint8_t { unset, strict, lax, none };

/// One `set-cookie` header.
struct EXTPROC_API SetCookie {
  std::string name{};
  std::string value{};
  /// As it is written ("Sun, 06 Nov 1994 08:49:37 GMT"); empty: none.
  std::string expires{};
  /// Seconds; at most 0: at once.
  std::optional<std::int64_t> max_age{};
  /// Without its leading dot, in lower case.
  std::string domain{};
  std::string path{};
  bool secure = false;
  bool http_only = false;
  SameSite same_site = SameSite::unset;

  /// As browsers read it (RFC 6265, 5.2): the last attribute of a name counts, unknown ones do not.
  static std::optional<SetCookie> parse(std::string_view header);
  /// The header's value. Nothing where a part has a character that would end it or the header.
  std::optional<std::string> text() const;

  friend bool operator==(const SetCookie&, const SetCookie&) = default;
};

// --- Lists, parameters and quality values (RFC 9110, 5.6 and 12.4.2)

/// A list's elements: between commas outside of quotes, without blanks around them; empty ones are
/// left out.
EXTPROC_API std::vector<std::string_view> split_list(std::string_view header);
/// All elements of all headers of that name.
EXTPROC_API std::vector<std::string_view> list_of(const HeaderView& headers, std::string_view name);
/// Whether that list has `token`, in whatever case.
EXTPROC_API bool has_token(const HeaderView& headers, std::string_view name,
                           std::string_view token);

/// What stands in quotes, or the token itself: "\"a\\\"b\"" is a"b.
EXTPROC_API std::string unquoted(std::string_view value);
/// In quotes, with what needs it escaped.
EXTPROC_API std::string quoted(std::string_view text);

struct Weighted {
  /// The element without its parameter q.
  std::string_view value;
  /// Thousandths: 1000 where nothing is said, 0 is "not acceptable".
  int quality = 1000;

  friend bool operator==(const Weighted&, const Weighted&) = default;
};
/// The best first; those of the same quality in their order. One with a q that is none is left out.
EXTPROC_API std::vector<Weighted> parse_qualities(std::string_view header);

/// Which of `offers`, the server's favourite first, a header such as `accept-encoding` or
/// `accept-language` wants most; "*" is for those that it does not name. Nothing where it refuses
/// all. `identity` is acceptable unless it is refused (RFC 9110, 12.5.3).
EXTPROC_API std::optional<std::string_view> preferred(std::string_view header,
                                                      const std::vector<std::string_view>& offers);

/// `content-type`, or one range of `accept`.
struct EXTPROC_API MediaType {
  /// In lower case.
  std::string type{};
  std::string subtype{};
  /// Names in lower case, values without quotes.
  std::vector<std::pair<std::string, std::string>> params{};

  /// Nothing where it is none.
  static std::optional<MediaType> parse(std::string_view header);
  /// "application/json", without parameters.
  std::string essence() const { return type + '/' + subtype; }
  /// Of application/json, application/*+json, text/json.
  bool is_json() const;
  std::optional<std::string_view> param(std::string_view name) const;
};
/// How welcome `type` is to an `accept` header: thousandths, by the most specific range that it is
/// in (RFC 9110, 12.5.1); parameters of ranges are not compared. 1000 where the header is empty.
EXTPROC_API int accepted(std::string_view accept, const MediaType& type);

// --- Multipart forms (RFC 7578)

struct FormPart {
  std::string name{};
  /// Nothing where it is no file.
  std::optional<std::string> filename{};
  std::string content_type{};
  std::string_view content{};
};
/// The parts of a whole body of multipart/form-data; `boundary` is the media type's parameter.
/// Nothing where it is none, a part has no name, or there are more than `most_parts`.
EXTPROC_API std::optional<std::vector<FormPart>> parse_multipart(std::string_view body,
                                                                 std::string_view boundary,
                                                                 std::size_t most_parts = 100);

// --- Who asks (RFC 7239, RFC 9110, 11)

/// One element of `forwarded`; what it does not say is empty. Values without quotes.
struct Forwarded {
  std::string for_node{};
  std::string by_node{};
  std::string host{};
  std::string proto{};
};
/// In the header's order: the caller's own proxy first, the nearest last. Nothing where an element
/// is none, since then nothing of it can be relied on.
EXTPROC_API std::optional<std::vector<Forwarded>> parse_forwarded(std::string_view header);
/// "192.0.2.4:80" and "[2001:db8::1]:80" as address and port; the port is empty where there is
/// none.
EXTPROC_API std::pair<std::string_view, std::string_view> split_node(std::string_view node);
/// The address that `trusted_proxies` of our own in a row have seen: so many elements of all
/// `x-forwarded-for` headers, from the end; 1 is the last. What is further in front is whatever
/// the caller liked to send. Nothing where there are not so many, or it is 0.
EXTPROC_API std::optional<std::string_view> forwarded_for(const HeaderView& headers,
                                                          std::size_t trusted_proxies);

/// `authorization`: a scheme, and what is behind it.
struct Credentials {
  std::string_view scheme;
  std::string_view rest;
};
EXTPROC_API std::optional<Credentials> parse_authorization(std::string_view header);
/// The token of "Bearer …" (RFC 6750); nothing where it has a character that no token has.
EXTPROC_API std::optional<std::string_view> bearer_token(std::string_view header);
struct UserPassword {
  std::string user;
  std::string password;
};
/// Of "Basic …" (RFC 7617).
EXTPROC_API std::optional<UserPassword> basic_credentials(std::string_view header);

// --- Base 64 (RFC 4648)

EXTPROC_API std::string base64_encode(std::string_view bytes);
/// Strict: padding, no other characters, and no bits beyond the last byte.
EXTPROC_API std::optional<std::string> base64_decode(std::string_view text);
/// The alphabet of URLs, without padding.
EXTPROC_API std::string base64url_encode(std::string_view bytes);
/// As strict; padding is no part of it, as in RFC 7515.
EXTPROC_API std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace extproc::http
