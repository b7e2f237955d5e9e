#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "envoy/filter_config.h"
#include "envoy/kit/direction.h"
#include "envoy/kit/filter_host.h"
#include "envoy/kit/pipe.h"
#include "envoy/kit/record.h"
#include "envoy/kit/reply.h"

namespace extproc::testing::envoy {

using envoy_config::FilterConfig;
using envoy_config::RouteCacheAction;

/// The gRPC stream to the processor.
class ProcessorStream {
 public:
  virtual void open_stream() = 0;
  virtual void send_message(std::string bytes) = 0;
  /// Envoy ends it.
  virtual void close_stream() = 0;

 protected:
  ~ProcessorStream() = default;
};

/// Envoy's ext_proc filter: one exchange's state machine. It does no I/O and reads no clock.
class Filter final : public PipeFilter {
 public:
  /// All must outlive it.
  Filter(const FilterConfig& config, std::size_t buffer_limit, FilterHost& host,
         ProcessorStream& stream, Record record);

  Step on_headers(Side side, bool end) override;
  Step on_data(Side side, std::string& data, bool end) override;
  Step on_trailers(Side side) override;

  /// From the processor.
  void on_reply(std::string_view bytes);
  void on_stream_end(int status, const std::string& message);

  /// It keeps so much of a message that the sender is to be slowed down.
  bool is_full(Side side) const;

  /// When the next time-out runs out; on_time() then.
  std::optional<Time> next_timer() const;
  void on_time();

  /// The exchange is over.
  void destroy();

 private:
  /// How a reply was taken.
  struct Verdict {
    enum class Kind : std::uint8_t { taken, spurious, failed };
    Kind kind = Kind::taken;
    std::string text{};
    std::string field{};
  };
  static Verdict taken() { return {}; }
  static Verdict spurious(std::string text, std::string field);
  static Verdict failed(std::string text, std::string field);

  Direction& direction(Side side) { return side == Side::request ? request_ : response_; }
  Pipe& pipe(const Direction& d) { return host_.pipe(d.side); }

  // Messages to the processor.
  bool open_stream();
  void close_stream();
  void send_headers(Direction& d, bool end);
  void send_body(Direction& d, std::string_view data, bool end, Waiting next);
  void send_trailers(Direction& d);
  void send(Direction& d, const std::string& message, Waiting next);
  struct Extras;
  HeaderList forwarded(const HeaderMap& headers) const;

  // Pieces of the body, by mode.
  Step buffered_data(Direction& d, std::string& data, bool end);
  Step streamed_data(Direction& d, std::string& data, bool end);
  Step partial_data(Direction& d, std::string& data, bool end);
  Step observe_data(Direction& d, const std::string& data, bool end);
  bool removes_content_length(const Direction& d) const;

  // Replies.
  /// Nothing where Envoy cannot read it.
  static std::optional<Reply> decode(std::string_view bytes);
  Verdict take(const Reply& reply);
  Verdict take_headers(Direction& d, const CommonReply& common);
  Verdict after_headers(Direction& d);
  void replace_message(Direction& d, const CommonReply& common);
  Waiting waiting_after_headers(const Direction& d, const CommonReply& common) const;
  Verdict take_body(Direction& d, const CommonReply& common);
  Verdict take_buffered_body(Direction& d, const CommonReply& common, bool& proceed);
  Verdict take_streamed_body(Direction& d, const CommonReply& common, bool& proceed);
  Verdict take_duplex_body(Direction& d, const CommonReply& common, bool& proceed);
  Verdict take_partial_body(Direction& d, const CommonReply& common, bool& proceed);
  Verdict take_trailers(Direction& d, const CommonReply& common);
  Verdict take_immediate(const ImmediateReply& immediate);
  void mutate_reply(const ImmediateReply& immediate, HeaderMap& headers);
  Verdict take_streamed_immediate(const StreamedImmediateReply& streamed);
  Verdict start_local_response(const StreamedImmediateReply& streamed);
  std::optional<Verdict> read_local_headers(const HeaderList& list, HeaderMap& headers);
  void take_timeout(Time timeout);
  void override_mode(const ProcessingMode& mode);
  void take_metadata(const Reply& reply);
  void clear_route_cache(const CommonReply& common, Phase phase);
  std::optional<Verdict> mutate_headers(Direction& d, const CommonReply& common, Phase phase);
  void close_after_last(const Reply& reply, bool last_body);
  bool is_last_body(Direction& d, const CommonReply& common) const;

  // Ends.
  bool fails_open() const;
  void give_up();
  void resume(Direction& d);
  void fail(int status, const std::string& details);
  void finish_both();

  const FilterConfig& config_;
  const std::size_t buffer_limit_;
  FilterHost& host_;
  ProcessorStream& stream_;
  Record record_;
  Direction request_;
  Direction response_;
  std::map<std::string, std::string> metadata_;
  bool stream_open_ = false;
  bool complete_ = false;
  bool protocol_config_sent_ = false;
  /// The processor answers the caller in pieces: StreamedImmediateResponse.
  bool local_response_ = false;
};

}  // namespace extproc::testing::envoy
