package main

import (
	"errors"
	"io"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What each variant answers is in bench/README.md.
type processor struct {
	extproc.UnimplementedExternalProcessorServer
	variant     string
	replacement []byte
}

func (p *processor) Process(stream extproc.ExternalProcessor_ProcessServer) error {
	var id []byte
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		response := &extproc.ProcessingResponse{}
		switch message := request.Request.(type) {
		case *extproc.ProcessingRequest_RequestHeaders:
			id = requestID(message.RequestHeaders)
			response.Response = &extproc.ProcessingResponse_RequestHeaders{
				RequestHeaders: setHeader("x-bench-request", id),
			}
		case *extproc.ProcessingRequest_ResponseHeaders:
			response.Response = &extproc.ProcessingResponse_ResponseHeaders{
				ResponseHeaders: setHeader("x-bench-response", id),
			}
		case *extproc.ProcessingRequest_RequestBody:
			response.Response = &extproc.ProcessingResponse_RequestBody{
				RequestBody: p.answerBody(message.RequestBody),
			}
		case *extproc.ProcessingRequest_ResponseBody:
			response.Response = &extproc.ProcessingResponse_ResponseBody{
				ResponseBody: p.answerBody(message.ResponseBody),
			}
		case *extproc.ProcessingRequest_RequestTrailers:
			response.Response = &extproc.ProcessingResponse_RequestTrailers{
				RequestTrailers: &extproc.TrailersResponse{},
			}
		case *extproc.ProcessingRequest_ResponseTrailers:
			response.Response = &extproc.ProcessingResponse_ResponseTrailers{
				ResponseTrailers: &extproc.TrailersResponse{},
			}
		default:
			return status.Error(codes.InvalidArgument, "a message without a request")
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func (p *processor) answerBody(body *extproc.HttpBody) *extproc.BodyResponse {
	mutation := &extproc.BodyMutation{}
	switch p.variant {
	case "buffered":
		mutation.Mutation = &extproc.BodyMutation_Body{Body: p.replacement}
	case "fds":
		mutation.Mutation = &extproc.BodyMutation_StreamedResponse{
			StreamedResponse: &extproc.StreamedBodyResponse{Body: body.Body, EndOfStream: body.EndOfStream},
		}
	default:
		return &extproc.BodyResponse{}
	}
	return &extproc.BodyResponse{Response: &extproc.CommonResponse{BodyMutation: mutation}}
}

func requestID(headers *extproc.HttpHeaders) []byte {
	for _, header := range headers.GetHeaders().GetHeaders() {
		if header.Key == "x-request-id" {
			return header.RawValue
		}
	}
	return nil
}

func setHeader(name string, value []byte) *extproc.HeadersResponse {
	return &extproc.HeadersResponse{Response: &extproc.CommonResponse{
		HeaderMutation: &extproc.HeaderMutation{SetHeaders: []*core.HeaderValueOption{{
			Header:       &core.HeaderValue{Key: name, RawValue: value},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}}},
	}}
}
