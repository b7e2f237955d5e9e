#pragma once

#include <memory>
#include <span>

#include "admin/http_limits.h"
#include "admin/http_message.h"

namespace extproc::admin {

/// HTTP/1.1 for operators: programs that ask now and then, and people with a browser. It has one
/// thread of its own, which the handler runs on. Keeps connections open, and answers by itself what
/// is no request, or too much: 400, 405, 408, 413, 414, 431, 503, 505.
class HttpListener {
 public:
  /// `sockets` listen already, and must stay open until this is destroyed. Throws
  /// std::system_error where there is no descriptor to be had.
  HttpListener(std::span<const int> sockets, HttpHandler handler, HttpLimits limits = {});
  /// Stops it.
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  /// Once. Throws std::system_error when there is no thread to be had.
  void start();
  /// Closes all connections, and waits for a handler that runs. Not from the handler.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::admin
