#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "filter/abi.h"

/// Envoy's side of the ABI for dynamic modules, as its filter manager behaves: what tests drive the
/// filter with.
namespace extproc::fake {

namespace abi = filter::abi;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A reply of the filter's own.
struct Reply {
  unsigned status = 0;
  Headers headers{};
  std::string body{};
  std::string details{};
  Headers trailers{};
  bool ended = false;
};

/// A span of the filter's, or Envoy's own, whose parent is null.
struct Span {
  std::string name{};
  const Span* parent = nullptr;
  std::map<std::string, std::string> tags{};
  bool finished = false;
};

class Stream;

/// A worker: its thread is the one that runs what is posted to it.
class Worker {
 public:
  explicit Worker(std::uint32_t index = 0) : index_(index) {}

  std::uint32_t index() const { return index_; }
  /// Any thread.
  void post(std::function<void()> work);
  /// Runs what was posted until `done`, or for `most`. False when the time is over.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds most = std::chrono::seconds(10));
  /// What was posted so far.
  void run_posted();

 private:
  const std::uint32_t index_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> posted_;
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

 private:
  const void* module_;
};

/// One direction of a stream, behind the filter.
struct Passed {
  bool headers = false;
  std::string body{};
  bool trailers = false;
  bool ended = false;
};

/// An HTTP stream with the filter in it.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  static std::shared_ptr<Stream> make(Worker& worker, std::shared_ptr<Config> config,
                                      Headers request = {{":method", "POST"}, {":path", "/"}});
  ~Stream();

  // What comes; on the worker.

  void request_headers(bool end) { headers(0, end); }
  void request_body(std::string_view bytes, bool end) { body(0, bytes, end); }
  void request_trailers(Headers trailers) { trailers_come(0, std::move(trailers)); }
  void response_headers(Headers headers_in, bool end);
  void response_body(std::string_view bytes, bool end) { body(1, bytes, end); }
  void response_trailers(Headers trailers) { trailers_come(1, std::move(trailers)); }
  /// The caller has gone, or all is over.
  void destroy();

  const Passed& upstream() const { return way_[0].passed; }
  const Passed& downstream() const { return way_[1].passed; }
  const Headers& map(abi::Fields which) const { return maps_[which]; }
  std::string value(abi::Fields which, std::string_view name) const;
  const std::optional<Reply>& reply() const { return reply_; }
  bool destroyed() const { return destroyed_; }
  /// The stream is destroyed within the filter's call of a reply, as Envoy may do it.
  void destroy_within_reply() { destroy_within_reply_ = true; }
  void destroy_within_continue() { destroy_within_continue_ = true; }
  void set_route(const void* route) { route_ = route; }
  std::size_t buffer_limit = std::size_t{1} << 20;
  /// What there is of dynamic metadata that are texts: by namespace, and by key.
  std::map<std::string, std::map<std::string, std::string>> metadata{};
  /// What the filter has set: a namespace, and what is serialised.
  std::vector<std::pair<std::string, std::string>> set_metadata{};
  /// Envoy's span, where it traces, and those that the filter has made of it.
  std::unique_ptr<Span> span{};
  std::vector<std::shared_ptr<Span>> spans{};

 private:
  friend struct Callbacks;
  enum class State : std::uint8_t { going, stopped };
  struct Way {
    State state = State::going;
    bool headers_passed = false;
    bool ended = false;     // end of stream has come
    bool trailers = false;  // have come
    bool has_buffer = false;
    std::string buffer;
    std::string* received = nullptr;
    Passed passed;
  };

  Stream(Worker& worker, std::shared_ptr<Config> config, Headers request);
  void headers(int way, bool end);
  void body(int way, std::string_view bytes, bool end);
  void trailers_come(int way, Headers trailers);
  void go_on(int way);
  void pass(Way& way, std::string_view bytes);

  Worker& worker_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::shared_ptr<Config> config_;
  const void* module_ = nullptr;
  const void* route_ = nullptr;
  Headers maps_[4];
  Way way_[2];
  std::optional<Reply> reply_;
  bool destroyed_ = false;
  bool destroy_within_reply_ = false;
  bool destroy_within_continue_ = false;
};

/// The lines of Envoy's log, since the last call.
std::vector<std::string> take_log();
/// How often Envoy was called for a stream on another thread than its worker's.
int wrong_threads();
/// How many of the filter's schedulers there are.
int schedulers();
/// What a counter or a gauge of that name came to, of all configurations.
std::uint64_t statistic(std::string_view name);
/// As --mode validate.
void set_validates(bool validates);

}  // namespace extproc::fake
