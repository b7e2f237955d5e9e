package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

var clusters = map[string]string{"small": "cheap", "large": "dear"}

// What it does is in bench/README.md. Bodies are FULL_DUPLEX_STREAMED.
type gateway struct {
	extproc.UnimplementedExternalProcessorServer
}

// One request.
type call struct {
	stream extproc.ExternalProcessor_ProcessServer
	// The request's body, as it came, until its model is known.
	chunks  [][]byte
	model   string
	answer  *answer
	told    int
	refused bool
}

func (gateway) Process(stream extproc.ExternalProcessor_ProcessServer) error {
	call := &call{stream: stream}
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := call.take(request); err != nil {
			return err
		}
		if call.refused {
			return nil
		}
	}
}

func (c *call) take(request *extproc.ProcessingRequest) error {
	switch message := request.Request.(type) {
	case *extproc.ProcessingRequest_RequestHeaders:
		if message.RequestHeaders.EndOfStream {
			return c.refuse(typev3.StatusCode_BadRequest, "the request has no body")
		}
		// They are answered with the model, which the body names.
		return nil
	case *extproc.ProcessingRequest_RequestBody:
		c.chunks = append(c.chunks, message.RequestBody.Body)
		if !message.RequestBody.EndOfStream {
			return nil
		}
		return c.route(true)
	case *extproc.ProcessingRequest_RequestTrailers:
		if err := c.route(false); err != nil || c.refused {
			return err
		}
		return c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestTrailers{
			RequestTrailers: &extproc.TrailersResponse{},
		}})
	case *extproc.ProcessingRequest_ResponseHeaders:
		if isEvents(message.ResponseHeaders) {
			c.answer = newAnswer()
		}
		return c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseHeaders{
			ResponseHeaders: &extproc.HeadersResponse{},
		}})
	case *extproc.ProcessingRequest_ResponseBody:
		return c.sendAnswer(message.ResponseBody.Body, message.ResponseBody.EndOfStream, message.ResponseBody.EndOfStream)
	case *extproc.ProcessingRequest_ResponseTrailers:
		if err := c.sendAnswer(nil, true, false); err != nil {
			return err
		}
		return c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseTrailers{
			ResponseTrailers: &extproc.TrailersResponse{},
		}})
	default:
		return status.Error(codes.InvalidArgument, "a message without a request")
	}
}

// Answers the headers, and sends the body on.
func (c *call) route(endOfStream bool) error {
	var asked struct {
		Model string `json:"model"`
	}
	if err := json.Unmarshal(slices.Concat(c.chunks...), &asked); err != nil {
		return c.refuse(typev3.StatusCode_BadRequest, "the body is no JSON")
	}
	cluster, known := clusters[asked.Model]
	if !known {
		return c.refuse(typev3.StatusCode_NotFound, "no such model")
	}
	c.model = asked.Model
	err := c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestHeaders{
		RequestHeaders: &extproc.HeadersResponse{Response: &extproc.CommonResponse{
			ClearRouteCache: true,
			HeaderMutation: &extproc.HeaderMutation{SetHeaders: []*core.HeaderValueOption{{
				Header:       &core.HeaderValue{Key: "x-ai-cluster", RawValue: []byte(cluster)},
				AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			}}},
		}},
	}})
	for i := 0; i < len(c.chunks) && err == nil; i++ {
		err = c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestBody{
			RequestBody: streamed(c.chunks[i], endOfStream && i == len(c.chunks)-1),
		}})
	}
	c.chunks = nil
	return err
}

func (c *call) sendAnswer(chunk []byte, last, endOfStream bool) error {
	response := &extproc.ProcessingResponse{}
	if c.answer != nil {
		chunk = c.answer.take(chunk, last)
		if c.answer.tokens() != c.told {
			c.told = c.answer.tokens()
			response.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{
				"ai": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
					"model":  structpb.NewStringValue(c.model),
					"tokens": structpb.NewNumberValue(float64(c.told)),
				}}),
			}}
		}
	}
	if len(chunk) == 0 && !endOfStream && response.DynamicMetadata == nil {
		return nil
	}
	response.Response = &extproc.ProcessingResponse_ResponseBody{ResponseBody: streamed(chunk, endOfStream)}
	return c.stream.Send(response)
}

func (c *call) refuse(code typev3.StatusCode, why string) error {
	c.refused = true
	return c.stream.Send(&extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ImmediateResponse{
		ImmediateResponse: &extproc.ImmediateResponse{Status: &typev3.HttpStatus{Code: code}, Body: []byte(why)},
	}})
}

func streamed(body []byte, endOfStream bool) *extproc.BodyResponse {
	return &extproc.BodyResponse{Response: &extproc.CommonResponse{BodyMutation: &extproc.BodyMutation{
		Mutation: &extproc.BodyMutation_StreamedResponse{
			StreamedResponse: &extproc.StreamedBodyResponse{Body: body, EndOfStream: endOfStream},
		},
	}}}
}

func isEvents(headers *extproc.HttpHeaders) bool {
	for _, header := range headers.GetHeaders().GetHeaders() {
		if header.Key == "content-type" {
			return bytes.HasPrefix(header.RawValue, []byte("text/event-stream"))
		}
	}
	return false
}
