#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "extproc/host.h"
#include "extproc/host_loop.h"
#include "extproc/service.h"
#include "host/access.h"
#include "recording_sink.h"
#include "stream/process_stream.h"
#include "testing/request_writer.h"

namespace extproc::stream {

using host::Clock;

using testing::HeaderList;

using Handler = std::function<detail::Step(detail::Invocation&)>;

/// A processor made of one function.
class FunctionDispatcher final : public detail::Dispatcher {
 public:
  FunctionDispatcher(PhaseSet phases, Handler handler, bool suspends)
      : Dispatcher("Test", phases, suspends), handler_(std::move(handler)) {}
  detail::Step call(detail::Invocation& invocation) const override { return handler_(invocation); }

 private:
  Handler handler_;
};

}  // namespace extproc::stream

namespace extproc::detail {
template <>
struct DispatcherFactory<stream::FunctionDispatcher> {
  static std::shared_ptr<const Dispatcher> make(std::shared_ptr<stream::FunctionDispatcher> made) {
    return made;
  }
};
}  // namespace extproc::detail

namespace extproc::stream {

class RecordingObserver final : public Observer {
 public:
  void stream_begin(std::string_view processor, const Request&) override {
    note("begin " + std::string(processor));
  }
  void stream_end(std::string_view, const Request&, GrpcStatus status, bool cancelled,
                  std::chrono::nanoseconds duration) override {
    note("end " + std::string(to_string(status)) + (cancelled ? " cancelled " : " ") +
         std::to_string(duration.count()));
  }
  void phase_begin(std::string_view, const Request&, Phase phase) override {
    note("> " + std::string(to_string(phase)));
  }
  void phase_end(std::string_view, const Request&, Phase phase, PhaseOutcome outcome,
                 std::chrono::nanoseconds duration) override {
    note("< " + std::string(to_string(phase)) + " " + std::string(to_string(outcome)) + " " +
         std::to_string(duration.count()));
  }
  std::vector<std::string> notes;

 private:
  void note(std::string text) { notes.push_back(std::move(text)); }
};

inline Clock::time_point fake_now{};

/// A stream with all that it needs.
struct Fixture {
  explicit Fixture(Handler handler, PhaseSet phases = PhaseSet::all(), bool suspends = false,
                   std::string chain = "")
      : host(Service::make<FunctionDispatcher>(phases, std::move(handler), suspends),
             {.log =
                  [this](LogLevel level, std::string_view line) {
                    log.push_back(std::string(to_string(level)) + " " + std::string(line));
                  },
              .observer = &observer,
              .chain_header = std::move(chain),
              .now = [] { return fake_now; }},
             &loop.events) {
    stream.begin(sink);
  }

  void headers(Phase phase, const HeaderList& entries,
               const ProtocolConfiguration* config = nullptr, bool end_of_stream = false) {
    stream.on_message(testing::write_headers(phase, entries, end_of_stream, {false, config}));
  }
  void body(Phase phase, std::string_view bytes, bool end_of_stream = true,
            const ProtocolConfiguration* config = nullptr) {
    stream.on_message(testing::write_body(phase, bytes, end_of_stream, {false, config}));
  }

  boost::asio::io_context io{1};
  host::Loop loop{io.get_executor(), 1};
  std::vector<std::string> log;
  RecordingObserver observer;
  RecordingSink sink;
  host::Host host;
  host::Settings& settings = detail::HostAccess::settings(host);
  Counters& counters = detail::HostAccess::counters(host);
  Streams streams{host};
  ProcessStream stream{streams, sink};
};

inline detail::Step nothing(detail::Invocation&) { return detail::Step::done; }

}  // namespace extproc::stream
