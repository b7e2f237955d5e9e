//! The processor of the benchmark: see bench/README.md for what each variant answers.

use envoy_types::pb::envoy::config::core::v3::{
    header_value_option::HeaderAppendAction, HeaderValue, HeaderValueOption,
};
use envoy_types::pb::envoy::service::ext_proc::v3::{
    body_mutation::Mutation, processing_request::Request, processing_response::Response,
    BodyMutation, BodyResponse, CommonResponse, HeaderMutation, HeadersResponse, HttpBody,
    HttpHeaders, ProcessingRequest, ProcessingResponse, StreamedBodyResponse, TrailersResponse,
};
use tonic::Status;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Headers,
    Buffered,
    Streamed,
    FullDuplex,
}

impl std::str::FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "headers" => Ok(Self::Headers),
            "buffered" => Ok(Self::Buffered),
            "streamed" => Ok(Self::Streamed),
            "fds" => Ok(Self::FullDuplex),
            _ => Err(format!("no such variant: {name}")),
        }
    }
}

/// The state of one stream, which is one HTTP request.
pub struct Stream {
    variant: Variant,
    replacement: &'static [u8],
    id: Vec<u8>,
}

impl Stream {
    pub fn new(variant: Variant, replacement: &'static [u8]) -> Self {
        Self { variant, replacement, id: Vec::new() }
    }

    pub fn answer(&mut self, message: ProcessingRequest) -> Result<ProcessingResponse, Status> {
        let response = match message.request {
            Some(Request::RequestHeaders(headers)) => {
                self.id = request_id(headers);
                Response::RequestHeaders(set_header("x-bench-request", self.id.clone()))
            }
            Some(Request::ResponseHeaders(_)) => {
                Response::ResponseHeaders(set_header("x-bench-response", self.id.clone()))
            }
            Some(Request::RequestBody(body)) => Response::RequestBody(self.answer_body(body)),
            Some(Request::ResponseBody(body)) => Response::ResponseBody(self.answer_body(body)),
            Some(Request::RequestTrailers(_)) => {
                Response::RequestTrailers(TrailersResponse::default())
            }
            Some(Request::ResponseTrailers(_)) => {
                Response::ResponseTrailers(TrailersResponse::default())
            }
            None => return Err(Status::invalid_argument("a message without a request")),
        };
        Ok(ProcessingResponse { response: Some(response), ..Default::default() })
    }

    fn answer_body(&self, body: HttpBody) -> BodyResponse {
        let mutation = match self.variant {
            Variant::Buffered => Mutation::Body(self.replacement.to_vec()),
            Variant::FullDuplex => Mutation::StreamedResponse(StreamedBodyResponse {
                body: body.body,
                end_of_stream: body.end_of_stream,
                ..Default::default()
            }),
            Variant::Headers | Variant::Streamed => return BodyResponse::default(),
        };
        BodyResponse {
            response: Some(CommonResponse {
                body_mutation: Some(BodyMutation { mutation: Some(mutation) }),
                ..Default::default()
            }),
        }
    }
}

fn request_id(headers: HttpHeaders) -> Vec<u8> {
    headers
        .headers
        .into_iter()
        .flat_map(|map| map.headers)
        .find(|header| header.key == "x-request-id")
        .map(|header| header.raw_value)
        .unwrap_or_default()
}

fn set_header(name: &str, value: Vec<u8>) -> HeadersResponse {
    let option = HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), raw_value: value, ..Default::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd as i32,
        ..Default::default()
    };
    HeadersResponse {
        response: Some(CommonResponse {
            header_mutation: Some(HeaderMutation {
                set_headers: vec![option],
                ..Default::default()
            }),
            ..Default::default()
        }),
    }
}
