#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace extproc::fake {

/// What the processors of these tests do; they are exported from the test program itself.
///
/// - Changes: sets x-seen in both headers, upper-cases bodies, sets x-end in trailers, at once
/// - Looks: handles all and changes nothing
/// - Notes: x-parent from its trace; x-team and metadata of its own, of what the metadata of
/// "route" say
/// - Waits: the same as Changes, each time behind a timer of the request header x-ms milliseconds
/// - Blocks: the same as Changes, on a thread of its own
/// - Shouts: upper-cases bodies in handlers over the whole of them, with a timer before each chunk
/// - Refuses: answers with 403 and x-why
/// - Throws: in the phase that the request header x-throw names
/// - Decides: waits with the request's headers for its body, and sets x-first to its first byte
/// - States: states FULL_DUPLEX_STREAMED
/// - Falls: waits for ever, with a fallback after 20 ms
/// - Starts: counts starts and stops
/// - Cannot: fails to start
/// - Own: takes a setting, number
struct Seen {
  std::atomic<int> handlers{0};  // running
  std::atomic<int> completed{0};
  std::atomic<int> other_thread{0};  // went on on another one than it began on
  std::atomic<int> starts{0};
  std::atomic<int> stops{0};
  std::atomic<int> alive{0};  // processors

  void reset() { handlers = completed = other_thread = starts = stops = 0; }
};
Seen& seen();

std::string upper(std::string_view text);

}  // namespace extproc::fake
