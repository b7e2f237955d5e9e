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

class Stranger : public First {
 public:
  Stranger() { throw 7; }
};

class Named : public First {
 public:
  explicit Named(const extproc::OwnSettings& settings)
      : name_(settings.get_or<std::string>("name", "Nobody")) {
    if (name_.empty()) throw std::runtime_error("no name");
  }
  std::string name() const override { return name_; }

 private:
  std::string name_;
};

extproc::Service make_second() { return extproc::Service::make<First>(); }

extproc::Handlers make_handlers() {
  extproc::Handlers handlers("Third");
  handlers.process<extproc::Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  return handlers;
}

}  // namespace

EXTPROC_EXPORT(First)
EXTPROC_EXPORT(Named)
EXTPROC_EXPORT_AS(NamedToo, [](const extproc::OwnSettings& settings) {
  return extproc::Service::make<Named>(settings);
});
EXTPROC_EXPORT(Broken);
EXTPROC_EXPORT(Stranger);
EXTPROC_EXPORT_AS(ByValue, make_handlers);
EXTPROC_EXPORT_AS(Second, make_second);
