#include <stdexcept>
#include <string>
#include <vector>

#include "extproc/response.h"
#include "items.h"
#include "measured.h"
#include "messages.h"
#include "wire/request_reader.h"
#include "wire/response_writer.h"

namespace bench {

Item decode_headers() {
  struct State {
    std::string bytes = request_headers_message();
    extproc::wire::RequestMessage message;
    std::vector<extproc::Header> entries;
  };
  return {"decode a headers message", [state = std::make_shared<State>()] {
            state->message = {};
            const Measured measured;
            if (!extproc::wire::read_request(state->bytes, state->message, state->entries))
              throw std::runtime_error("the message was not read");
          }};
}

Item encode_answer() {
  struct State {
    extproc::HeadersResponse response;
    std::string out;
  };
  auto state = std::make_shared<State>();
  state->response.set_header("x-bench-request", "6f1c3c0e-2b67-4a52-9d3c-5f4e8a7b1d20");
  return {"encode an answer", [state] {
            state->out.clear();
            const Measured measured;
            extproc::wire::write_headers_response(state->out, extproc::Phase::request_headers,
                                                  state->response);
          }};
}

}  // namespace bench
