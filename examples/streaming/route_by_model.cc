#include <extproc/async.h>

#include <boost/json/src.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace {

/// "model" of a chat request; nothing where there is none.
std::optional<std::string> model_of(std::string_view json) {
  boost::json::error_code error;
  const auto request = boost::json::parse(json, error);
  if (error || !request.is_object()) return std::nullopt;
  const auto* model = request.as_object().if_contains("model");
  if (model == nullptr || !model->is_string()) return std::nullopt;
  return std::string(model->as_string());
}

}  // namespace

/// Routes chat requests by their model, wherever it stands in the body.
class RouteByModel : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& /*headers*/,
                                          extproc::Context& /*context*/,
                                          extproc::Request& /*request*/,
                                          extproc::HeadersResponse& response) override {
    response.wait_for_body(extproc::form_immediate_response(413, {}, "too large, or too slow\n"));
    co_return;
  }

  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context& /*context*/,
                                      extproc::Request& /*request*/) override {
    std::string text;
    while (auto chunk = co_await body.read()) text += chunk->bytes();
    if (const auto model = model_of(text)) {
      body.response().set_header("x-model", *model);
      body.clear_route_cache();
      body.write(text);
    } else {
      body.response().respond(extproc::form_immediate_response(400, {}, "no model\n"));
    }
  }
};

EXTPROC_EXPORT(RouteByModel)
