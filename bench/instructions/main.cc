// Runs each item often enough to be warm, then counts. Under callgrind (--collect-atstart=no) each
// item gives a dump named after it; without, the program prints how often an item calls operator
// new.
//
//   bench_instructions [how often]
#include <exception>
#include <iostream>
#include <string>

#include "allocations.h"
#include "items.h"
#include "measured.h"

int main(int argc, char** argv) {
  constexpr int kWarmUp = 300;
  try {
    const int times = argc > 1 ? std::stoi(argv[1]) : 1000;
    for (const bench::Item& item :
         {bench::decode_headers(), bench::encode_answer(), bench::stream_without_http2(),
          bench::stream_through_http2(), bench::stream_with_metrics(),
          bench::traced_stream("traces 1 %", 0.01), bench::request_inside()}) {
      for (int i = 0; i < kWarmUp; ++i) item.run();
      bench::take_allocations();
#ifdef BENCH_HAS_CALLGRIND
      CALLGRIND_ZERO_STATS;
#endif
      for (int i = 0; i < times; ++i) item.run();
#ifdef BENCH_HAS_CALLGRIND
      CALLGRIND_DUMP_STATS_AT(item.name.c_str());
#endif
      std::cout << item.name << '\t' << static_cast<double>(bench::take_allocations()) / times
                << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
