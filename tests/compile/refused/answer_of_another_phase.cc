// refused: replace_body
#include <extproc/extproc.h>

class Illegal : public extproc::Processor {
 public:
  void process_request_trailers(const extproc::HttpTrailers&, extproc::Context&, extproc::Request&,
                                extproc::TrailersResponse& response) override {
#ifdef WITHOUT_THE_MISTAKE
    response.set_header("a", "b");
#else
    response.replace_body("trailers have no body");
#endif
  }
};

int main() { return extproc::serve<Illegal>(); }
