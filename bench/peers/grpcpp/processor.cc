#include "processor.h"

#include <google/protobuf/arena.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace bench {
namespace {

namespace ext_proc = envoy::service::ext_proc::v3;
using envoy::config::core::v3::HeaderValueOption;

constexpr std::size_t kReplacementBytes = std::size_t{1} << 20;

std::string take_request_id(ext_proc::HttpHeaders& headers) {
  for (auto& header : *headers.mutable_headers()->mutable_headers()) {
    if (header.key() == "x-request-id") return std::move(*header.mutable_raw_value());
  }
  return {};
}

void set_header(ext_proc::HeadersResponse& answer, const char* name, const std::string& value) {
  HeaderValueOption& option =
      *answer.mutable_response()->mutable_header_mutation()->add_set_headers();
  option.set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  option.mutable_header()->set_key(name);
  option.mutable_header()->set_raw_value(value);
}

/// One stream. Its messages live on an arena whose first block is part of the stream, and are used
/// again from message to message.
class Stream final
    : public grpc::ServerBidiReactor<ext_proc::ProcessingRequest, ext_proc::ProcessingResponse> {
 public:
  Stream(Variant variant, const std::string& replacement)
      : variant_(variant), replacement_(replacement) {
    StartRead(request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    response_->Clear();
    if (answer())
      StartWrite(response_);
    else
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "a message without a request"});
  }

  void OnWriteDone(bool ok) override {
    if (ok)
      StartRead(request_);
    else
      Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  static google::protobuf::ArenaOptions arena_options(std::array<char, 2048>& block) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block.data();
    options.initial_block_size = block.size();
    return options;
  }

  bool answer() {
    switch (request_->request_case()) {
      case ext_proc::ProcessingRequest::kRequestHeaders:
        id_ = take_request_id(*request_->mutable_request_headers());
        set_header(*response_->mutable_request_headers(), "x-bench-request", id_);
        return true;
      case ext_proc::ProcessingRequest::kResponseHeaders:
        set_header(*response_->mutable_response_headers(), "x-bench-response", id_);
        return true;
      case ext_proc::ProcessingRequest::kRequestBody:
        answer_body(*request_->mutable_request_body(), *response_->mutable_request_body());
        return true;
      case ext_proc::ProcessingRequest::kResponseBody:
        answer_body(*request_->mutable_response_body(), *response_->mutable_response_body());
        return true;
      case ext_proc::ProcessingRequest::kRequestTrailers:
        response_->mutable_request_trailers();
        return true;
      case ext_proc::ProcessingRequest::kResponseTrailers:
        response_->mutable_response_trailers();
        return true;
      case ext_proc::ProcessingRequest::REQUEST_NOT_SET:
        return false;
    }
    return false;
  }

  void answer_body(ext_proc::HttpBody& body, ext_proc::BodyResponse& answer) {
    if (variant_ == Variant::buffered) {
      answer.mutable_response()->mutable_body_mutation()->set_body(replacement_);
    } else if (variant_ == Variant::fds) {
      auto& streamed =
          *answer.mutable_response()->mutable_body_mutation()->mutable_streamed_response();
      streamed.mutable_body()->swap(*body.mutable_body());
      streamed.set_end_of_stream(body.end_of_stream());
    }
  }

  Variant variant_;
  const std::string& replacement_;
  std::string id_;
  std::array<char, 2048> block_;
  google::protobuf::Arena arena_{arena_options(block_)};
  ext_proc::ProcessingRequest* request_ =
      google::protobuf::Arena::CreateMessage<ext_proc::ProcessingRequest>(&arena_);
  ext_proc::ProcessingResponse* response_ =
      google::protobuf::Arena::CreateMessage<ext_proc::ProcessingResponse>(&arena_);
};

}  // namespace

Processor::Processor(Variant variant) : variant_(variant), replacement_(kReplacementBytes, 'r') {}

grpc::ServerBidiReactor<Processor::Request, Processor::Response>* Processor::Process(
    grpc::CallbackServerContext*) {
  return new Stream(variant_, replacement_);
}

}  // namespace bench
