#include <memory>
#include <string>

#include "scripted.h"

namespace test_processors {
namespace {

/// One of several in a row: link N does what x-do-N asks for.
class Link final : public Scripted {
 public:
  explicit Link(int number) : Scripted("x-do-" + std::to_string(number)), number_(number) {}
  std::string name() const override { return "Link" + std::to_string(number_); }

 private:
  int number_;
};

extproc::Service link(int number) { return extproc::Service(std::make_shared<Link>(number)); }

}  // namespace

EXTPROC_EXPORT_AS(Link1, [] { return link(1); })
EXTPROC_EXPORT_AS(Link2, [] { return link(2); })
EXTPROC_EXPORT_AS(Link3, [] { return link(3); })
EXTPROC_EXPORT_AS(Link4, [] { return link(4); })
EXTPROC_EXPORT_AS(Link5, [] { return link(5); })
EXTPROC_EXPORT_AS(Link6, [] { return link(6); })

}  // namespace test_processors
