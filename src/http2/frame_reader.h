#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/recycle.h"
#include "http2/frame.h"

namespace extproc::http2 {

/// Cuts what comes on a connection into frames, behind the client's preface. A frame that lies
/// within what is read is handed on where it lies; one that is cut is kept until its rest comes, at
/// most 16 KiB.
class FrameReader {
 public:
  enum class Result {
    ok,
    no_preface,
    frame_too_large,
    stopped,  ///< `each` said so
  };

  /// Calls `each(const FrameHeader&, std::string_view payload)` for each complete frame, as long as
  /// it returns true. After another result than ok nothing more is to be read.
  template <class Each>
  Result read(std::string_view bytes, const Each& each);
  /// A frame was cut, and its rest has not come.
  bool has_partial() const { return !partial_.empty(); }
  /// What it keeps, in bytes.
  std::size_t held_bytes() const { return partial_.size(); }

 private:
  /// Memory that is kept for the next frame that is cut.
  static constexpr std::size_t kMostKept = 4'096;

  bool take_preface(std::string_view& bytes);
  /// Moves bytes to `partial_` until it has so many. False when there were too few.
  bool fill_partial(std::size_t size, std::string_view& bytes);
  template <class Each>
  Result complete_partial(std::string_view& bytes, const Each& each);

  std::size_t preface_left_ = kPreface.size();
  std::string partial_;
};

template <class Each>
FrameReader::Result FrameReader::read(std::string_view bytes, const Each& each) {
  if (preface_left_ > 0 && !take_preface(bytes)) return Result::no_preface;
  if (!partial_.empty()) {
    const Result result = complete_partial(bytes, each);
    if (result != Result::ok) return result;
  }
  while (bytes.size() >= FrameHeader::kBytes) {
    const FrameHeader frame = FrameHeader::read(bytes.data());
    if (frame.length > kMostFrameBytes) return Result::frame_too_large;
    if (bytes.size() - FrameHeader::kBytes < frame.length) break;
    if (!each(frame, bytes.substr(FrameHeader::kBytes, frame.length))) return Result::stopped;
    bytes.remove_prefix(FrameHeader::kBytes + frame.length);
  }
  partial_ += bytes;
  return Result::ok;
}

/// Where nothing is left in `bytes` afterwards, the frame may still be incomplete.
template <class Each>
FrameReader::Result FrameReader::complete_partial(std::string_view& bytes, const Each& each) {
  if (!fill_partial(FrameHeader::kBytes, bytes)) return Result::ok;
  const FrameHeader frame = FrameHeader::read(partial_.data());
  if (frame.length > kMostFrameBytes) return Result::frame_too_large;
  if (!fill_partial(FrameHeader::kBytes + frame.length, bytes)) return Result::ok;
  if (!each(frame, std::string_view(partial_).substr(FrameHeader::kBytes))) return Result::stopped;
  recycle(partial_, kMostKept);
  return Result::ok;
}

}  // namespace extproc::http2
