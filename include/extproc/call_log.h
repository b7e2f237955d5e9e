#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "extproc/body.h"
#include "extproc/completed.h"
#include "extproc/context.h"
#include "extproc/export.h"
#include "extproc/headers.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/trace_settings.h"

namespace extproc {

struct CallLogSettings {
  /// Lines are appended to it; "-": standard output.
  std::string file{"-"};
  /// In place of the file: OTLP logs over HTTP, sent as spans are. Each line is the body of a
  /// LogRecord, whose time and trace are the request's, and whose severity is ERROR for what
  /// sample_all_from is for. `endpoint` is the whole URL, such as "http://collector:4318/v1/logs";
  /// what is of traces alone does not count. queue_bytes is its own, and line_bytes at most 16 KiB.
  std::optional<TraceSettings> otlp{};
  /// Names of headers that are told.
  std::vector<std::string> request_headers{};
  std::vector<std::string> response_headers{};
  /// The request header that says who asks; nobody where it is empty. CallFields::user is stronger.
  std::string user_header{};
  /// In whatever case: query parameters, headers and CallFields of these names have "***" for a
  /// value. A parameter is compared decoded.
  std::vector<std::string> redacted{"authorization", "proxy-authorization",
                                    "cookie",        "set-cookie",
                                    "x-api-key",     "access_token",
                                    "refresh_token", "id_token",
                                    "token",         "code",
                                    "api_key",       "key",
                                    "password",      "client_secret",
                                    "signature"};
  /// body() and response_trailers() are told as well, so that a response without an end was cut
  /// off.
  bool sees_bodies = false;
  /// Which part of the requests is told, 0 to 1. Chosen by x-request-id, so that all processes
  /// choose the same.
  double sample = 1;
  /// Told whether or not they are chosen: responses of this status and above, requests without any
  /// or whose body was cut off, and streams that ended with an error.
  int sample_all_from = 400;
  /// The longest line; what is beyond is cut, and `"cut":true` says so. 1 KiB to 64 KiB. Lines up
  /// to 4 KiB can be written into one pipe by several processes.
  std::size_t line_bytes = 4096;
  /// What may wait to be written, at least one line; as much again may be under way.
  std::size_t queue_bytes = std::size_t{4} << 20;
};

/// What the processors of a chain have to say in the line of their request:
///
///   request.shared<CallFields>().set("model", model);
///
/// For use as Request::shared() says. What is beyond a limit is left out.
class EXTPROC_API CallFields {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kMostBytes = 1024;  // of a name and of a text

  /// A name that is set again takes the later value.
  void set(std::string_view name, std::string_view value) {
    put(name, std::string(value.substr(0, kMostBytes)));
  }
  void set(std::string_view name, const char* value) { set(name, std::string_view(value)); }
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  void set(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>) {
      put(name, value);
    } else if constexpr (std::floating_point<T>) {
      put(name, static_cast<double>(value));
    } else {
      put(name, static_cast<std::int64_t>(value));
    }
  }
  /// Who asks, as was found out.
  void set_user(std::string_view user) { user_ = user.substr(0, kMostBytes); }

 private:
  friend class CallLog;

  using Value = std::variant<bool, std::int64_t, double, std::string>;

  void put(std::string_view name, Value value);

  std::string user_;
  std::vector<std::pair<std::string, Value>> fields_;
};

/// A log of calls: one line of JSON a request, written when it is over. A processor tells it of its
/// phases, each but the last as far as it has them:
///
///   log_.request_headers(headers, context, request);   // in process_request_headers
///   log_.response_headers(headers, request);           // in process_response_headers
///   log_.complete(how, request);                       // in on_complete
///
/// What is not known is left out of the line:
///
///   {"time":"2026-01-31T12:00:00.123Z","method":"GET","path":"/a?token=***","route":"all",
///    "status":200,"grpc_status":"0","request_bytes":0,"response_bytes":12,"response_ms":1.250,
///    "duration_ms":2.500,"user":"ann","client":"192.0.2.4:80","request_id":"…","trace_id":"…",
///    "aborted":true,"error":"UNKNOWN","request_headers":{"user-agent":"…"},
///    "response_headers":{},"fields":{"model":"large"},"cut":true}
///
/// - time: when the stream began. response_ms: from the request's headers to the response's.
/// - route, client: where the filter sends the attributes xds.route_name and source.address.
/// - bytes: what was told by body(), else content-length.
/// - aborted: the end of the response was not told of (see CallLogSettings::sees_bodies).
/// - error: how the stream ended, where that was neither in good order nor by the client.
///
/// Any bytes become right JSON: what is no UTF-8 is U+FFFD.
///
/// Lines go into a queue, from which a thread writes them, so that nobody waits: what comes faster
/// than it is written is dropped and counted, and a line of {"time":…,"dropped":…} tells how many.
/// The file is opened anew on SIGUSR1 by serve(), the command, and reopen(). Any thread, several at
/// once.
class EXTPROC_API CallLog {
 public:
  /// Throws Error where the file cannot be written to, or a setting is out of range.
  explicit CallLog(CallLogSettings settings);
  /// Writes what waits, for at most 200 ms, or TraceSettings::last_send.
  ~CallLog();
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;

  void request_headers(const HttpHeaders& headers, const Context& context, Request& request) const;
  void response_headers(const HttpHeaders& headers, Request& request) const;
  /// They end the response, and have its grpc-status where the headers do not.
  void response_trailers(const HeaderView& trailers, Request& request) const;
  /// Each chunk of the phase's body.
  void body(Phase phase, const HttpBody& chunk, Request& request) const;

  /// False where the line was dropped.
  bool complete(const Completed& how, Request& request) const;

  void reopen() const;
  /// Waits until all lines are written; false where they are not after `most`. For tests.
  bool flush(std::chrono::milliseconds most) const;
  /// Lines that were dropped.
  std::uint64_t dropped() const;

 private:
  class Impl;

  std::unique_ptr<const Impl> impl_;
};

}  // namespace extproc
