// A module as it was built before processors had settings of their own: what it exports has the
// older form, and its processors are made by the older function.
#include <extproc/extproc.h>

#include <memory>

namespace {

class Old : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
};

}  // namespace

template <>
struct extproc::detail::DispatcherFactory<Old> {
  static std::shared_ptr<const Dispatcher> make(std::shared_ptr<Old> processor) {
    return make_processor_dispatcher(std::move(processor), {Phase::request_headers}, {});
  }
};

namespace {

extproc::Service make_old() { return extproc::Service::make<Old>(); }

[[gnu::used]] const char* const kDescriptor = extproc_module_descriptor;

}  // namespace

extern "C" __attribute__((visibility("default"))) std::size_t extproc_module_exports(
    extproc::detail::ModuleEntry* entries, std::size_t capacity) {
  if (capacity > 0) entries[0] = {"Old", &make_old};
  return 1;
}
