// How fast the blocks read bodies, against their goals; ends with 1 where one is missed.

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/access.h"
#include "extproc/call_log.h"
#include "extproc/json_fields.h"
#include "extproc/sse.h"

namespace {

namespace json = boost::json;

constexpr std::size_t kChunk = 16384;
constexpr int kRuns = 15;
constexpr double kGiB = 1 << 30;

/// Of this thread, in seconds: other programs on the machine do not count, nor does who writes a
/// log.
double cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The best time of several runs.
template <class Run>
double best_time(const Run& run) {
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const double begin = cpu_time();
    run();
    best = std::min(best, cpu_time() - begin);
  }
  return best;
}

template <class Take>
void for_each_chunk(std::string_view body, const Take& take) {
  for (std::size_t at = 0; at < body.size(); at += kChunk) take(body.substr(at, kChunk));
}

/// Takes everything and does nothing.
struct NoHandler {
  static constexpr std::size_t max_object_size = -1, max_array_size = -1, max_key_size = -1,
                               max_string_size = -1;
  using Code = json::error_code;
  using Text = json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

std::size_t g_seen = 0;  // what was read is used, and so not left out

bool events() {
  constexpr std::size_t kEvent = 100;
  std::string event = "data: {\"delta\":\"";
  event.append(kEvent - event.size() - 4, 'x').append("\"}\n\n");
  std::string stream;
  while (stream.size() < 16U << 20) stream += event;
  const double time = best_time([&] {
    extproc::sse::Parser parser;
    for_each_chunk(stream, [&](std::string_view chunk) {
      parser.push(chunk);
      while (const auto* one = parser.next()) g_seen += one->data->size();
    });
  });
  const double speed = static_cast<double>(stream.size()) / time / kGiB;
  std::printf("server-sent events of 100 bytes: %.2f GiB/s (goal: 1)\n", speed);
  return speed >= 1;
}

bool last_field(const char* what, std::string_view element) {
  std::string body = "{\"messages\":[";
  while (body.size() < 1U << 20) body.append(element).append(",");
  body += "0],\"model\":\"big\"}";
  const double sax = best_time([&] {
    json::basic_parser<NoHandler> parser({});
    json::error_code error;
    std::size_t left = body.size();
    for_each_chunk(body, [&](std::string_view chunk) {
      left -= chunk.size();
      parser.write_some(left != 0, chunk.data(), chunk.size(), error);
    });
    g_seen += parser.done() ? 1 : 0;
  });
  const extproc::JsonPaths paths({"/model"});
  const double ours = best_time([&] {
    extproc::JsonEditor editor(paths);
    for_each_chunk(body, [&](std::string_view chunk) {
      const bool last = chunk.data() + chunk.size() == body.data() + body.size();
      g_seen += editor.edit(chunk, last, [](auto& field) { field.set_string("small"); }).size();
    });
  });
  std::printf(
      "the last field of 1 MiB of JSON, %s: %.2f GiB/s, %.2f x Boost.JSON's SAX (goal: 1.5)\n",
      what, static_cast<double>(body.size()) / ours / kGiB, ours / sax);
  return ours <= 1.5 * sax;
}

bool call_log() {
  constexpr int kRequests = 20'000;
  // All of it fits: what is measured is no line that is dropped.
  const extproc::CallLog log({.file = "/dev/null",
                              .request_headers = {"user-agent", "accept"},
                              .user_header = "x-user",
                              .sees_bodies = true,
                              .queue_bytes = std::size_t{64} << 20});
  const std::vector<extproc::Header> asked = {
      {":method", "POST"},
      {":path", "/v1/things/12345?page=2&token=abcdef&sort=name"},
      {":scheme", "https"},
      {":authority", "api.example.com"},
      {"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
      {"accept", "application/json, text/plain, */*"},
      {"x-user", "ann@example.com"},
      {"x-request-id", "1e32712a-83ef-4430-80c4-30c8cce96407"},
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"content-type", "application/json"}};
  const std::vector<extproc::Header> answered = {{":status", "200"},
                                                 {"content-type", "application/json"},
                                                 {"content-length", "2048"},
                                                 {"server", "envoy"}};
  const extproc::HttpHeaders request_headers(asked, false);
  const extproc::HttpHeaders response_headers(answered, false);
  // A request costs something without a log as well.
  const auto time_of = [&](bool logs) {
    return best_time([&] {
      for (int i = 0; i < kRequests; ++i) {
        using extproc::Phase;
        using extproc::detail::Access;
        extproc::Context context;
        extproc::Request request;
        Access::begin_phase(request, Phase::request_headers, &request_headers);
        if (logs) log.request_headers(request_headers, context, request);
        if (logs) log.body(Phase::request_body, extproc::HttpBody("0123456789", true), request);
        Access::begin_phase(request, Phase::response_headers, &response_headers);
        if (logs) log.response_headers(response_headers, request);
        if (logs) log.body(Phase::response_body, extproc::HttpBody("0123456789", true), request);
        g_seen += request.path().size();
        if (logs) g_seen += log.complete({}, request) ? 1 : 0;
      }
    });
  };
  const double time = time_of(true) - time_of(false);
  const double us = time / kRequests * 1e6;
  std::printf("a request in the log of calls: %.2f us, %llu lines dropped (goal: 1)\n", us,
              static_cast<unsigned long long>(log.dropped()));
  return us <= 1 && log.dropped() == 0;
}

}  // namespace

int main() {
  bool reached = events();
  reached &= call_log();
  reached &= last_field("messages",
                        R"({"role":"user","content":"What is the weather like? Say \"fine\"."})");
  reached &= last_field("texts of 20 KB", "\"" + std::string(20'000, 'x') + "\"");
  reached &= last_field("texts that are no ASCII",
                        "\"\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94"
                        "\xe6\x80\x8e\xe4\xb9\x88\xe6\xa0\xb7\"");
  reached &= last_field("numbers", R"({"id":123,"at":[1.5,-2,true,null]})");
  return reached && g_seen > 0 ? 0 : 1;
}
