#include "grpc/reflection.h"

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

#include "grpc/descriptor_index.h"
#include "grpc/reflection_messages.h"

namespace extproc::grpc {
namespace {

constexpr std::string_view kPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
constexpr std::string_view kAlphaPath =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
/// An answer repeats its request.
constexpr std::size_t kMostRequestBytes = std::size_t{16} << 10;
constexpr std::size_t kMostRequests = 10'000;

using OpenHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One stream; it lives until its call is over.
class ReflectionCall final : public CallHandler, public OpenHook {
 public:
  ReflectionCall(const DescriptorIndex& index, const bool& ending, Call& call)
      : index_(index), ending_(ending), call_(call), sent_(index.files()) {}

  void on_message(std::string_view message) noexcept override {
    if (ending_) return end();
    if (message.size() > kMostRequestBytes) {
      return call_.finish(GrpcStatus::resource_exhausted,
                          "a ServerReflectionRequest may have 16384 bytes");
    }
    if (++requests_ > kMostRequests) {
      return call_.finish(GrpcStatus::resource_exhausted,
                          "a reflection stream may have 10000 requests: open another one");
    }
    const auto request = read_reflection_request(message);
    if (!request) {
      return call_.finish(GrpcStatus::internal, "malformed ServerReflectionRequest");
    }
    answer(*request, message);
    call_.end_message();
  }
  void on_half_close() noexcept override { call_.finish(GrpcStatus::ok); }
  void on_closed(CloseReason) noexcept override { delete this; }

  void end() { call_.finish(GrpcStatus::unavailable, "server is shutting down"); }

 private:
  void answer(const ReflectionRequest& request, std::string_view message) {
    switch (request.query) {
      case ReflectionQuery::file_by_filename:
        return answer_file(index_.file(request.name), request, message);
      case ReflectionQuery::file_containing_symbol:
        return answer_file(index_.file_of_symbol(request.name), request, message);
      case ReflectionQuery::file_containing_extension:
        return answer_file(index_.file_of_extension(request.name, request.extension_number),
                           request, message);
      case ReflectionQuery::all_extension_numbers_of_type:
        if (const auto numbers = index_.extensions_of(request.name)) {
          return write_extension_numbers(call_.begin_message(), request.host, message, request.name,
                                         *numbers);
        }
        return refuse(GrpcStatus::not_found, "there is no such message", request, message);
      case ReflectionQuery::list_services:
        return write_service_names(call_.begin_message(), request.host, message, index_.services());
      case ReflectionQuery::none:
        break;
    }
    refuse(GrpcStatus::unimplemented, "nothing is asked for that is known here", request, message);
  }

  void answer_file(std::optional<std::size_t> file, const ReflectionRequest& request,
                   std::string_view message) {
    if (!file) {
      return refuse(GrpcStatus::not_found, "there is no such file, symbol or extension", request,
                    message);
    }
    write_reflected_files(call_.begin_message(), request.host, message, with_imports(*file));
  }

  /// The file, and behind it what it needs that this stream has not sent yet.
  std::vector<std::string_view> with_imports(std::size_t file) {
    sent_[file] = true;
    std::vector<std::size_t> files{file};
    for (std::size_t next = 0; next < files.size(); ++next) {
      for (const std::size_t imported : index_.imports(files[next])) {
        if (sent_[imported]) continue;
        sent_[imported] = true;
        files.push_back(imported);
      }
    }
    std::vector<std::string_view> descriptors;
    std::ranges::transform(files, std::back_inserter(descriptors),
                           [this](std::size_t each) { return index_.descriptor(each); });
    return descriptors;
  }

  void refuse(GrpcStatus status, std::string_view why, const ReflectionRequest& request,
              std::string_view message) {
    write_reflection_error(call_.begin_message(), request.host, message, status, why);
  }

  const DescriptorIndex& index_;
  const bool& ending_;  // of its service
  Call& call_;
  std::vector<bool> sent_;
  std::size_t requests_ = 0;
};

}  // namespace

class ReflectionService::Impl {
 public:
  explicit Impl(const DescriptorIndex& the_index) : index(the_index) {}

  const DescriptorIndex& index;
  bool ending = false;
  boost::intrusive::list<ReflectionCall, boost::intrusive::constant_time_size<false>> open;
};

ReflectionService::ReflectionService(const DescriptorIndex& index)
    : impl_(std::make_unique<Impl>(index)) {}

ReflectionService::~ReflectionService() = default;

CallHandler* ReflectionService::start(std::string_view path, Call& call) {
  if (path != kPath && path != kAlphaPath) return nullptr;
  auto* const started = new ReflectionCall(impl_->index, impl_->ending, call);
  impl_->open.push_back(*started);
  return started;
}

void ReflectionService::end_streams() {
  impl_->ending = true;
  while (!impl_->open.empty()) {
    ReflectionCall& call = impl_->open.front();
    // Out of the list first: it may be gone when finish() returns.
    impl_->open.pop_front();
    call.end();
  }
}

}  // namespace extproc::grpc
