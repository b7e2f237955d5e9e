#include "server/descriptors.h"

namespace extproc::server {

const grpc::DescriptorIndex& descriptors() {
  static const grpc::DescriptorIndex index(descriptor_set());
  return index;
}

}  // namespace extproc::server
