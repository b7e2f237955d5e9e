// The benchmark's processor on grpc++, served until SIGTERM. --threads is accepted as the other
// servers do, but grpc++ 1.51's callback API chooses its own number of threads.
// With --tls-cert FILE --tls-key FILE it serves TLS.
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "processor.h"

namespace {

const std::map<std::string, bench::Variant, std::less<>> kVariants = {
    {"headers", bench::Variant::headers},
    {"buffered", bench::Variant::buffered},
    {"streamed", bench::Variant::streamed},
    {"fds", bench::Variant::fds},
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<grpc::ServerCredentials> credentials(const std::string& certificate,
                                                     const std::string& key) {
  if (certificate.empty() && key.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({read_file(key), read_file(certificate)});
  return grpc::SslServerCredentials(options);
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:0";
  std::string variant = "headers";
  std::string certificate;
  std::string key;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--listen") listen = argv[i + 1];
    if (name == "--variant") variant = argv[i + 1];
    if (name == "--tls-cert") certificate = argv[i + 1];
    if (name == "--tls-key") key = argv[i + 1];
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
  builder.AddListeningPort(listen, credentials(certificate, key));
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
