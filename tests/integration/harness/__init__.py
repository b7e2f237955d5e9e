"""What the integration tests are built from: processes, Envoy, HTTP and gRPC clients."""
