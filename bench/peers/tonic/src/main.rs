//! The benchmark's processor on tonic.
//!
//! Each stream's answers are its messages, mapped: no channel and no task between. With one thread
//! it runs on tokio's current-thread runtime, which is the cheapest for a service that never waits.

mod processor;

use std::pin::Pin;

use envoy_types::pb::envoy::service::ext_proc::v3::{
    external_processor_server::{ExternalProcessor, ExternalProcessorServer},
    ProcessingRequest, ProcessingResponse,
};
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::{wrappers::UnixListenerStream, Stream, StreamExt};
use tonic::{transport::server::TcpIncoming, transport::Server, Request, Response, Status, Streaming};

use processor::Variant;

const REPLACEMENT_BYTES: usize = 1 << 20;

struct Service {
    variant: Variant,
    replacement: &'static [u8],
}

#[tonic::async_trait]
impl ExternalProcessor for Service {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let mut stream = processor::Stream::new(self.variant, self.replacement);
        let answers = request.into_inner().map(move |message| stream.answer(message?));
        Ok(Response::new(Box::pin(answers)))
    }
}

struct Options {
    listen: String,
    variant: Variant,
    threads: usize,
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { listen: "127.0.0.1:0".into(), variant: Variant::Headers, threads: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--listen" => options.listen = value,
            "--variant" => options.variant = value.parse()?,
            "--threads" => options.threads = value.parse().map_err(|_| "threads is a number")?,
            _ => return Err(format!("no such option: {name}")),
        }
    }
    Ok(options)
}

async fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let replacement = Vec::leak(vec![b'r'; REPLACEMENT_BYTES]);
    let service = ExternalProcessorServer::new(Service { variant: options.variant, replacement })
        .max_decoding_message_size(16 << 20);
    // Envoy ends a normal stream with a reset, which h2 would otherwise take for an attack.
    let server = Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(16 << 20)
        .http2_max_pending_accept_reset_streams(Some(100_000))
        .add_service(service);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let end = async move {
        terminate.recv().await;
    };
    if let Some(path) = options.listen.strip_prefix("unix:") {
        let incoming = UnixListenerStream::new(UnixListener::bind(path)?);
        server.serve_with_incoming_shutdown(incoming, end).await?;
    } else {
        let listener = TcpListener::bind(&options.listen).await?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        server.serve_with_incoming_shutdown(incoming, end).await?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    let mut builder = if options.threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(options.threads);
        builder
    };
    builder.enable_all().build()?.block_on(serve(options))
}
