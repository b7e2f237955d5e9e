// Bytes as the messages of one reflection stream, or as descriptors that are asked about.

#include <cstdint>
#include <optional>
#include <protozero/exception.hpp>
#include <string>
#include <string_view>

#include "check.h"
#include "grpc/descriptor_index.h"
#include "grpc/reflection.h"
#include "grpc/reflection_messages.h"
#include "input.h"
#include "protobuf/field_reader.h"
#include "server/descriptors.h"

namespace extproc::fuzz {
namespace {

constexpr std::string_view kPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// A call whose answers are read, as far as a client has to be able to.
class ReadCall final : public grpc::Call {
 public:
  std::string& begin_message() override {
    out_.clear();
    return out_;
  }
  void end_message() override {
    check(!finished_, "nothing is sent behind the status");
    protobuf::FieldReader reader(out_);
    bool echoes = false;
    while (reader.next()) {
      if (reader.tag_and_type() == kOriginalRequest) {
        echoes = reader.get_bytes() == request_;
      } else {
        reader.skip();
      }
    }
    check(echoes, "an answer has its request");
    ++answers_;
  }
  void end_message_with(std::string) override { check(false, "nothing is sent in two parts"); }
  void finish(GrpcStatus, std::string_view) override { finished_ = true; }
  void pause() override {}
  void resume() override {}
  bool congested() const override { return false; }
  const grpc::Metadata& metadata() const override { return metadata_; }
  std::optional<grpc::Clock::time_point> deadline() const override { return {}; }
  std::string_view peer() const override { return {}; }
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const override { return none_; }

  void send(grpc::CallHandler& handler, std::string_view request) {
    request_ = request;
    const int before = answers_;
    handler.on_message(request);
    check(finished_ || answers_ == before + 1, "a request has one answer");
  }
  bool finished() const { return finished_; }

 private:
  static constexpr std::uint32_t kOriginalRequest =
      protozero::tag_and_type(2, protozero::pbf_wire_type::length_delimited);

  std::string out_;
  std::string_view request_;
  int answers_ = 0;
  bool finished_ = false;
  grpc::Metadata metadata_;
  std::shared_ptr<const PeerCertificate> none_;
};

void run_stream(Input input, const grpc::DescriptorIndex& index) {
  grpc::ReflectionService service(index);
  ReadCall call;
  grpc::CallHandler* const handler = service.start(kPath, call);
  while (!input.empty() && !call.finished()) call.send(*handler, input.sized());
  if (!call.finished()) handler->on_half_close();
  check(call.finished(), "the stream ends with its peer");
  handler->on_closed(grpc::CloseReason::finished);
}

void run(Input input) {
  if (input.byte() % 2 == 0) return run_stream(input, server::descriptors());
  const std::string_view set = input.sized();
  std::optional<grpc::DescriptorIndex> index;
  try {
    index.emplace(set);
  } catch (const protozero::exception&) {
    return;
  }
  for (std::size_t file = 0; file < index->files(); ++file) {
    for (const std::size_t imported : index->imports(file)) {
      check(imported < index->files(), "an import is a file");
    }
  }
  run_stream(input, *index);
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::run({data, size});
  return 0;
}
