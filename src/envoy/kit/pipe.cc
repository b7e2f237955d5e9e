#include "envoy/kit/pipe.h"

#include <utility>

namespace extproc::testing::envoy {

void Pipe::arrive_headers(HeaderMap arrived, bool end) {
  headers = std::move(arrived);
  sender_done_ = end;
  if (filter_.on_headers(side_, end) != Step::proceed) {
    stopped_ = true;
  } else if (has_added_body()) {
    resume();
  } else if (end_.can_continue(side_)) {
    send_headers(end);
  }
}

void Pipe::arrive_data(std::string data, bool end) {
  if (!end_.can_continue(side_)) return;
  sender_done_ = sender_done_ || end;
  arrived_bytes += data.size();
  in_filter_ = true;
  const Step step = filter_.on_data(side_, data, end);
  in_filter_ = false;
  if (std::exchange(too_large_, false)) return end_.too_large(side_);
  if (!end_.can_continue(side_)) return;
  if (step == Step::proceed) {
    if (!stopped_ && !has_added_body()) return send_data(data, end);
    buffer(data, streaming_);
    return resume();
  }
  stopped_ = true;
  if (step == Step::stop_and_buffer || step == Step::stop_and_watermark) {
    buffer(data, step == Step::stop_and_watermark);
  } else if (sender_done_ && !trailers && !buffered) {
    // So that resume() has something to carry the end.
    buffered.emplace();
  }
}

void Pipe::arrive_trailers(HeaderMap arrived) {
  if (!end_.can_continue(side_)) return;
  trailers = std::move(arrived);
  sender_done_ = true;
  const Step step = filter_.on_trailers(side_);
  if (step != Step::proceed) {
    stopped_ = true;
  } else if (stopped_ || has_added_body()) {
    resume();
  } else {
    send_trailers();
  }
}

void Pipe::resume() {
  if (!end_.can_continue(side_)) return;
  stopped_ = false;
  if (!headers_left_) send_headers(sender_done_ && !buffered && !trailers);
  // What is sent may bring more: the end is where the message stands now.
  const bool has_trailers = trailers.has_value();
  if (buffered) {
    const std::string data = std::exchange(*buffered, {});
    over_limit_ = false;
    send_data(data, sender_done_ && !has_trailers);
  }
  if (has_trailers) send_trailers();
}

void Pipe::inject(const std::string& data, bool end) {
  if (!headers_left_) send_headers(false);
  send_data(data, end);
}

void Pipe::buffer(const std::string& data, bool streaming) {
  streaming_ = streaming;
  if (!buffered) buffered.emplace();
  buffered->append(data);
  check_limit();
}

void Pipe::replace_buffered(std::string data) {
  buffered = std::move(data);
  check_limit();
}

void Pipe::check_limit() {
  if (limit_ == 0 || buffered->size() <= limit_ || over_limit_) return;
  over_limit_ = true;
  if (streaming_) return;
  // In the middle of a request's data the answer waits until the filter is done with it.
  if (in_filter_ && side_ == Side::request) {
    too_large_ = true;
  } else {
    end_.too_large(side_);
  }
}

void Pipe::send_headers(bool end) {
  headers_left_ = true;
  ended_ = end;
  end_.send_headers(side_, headers, end);
}

void Pipe::send_data(const std::string& data, bool end) {
  if (ended_) return;
  ended_ = end;
  sent_bytes += data.size();
  if (!data.empty() || end) end_.send_data(side_, data, end);
}

void Pipe::send_trailers() {
  if (ended_) return;
  ended_ = true;
  // HTTP/2 has no empty trailers: the end is an empty DATA frame.
  if (trailers->size() == 0) return end_.send_data(side_, {}, true);
  end_.send_trailers(side_, *trailers);
}

}  // namespace extproc::testing::envoy
