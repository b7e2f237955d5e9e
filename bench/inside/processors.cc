// What runs inside Envoy and behind ext_proc, side by side, beside the examples.
#include <extproc/extproc.h>

#include <string>

namespace {

/// Puts another body of a thousand bytes in the place of the request's.
class OtherBody : public extproc::Processor {
 public:
  void process_request_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                            extproc::BodyResponse& response) override {
    response.replace_body(std::string(1000, 'b'));
  }
};

}  // namespace

EXTPROC_EXPORT(OtherBody)
