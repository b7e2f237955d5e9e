#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "envoy/kit/filter_host.h"
#include "envoy/kit/inside/callbacks.h"
#include "envoy/kit/inside/module_filter.h"
#include "envoy/kit/inside/module_statistics.h"
#include "envoy/kit/inside/worker.h"
#include "envoy/kit/pipe.h"
#include "filter/abi.h"

/// The test kit's Envoy, driven piece by piece, with configurations and workers that come and go:
/// what tests of the filter itself drive it with.
namespace extproc::fake {

namespace abi = filter::abi;
namespace kit = testing::envoy;
using kit::schedulers;
using kit::set_validates;
using kit::Side;
using kit::Span;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A reply of the filter's own.
struct Reply {
  int status = 0;
  Headers headers{};
  std::string body{};
  std::string details{};
  Headers trailers{};
  bool ended = false;
};

class Worker : public kit::Worker {
 public:
  using kit::Worker::Worker;
  /// Runs what was posted until `done`, or for `most`. False when the time is over.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds most = std::chrono::seconds(10));
};

/// A filter's configuration, as Envoy keeps it: until the last stream of it is gone.
class Config {
 public:
  explicit Config(std::string_view config, std::string_view name = {});
  ~Config();
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  bool taken() const { return module_ != nullptr; }
  const void* module() const { return module_; }
  kit::ModuleStatistics& statistics() { return statistics_; }
  std::uint64_t statistic(std::string_view name) const { return statistics_.value(name); }

 private:
  kit::ModuleStatistics statistics_;
  const void* module_;
};

/// One direction of a stream, behind the filter.
struct Passed {
  bool headers = false;
  std::string body{};
  bool trailers = false;
  bool ended = false;
};

/// What is around a stream.
struct Around {
  std::size_t buffer_limit = std::size_t{1} << 20;
  const void* route = nullptr;
  /// Dynamic metadata, among others.
  testing::Exchange exchange{};
};

/// An HTTP stream with the filter in it.
class Stream final : public std::enable_shared_from_this<Stream>,
                     private kit::FilterHost,
                     private kit::PipeEnd {
 public:
  static std::shared_ptr<Stream> make(Worker& worker, std::shared_ptr<Config> config,
                                      Headers request = {{":method", "POST"}, {":path", "/"}},
                                      Around around = {});
  ~Stream();

  // What comes; on the worker.

  void request_headers(bool end);
  void request_body(std::string_view bytes, bool end) { body(Side::request, bytes, end); }
  void request_trailers(const Headers& trailers);
  void response_headers(const Headers& headers, bool end);
  void response_body(std::string_view bytes, bool end) { body(Side::response, bytes, end); }
  void response_trailers(const Headers& trailers);
  /// The caller has gone, or all is over.
  void destroy() { filter_.destroy(); }

  const Passed& upstream() const { return passed_[0]; }
  const Passed& downstream() const { return passed_[1]; }
  std::string value(abi::Fields which, std::string_view name);
  const std::optional<Reply>& reply() const { return reply_; }
  bool destroyed() const { return filter_.destroyed(); }
  /// The filter has ended the stream.
  bool is_reset() const { return reset_; }
  /// The stream is destroyed within the filter's call of a reply, as Envoy may do it.
  void destroy_within_reply() { destroy_within_reply_ = true; }
  void destroy_within_continue() { destroy_within_continue_ = true; }
  /// What the filter calls fails, once, with the call that comes so many calls later, as memory may
  /// within any hook. Those that are of headers and bodies count.
  void fail_in(int calls) { fails_in_ = calls; }
  bool has_failed() const { return fails_in_ == 0; }
  /// What the filter has of Envoy's besides.
  kit::ModuleFilter& filter() { return filter_; }

 private:
  Stream(Worker& worker, std::shared_ptr<Config> config, Headers request, Around around);
  template <class Arrive>
  void arrive(Arrive arrive);
  void body(Side side, std::string_view bytes, bool end);
  kit::Pipe& own_pipe(Side side) { return side == Side::request ? request_ : response_; }
  void end_reply();
  void sent();
  bool is_over() const { return destroyed() || reply_; }
  Passed& passed(Side side) { return passed_[side == Side::request ? 0 : 1]; }

  // kit::FilterHost
  kit::Pipe& pipe(Side side) override {
    if (fails_in_ > 0 && --fails_in_ == 0) throw std::bad_alloc();
    return own_pipe(side);
  }
  kit::Time now() const override { return kit::Time{0}; }
  void reply(const kit::LocalReply& reply) override;
  void local_headers(kit::HeaderMap headers, bool end) override;
  void local_data(std::string data, bool end) override;
  void local_trailers(kit::HeaderMap trailers) override;
  void reset() override {
    reset_ = true;
    destroy();
  }
  void clear_route_cache() override {}
  const testing::Exchange& exchange() const override { return around_.exchange; }
  std::string_view code_details() const override { return "via_upstream"; }

  // kit::PipeEnd
  void send_headers(Side side, const kit::HeaderMap& headers, bool end) override;
  void send_data(Side side, const std::string& data, bool end) override;
  void send_trailers(Side side, const kit::HeaderMap& trailers) override;
  bool can_continue(Side /*side*/) const override { return !is_over(); }
  void too_large(Side side) override;

  const std::shared_ptr<Config> config_;
  const Around around_;
  const Headers request_headers_;
  kit::Pipe request_;
  kit::Pipe response_;
  kit::ModuleFilter filter_;
  Passed passed_[2];
  std::optional<Reply> reply_;
  bool reset_ = false;
  bool destroy_within_reply_ = false;
  int fails_in_ = -1;
  bool destroy_within_continue_ = false;
};

}  // namespace extproc::fake
