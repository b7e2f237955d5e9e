#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "envoy/kit/filter_host.h"
#include "envoy/kit/inside/module_metadata.h"
#include "envoy/kit/inside/module_statistics.h"
#include "envoy/kit/inside/worker.h"
#include "envoy/kit/pipe.h"
#include "filter/abi.h"

namespace extproc::testing::envoy {

namespace abi = filter::abi;

/// Envoy's span of a stream, whose parent is null, or one that a module has made below it.
struct Span {
  std::string name{};
  const Span* parent = nullptr;
  std::map<std::string, std::string> tags{};
  bool finished = false;
};

/// How Envoy has a module's filter in a stream. All must outlive the stream.
struct ModuleSetup {
  /// What http_filter_config_new returned.
  const void* config = nullptr;
  /// What http_filter_per_route_config_new returned; null: the route says nothing.
  const void* route = nullptr;
  Worker& worker;
  ModuleStatistics& statistics;
  std::size_t buffer_limit = 0;
  /// Who calls: the attribute source.address, where the exchange does not tell it.
  std::string peer{};
};

/// Envoy's filter for dynamic modules in one HTTP stream: calls the module's hooks, and does what
/// the module asks for by the callbacks (callbacks.cc). On its worker.
class ModuleFilter final : public PipeFilter {
 public:
  /// Both must outlive it.
  ModuleFilter(const ModuleSetup& setup, FilterHost& host);
  ~ModuleFilter() { destroy(); }
  ModuleFilter(const ModuleFilter&) = delete;
  ModuleFilter& operator=(const ModuleFilter&) = delete;

  Step on_headers(Side side, bool end) override;
  Step on_data(Side side, std::string& data, bool end) override;
  Step on_trailers(Side side) override;
  /// The stream is over; may be within a hook, and called again.
  void destroy();
  bool destroyed() const { return destroyed_; }

  /// What http_filter_new returned; null once it is destroyed.
  const void* module() const { return module_; }

  // What the module asks for.

  const ModuleSetup& setup() const { return setup_; }
  /// Null before they have come.
  HeaderMap* fields(abi::Fields which);
  /// The fields as the module sees them, where they have come: views of them end with hide(), as
  /// Envoy's do when it changes them.
  const HeaderList& show(abi::Fields which);
  void hide(abi::Fields which) { HeaderList().swap(shown_[which]); }
  /// Null where there is none.
  std::string* body(abi::Body which);
  bool append(abi::Body which, std::string_view bytes);
  void go_on(Side side);
  void reply(int status, HeaderList headers, std::string_view body, std::string_view details);
  void reply_headers(const HeaderList& headers, bool end);
  void reply_data(std::string_view bytes, bool end);
  void reply_trailers(const HeaderList& trailers);
  void reset() { host_.reset(); }
  void clear_route_cache() { host_.clear_route_cache(); }
  /// Nothing where there is none; valid until the stream is over.
  std::optional<ValueView> attribute(std::string_view name);
  ModuleMetadata& metadata() { return metadata_; }
  /// Told by schedulers, as long as this lives.
  std::weak_ptr<ModuleFilter*> alive() const { return alive_; }
  void on_scheduled(std::uint64_t event);
  std::thread::id thread() const { return thread_; }

  /// Envoy's span, where it traces, and those that the module has made.
  std::unique_ptr<Span> span{};
  std::vector<std::unique_ptr<Span>> spans{};

 private:
  struct Way {
    bool came = false;
    /// Of the piece that the hook runs for.
    std::string* received = nullptr;
    /// The module has let what came go on, so that it must not again.
    bool goes_on = true;
  };

  Way& way(Side side) { return side == Side::request ? request_ : response_; }
  bool passes_by(Side side) const;

  const ModuleSetup setup_;
  FilterHost& host_;
  const std::shared_ptr<ModuleFilter*> alive_ = std::make_shared<ModuleFilter*>(this);
  const std::thread::id thread_ = std::this_thread::get_id();
  Way request_;
  Way response_;
  std::array<HeaderList, 4> shown_;
  ModuleMetadata metadata_;
  std::deque<std::string> attributes_;
  bool replied_ = false;
  bool destroyed_ = false;
  const void* module_;
};

}  // namespace extproc::testing::envoy
