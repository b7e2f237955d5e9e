#include "extproc/processor.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/error.h"
#include "processor/blocking_dispatcher.h"

namespace extproc {

Processor::~Processor() = default;
void Processor::process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) {}
void Processor::process_request_body(const HttpBody&, Context&, Request&, BodyResponse&) {}
void Processor::process_request_trailers(const HttpTrailers&, Context&, Request&,
                                         TrailersResponse&) {}
void Processor::process_response_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) {
}
void Processor::process_response_body(const HttpBody&, Context&, Request&, BodyResponse&) {}
void Processor::process_response_trailers(const HttpTrailers&, Context&, Request&,
                                          TrailersResponse&) {}
void Processor::on_complete(const Completed&, Context&, Request&) {}
Needs Processor::needs() const { return {}; }
void Processor::start() {}
void Processor::stop() {}
void Processor::reload(const OwnSettings&) {
  throw Error(name() + " cannot change its settings while it runs");
}

std::string Processor::name() const { return detail::class_name(typeid(*this)); }

namespace detail {

Dispatcher::~Dispatcher() = default;

std::string class_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  std::string_view name = status == 0 ? demangled.get() : type.name();
  // Template arguments may hold "::" of their own, so they go first.
  if (const auto arguments = name.find('<'); arguments != std::string_view::npos && arguments > 0) {
    name = name.substr(0, arguments);
  }
  if (const auto scope = name.rfind("::"); scope != std::string_view::npos)
    name.remove_prefix(scope + 2);
  return std::string(name);
}

namespace {

class ProcessorDispatcher final : public Dispatcher {
 public:
  ProcessorDispatcher(std::shared_ptr<Processor> processor, PhaseSet phases, Traits traits)
      : Dispatcher(processor->name(), phases, false, {}, traits),
        processor_(std::move(processor)) {}

  Step call(Invocation& i) const override {
    switch (i.phase) {
      case Phase::request_headers:
        processor_->process_request_headers(*i.headers, *i.context, *i.request,
                                            *i.headers_response);
        break;
      case Phase::request_body:
        processor_->process_request_body(*i.body, *i.context, *i.request, *i.body_response);
        break;
      case Phase::request_trailers:
        processor_->process_request_trailers(*i.trailers, *i.context, *i.request,
                                             *i.trailers_response);
        break;
      case Phase::response_headers:
        processor_->process_response_headers(*i.headers, *i.context, *i.request,
                                             *i.headers_response);
        break;
      case Phase::response_body:
        processor_->process_response_body(*i.body, *i.context, *i.request, *i.body_response);
        break;
      case Phase::response_trailers:
        processor_->process_response_trailers(*i.trailers, *i.context, *i.request,
                                              *i.trailers_response);
        break;
    }
    return Step::done;
  }

  void complete(const Completed& how, Context& context, Request& request) const override {
    processor_->on_complete(how, context, request);
  }
  Needs needs() const override { return processor_->needs(); }
  void start() const override { processor_->start(); }
  void stop() const override { processor_->stop(); }
  bool ready() const override { return processor_->ready(); }

 private:
  std::shared_ptr<Processor> processor_;
};

}  // namespace

std::shared_ptr<const Dispatcher> make_processor_dispatcher(std::shared_ptr<Processor> processor,
                                                            PhaseSet phases, Traits traits) {
  const bool blocking = processor->blocking();
  Dispatcher::Reload reload;
  if (traits.reloads)
    reload = [processor](const OwnSettings& settings) { processor->reload(settings); };
  std::shared_ptr<const Dispatcher> dispatcher =
      std::make_shared<ProcessorDispatcher>(std::move(processor), phases, traits);
  if (blocking) dispatcher = make_blocking(std::move(dispatcher));
  dispatcher->set_reload(std::move(reload));
  return dispatcher;
}

}  // namespace detail
}  // namespace extproc
