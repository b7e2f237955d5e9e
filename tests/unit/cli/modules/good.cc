// A module with what the loader's tests look for.
#include <extproc/extproc.h>

namespace {

class First : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
};

class Broken : public First {
 public:
  Broken() { throw std::runtime_error("no licence"); }
};

extproc::Service make_second() { return extproc::Service::make<First>(); }

}  // namespace

EXTPROC_EXPORT(First);
EXTPROC_EXPORT(Broken);
EXTPROC_EXPORT_AS(Second, make_second);
