#include <extproc/async.h>

#include <cctype>
#include <string>

/// Changes each chunk of the response's body as it passes.
class Uppercase : public extproc::AsyncProcessor {
 public:
  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context& /*context*/,
                                       extproc::Request& /*request*/) override {
    while (auto chunk = co_await body.read()) {
      std::string text(chunk->bytes());
      for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      body.write(text);
    }
  }
};

EXTPROC_EXPORT(Uppercase)
