#include "filter/neighbours.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace extproc::filter {
namespace {

TEST(Neighbours, AreFoundByTheirMarkAmongOthers) {
  auto those = Neighbours::make(7);
  const auto others = Neighbours::make(7);
  const std::string mark = those->mark();
  EXPECT_NE(mark, others->mark());
  EXPECT_EQ(mark.find(','), std::string::npos);
  EXPECT_EQ(Neighbours::find(mark, 7), those);
  EXPECT_EQ(Neighbours::find("503,extproc-,extproc-0,extproc-zz,extproc-1," + mark, 7), those);
  EXPECT_EQ(Neighbours::find(mark + ",503", 7), those);
  for (const char* none : {"", "503", "extproc-", "extproc-ffffffffffffffffffffffff", "extproc"})
    EXPECT_EQ(Neighbours::find(none, 7), nullptr) << none;
  those.reset();
  EXPECT_EQ(Neighbours::find(mark, 7), nullptr);
}

TEST(Neighbours, AreOfOneConnectionAndOneWorker) {
  const auto those = Neighbours::make(7);
  EXPECT_EQ(Neighbours::find(those->mark(), 8), nullptr);
  std::thread([&] { EXPECT_EQ(Neighbours::find(those->mark(), 7), nullptr); }).join();
}

}  // namespace
}  // namespace extproc::filter
