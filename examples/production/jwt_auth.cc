#include <extproc/async.h>
#include <extproc/cache.h>
#include <extproc/call_log.h>
#include <extproc/client.h>
#include <extproc/error.h>
#include <extproc/first_load.h>
#include <extproc/http.h>
#include <extproc/jwt.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// Lets requests pass that have a JSON Web Token of one issuer, and tells its claims: as headers to
/// routes and the upstream, as dynamic metadata to routes and the access log. It is not ready
/// before it has the issuer's keys, and has them again where a token names one that it does not
/// know.
class JwtAuth final : public extproc::AsyncProcessor {
 public:
  explicit JwtAuth(const extproc::OwnSettings& settings)
      : url_(required<std::string>(settings, "jwks_url")),
        realm_(settings.get_or<std::string>("realm", "api")),
        optional_(settings.get_or("optional", false)),
        wait_(settings.get_or<std::chrono::milliseconds>("wait", 2s)),
        rules_{.issuers = {required<std::string>(settings, "issuer")},
               .audiences = required<std::vector<std::string>>(settings, "audiences"),
               .leeway = settings.get_or<std::chrono::seconds>("leeway", 60s)},
        client_({.connect_time = wait_,
                 .time = wait_,
                 .tls = {.ca_file = settings.get_or<std::string>("ca_file", "")}}),
        keys_(times(settings, wait_), [this](const std::string& url) { return fetch(url); }) {
    extproc::jwt::Token nobody;
    nobody.claims = "{}";
    for (const auto& claim : settings.get_or<std::vector<extproc::OwnSettings>>("claims", {})) {
      claims_.push_back({claim.get<std::string>("claim"), claim.get<std::string>("header")});
      // Throws where the pointer is none.
      static_cast<void>(nobody.text(claims_.back().pointer));
    }
  }

  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& context, extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    const auto given = headers.values("authorization");
    if (given.empty() && optional_) {
      tell(nullptr, response);
      co_return;
    }
    // Of two nobody knows which one the upstream would believe.
    const auto token = given.size() == 1 ? extproc::http::bearer_token(given[0]) : std::nullopt;
    if (!token) {
      refuse("", response);
      co_return;
    }
    KeysPointer keys;
    try {
      keys = co_await keys_.get(extproc::executor(context), url_);
    } catch (const std::runtime_error&) {
      if (context.cancelled()) throw;
    }
    if (!keys) {
      response.respond({.status = 503, .headers = {{"retry-after", "1"}}});
      co_return;
    }
    extproc::jwt::Result result = extproc::jwt::verify(*token, *keys, rules_);
    // What is under way, or has just come, may be older than the token's key.
    for (int tries = 0; tries < 3 && result.reason == extproc::jwt::Reason::key; ++tries) {
      const KeysPointer known = keys;
      keys = co_await keys_.get_newer(extproc::executor(context), url_, known);
      if (keys == known) break;
      result = extproc::jwt::verify(*token, *keys, rules_);
    }
    if (result.token) {
      tell(&*result.token, response);
      // For the line of a call log that is in front of it.
      if (const auto subject = result.token->text("/sub")) {
        request.shared<extproc::CallFields>().set_user(*subject);
      }
    } else {
      refuse(result.text, response);
    }
  }

  extproc::Needs needs() const override {
    return {.metadata_set = {"jwt_auth"}, .message_timeout = wait_ + 500ms};
  }

  void start() override {
    if (url_.empty())
      throw extproc::Error("it needs jwks_url, issuer and audiences in its settings");
    first_keys_.begin(keys_, url_);
  }
  void stop() override { first_keys_.end(); }
  bool ready() const override { return keys_.peek(url_) != nullptr; }

 private:
  using Keys = extproc::Cache<std::string, extproc::jwt::Keys>;
  using KeysPointer = Keys::Pointer;
  /// A claim by JSON Pointer, and the header and the field of metadata that tell it.
  struct Claim {
    std::string pointer;
    std::string header;
  };

  /// Without any settings it is only asked what it needs, by `extproc config`; nobody has a key
  /// then.
  template <class T>
  static T required(const extproc::OwnSettings& settings, std::string_view name) {
    return settings.empty() ? T() : settings.get<T>(name);
  }

  /// Keys are fetched again long before they are old, and kept while the issuer is away.
  static extproc::CacheSettings times(const extproc::OwnSettings& settings,
                                      std::chrono::milliseconds wait) {
    const auto refresh = settings.get_or<std::chrono::milliseconds>("refresh", 5min);
    return {.ttl = refresh * 2,
            .refresh_after = refresh,
            .stale = settings.get_or<std::chrono::milliseconds>("stale", 24h),
            .renewal_pause = settings.get_or<std::chrono::milliseconds>("renewal_pause", 10s),
            .load_time = wait};
  }

  boost::asio::awaitable<extproc::jwt::Keys> fetch(std::string url) {
    const extproc::client::Response response = co_await client_.get(std::move(url));
    if (response.status != 200) {
      throw extproc::jwt::KeysError("the issuer has no keys: " + std::to_string(response.status));
    }
    co_return extproc::jwt::Keys::parse(response.body);
  }

  /// `why` is empty where there is no token (RFC 6750, 3).
  void refuse(std::string_view why, extproc::HeadersResponse& response) const {
    std::string challenge = "Bearer realm=" + extproc::http::quoted(realm_);
    if (!why.empty()) {
      challenge += R"(, error="invalid_token", error_description=)" + extproc::http::quoted(why);
    }
    response.respond({.status = 401, .headers = {{"www-authenticate", challenge}}});
  }

  /// What the caller says of itself in such headers is not believed.
  void tell(const extproc::jwt::Token* token, extproc::HeadersResponse& response) const {
    extproc::Struct metadata;
    for (const Claim& claim : claims_) {
      const auto text = token == nullptr ? std::nullopt : token->text(claim.pointer);
      if (text && is_header_value(*text)) {
        response.set_header(claim.header, *text);
        metadata.set(claim.header, *text);
      } else {
        response.remove_header(claim.header);
      }
    }
    response.set_dynamic_metadata("jwt_auth", std::move(metadata));
    response.clear_route_cache();
  }

  static bool is_header_value(std::string_view text) {
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  }

  const std::string url_;
  const std::string realm_;
  const bool optional_;
  const std::chrono::milliseconds wait_;
  const extproc::jwt::Rules rules_;
  std::vector<Claim> claims_;
  extproc::client::Client client_;
  Keys keys_;
  extproc::FirstLoad first_keys_;
};

}  // namespace

EXTPROC_EXPORT(JwtAuth)
