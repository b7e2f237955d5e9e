#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "extproc/processor.h"

namespace extproc {

/// One object of T for each thread that runs handlers, made without arguments when the thread first
/// needs it, and destroyed with this object. What T keeps in its members then needs no
/// synchronisation.
template <class T>
class PerThreadObjects {
 public:
  T& local() {
    // By number, not by address: an address is used again after its owner is gone, a number never.
    thread_local std::unordered_map<std::uint64_t, T*> objects;
    T*& object = objects[number_];
    if (object == nullptr) {
      auto made = std::make_unique<T>();
      object = made.get();
      const std::lock_guard lock(mutex_);
      owned_.push_back(std::move(made));
    }
    return *object;
  }

 private:
  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> next{0};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  const std::uint64_t number_ = next_number();
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> owned_;
};

/// Serves one processor a thread: `extproc::serve<extproc::per_thread<MyProcessor>>()`. All phases
/// of a request are handled by the same object, unless it is blocking(): then each phase may run on
/// another thread.
template <class T>
class per_thread : public Processor {  // NOLINT(readability-identifier-naming): reads as an
                                       // adjective of its argument
  static_assert(
      std::derived_from<T, Processor>,
      "per_thread makes processors derived from extproc::Processor; an AsyncProcessor can hold a "
      "PerThreadObjects<T> of what it needs a thread");

 public:
  PhaseSet handled_phases() const { return phases_; }
  std::string name() const override { return name_; }
  bool blocking() const override { return blocking_; }

  void process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                               HeadersResponse& response) override {
    as_processor().process_request_headers(headers, context, request, response);
  }
  void process_request_body(const HttpBody& body, Context& context, Request& request,
                            BodyResponse& response) override {
    as_processor().process_request_body(body, context, request, response);
  }
  void process_request_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                                TrailersResponse& response) override {
    as_processor().process_request_trailers(trailers, context, request, response);
  }
  void process_response_headers(const HttpHeaders& headers, Context& context, Request& request,
                                HeadersResponse& response) override {
    as_processor().process_response_headers(headers, context, request, response);
  }
  void process_response_body(const HttpBody& body, Context& context, Request& request,
                             BodyResponse& response) override {
    as_processor().process_response_body(body, context, request, response);
  }
  void process_response_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                                 TrailersResponse& response) override {
    as_processor().process_response_trailers(trailers, context, request, response);
  }

 private:
  Processor& as_processor() { return objects_.local(); }

  PerThreadObjects<T> objects_;
  PhaseSet phases_ = detail::handled_phases<Processor, void>(objects_.local());
  std::string name_ = as_processor().name();
  bool blocking_ = as_processor().blocking();
};

}  // namespace extproc
