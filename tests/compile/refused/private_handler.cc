// refused: must be one public member function
#include <extproc/extproc.h>

class Hidden : public extproc::Processor {
#ifdef WITHOUT_THE_MISTAKE
 public:
#endif
  void process_response_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                             extproc::BodyResponse&) override {}
};

int main() { return extproc::serve<Hidden>(); }
