// The benchmark's processor on grpc++, served until SIGTERM. --threads is accepted as the other
// servers do, but grpc++ 1.51's callback API chooses its own number of threads.
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <iostream>
#include <map>
#include <string>

#include "processor.h"

namespace {

const std::map<std::string, bench::Variant, std::less<>> kVariants = {
    {"headers", bench::Variant::headers},
    {"buffered", bench::Variant::buffered},
    {"streamed", bench::Variant::streamed},
    {"fds", bench::Variant::fds},
};

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:0";
  std::string variant = "headers";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--listen") listen = argv[i + 1];
    if (name == "--variant") variant = argv[i + 1];
  }
  const auto found = kVariants.find(variant);
  if (found == kVariants.end()) {
    std::cerr << "no such variant: " << variant << '\n';
    return 2;
  }

  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &terminate, nullptr);

  bench::Processor processor(found->second);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials());
  builder.RegisterService(&processor);
  builder.SetMaxReceiveMessageSize(16 << 20);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1 << 20);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;

  int signal = 0;
  sigwait(&terminate, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return 0;
}
