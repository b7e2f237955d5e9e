#include <extproc/extproc.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

/// Tells the upstream the plan of the tenant that a request is of, or refuses it. Who is a tenant
/// is in its own settings, which can change while it runs.
class Tenants final : public extproc::Processor {
 public:
  explicit Tenants(const extproc::OwnSettings& settings) : plans_(read(settings)) {}

  void reload(const extproc::OwnSettings& settings) override { plans_ = read(settings); }

  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request&, extproc::HeadersResponse& response) override {
    // As long as this call looks at them, they are there.
    const std::shared_ptr<const Plans> plans = plans_;
    const auto found = plans->find(headers.value("x-tenant-id").value_or(""));
    if (found == plans->end()) {
      throw extproc::StopRequestProcessing(
          extproc::form_immediate_response(403, {}, "no such tenant"));
    }
    response.set_header("x-plan", found->second);
  }

 private:
  using Plans = std::map<std::string, std::string, std::less<>>;

  /// Throws what is wrong, before anything is changed.
  static std::shared_ptr<const Plans> read(const extproc::OwnSettings& settings) {
    auto plans = std::make_shared<Plans>();
    for (const auto& tenant : settings.get<std::vector<extproc::OwnSettings>>("tenants"))
      (*plans)[tenant.get<std::string>("id")] = tenant.get_or<std::string>("plan", "free");
    return plans;
  }

  std::atomic<std::shared_ptr<const Plans>> plans_;
};

}  // namespace

EXTPROC_EXPORT(Tenants)
