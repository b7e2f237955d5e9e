// What bench/extproc/ten_lines.cc does, with the least code on grpc++.
#include <grpcpp/grpcpp.h>

#include "envoy/service/ext_proc/v3/external_processor.grpc.pb.h"

using namespace envoy::service::ext_proc::v3;

class TagRequests final : public ExternalProcessor::Service {
  grpc::Status Process(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<ProcessingResponse, ProcessingRequest>* stream) override {
    for (ProcessingRequest request; stream->Read(&request);) {
      ProcessingResponse response;
      auto& mutation =
          *response.mutable_request_headers()->mutable_response()->mutable_header_mutation();
      for (const auto& header : request.request_headers().headers().headers()) {
        if (header.key() != "x-request-id") continue;
        auto& tag = *mutation.add_set_headers()->mutable_header();
        tag.set_key("x-tagged");
        tag.set_raw_value(header.raw_value());
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
};

int main() {
  TagRequests service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("0.0.0.0:50051", grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
}
