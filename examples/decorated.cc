// The digest again, made of registered functions instead of a class; it tells the upstream only.
#include <extproc/extproc.h>

#include <memory>
#include <string>

#include "sha256.h"

namespace {

extproc::Service decorated() {
  auto service = std::make_shared<extproc::Handlers>("DecoratedExtProcService");

  service->process<extproc::Phase::request_headers>(
      [](auto& headers, auto&, auto& request, auto& response) {
        auto& text = request.template state<std::string>();
        text.append(headers.value("x-tenant-id").value_or("unknown"));
        text.append(request.method()).append(request.path());
        if (headers.end_of_stream()) response.set_header("x-request-digest", sha256(text));
      });

  service->process<extproc::Phase::request_body>(
      [](auto& body, auto&, auto& request, auto& response) {
        auto& text = request.template state<std::string>();
        text.append(body.bytes());
        response.set_header("x-request-digest", sha256(text));
      });

  return service;
}

}  // namespace

EXTPROC_EXPORT_AS(DecoratedExtProcService, decorated)
