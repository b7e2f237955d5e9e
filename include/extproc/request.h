#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>

#include "extproc/export.h"
#include "extproc/headers.h"
#include "extproc/phase.h"

namespace extproc {

namespace detail {
class Access;
}

/// One HTTP request across its phases, as one processor sees it. It owns its strings; the views
/// that it gives live as long as it does, unless said otherwise. Its handlers run one after
/// another, so it needs no synchronisation.
class EXTPROC_API Request {
 public:
  Request() = default;
  ~Request() { clear_state(); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// The value of ":method"; empty until the request headers were seen.
  std::string_view method() const { return view(method_); }
  /// The value of ":path", query included; empty until then.
  std::string_view path() const { return view(path_); }
  /// The value of x-request-id; "unknown" until then, or when there is none.
  std::string_view id() const { return id_.size == 0 ? std::string_view("unknown") : view(id_); }
  /// content-type of the request, and from the response_headers phase on of the response; empty
  /// when there is none. The view of the request's stays valid.
  std::string_view content_type() const {
    return response_seen_ ? std::string_view(response_content_type_) : view(content_type_);
  }
  /// content-length likewise; nothing when absent or not a number.
  std::optional<std::uint64_t> content_length() const {
    return content_length_ == kNoLength ? std::nullopt : std::optional(content_length_);
  }

  /// The phase whose handler runs, or ran last; nothing before the first.
  std::optional<Phase> phase() const { return phase_; }
  /// What was spent in this processor's handlers so far, waiting included; without the phase that
  /// is running.
  std::chrono::nanoseconds overhead() const { return overhead_; }

  /// The processor's own state for this request: made without arguments on first use, destroyed
  /// with the stream. One object for each type asked for; no other processor sees it.
  template <class T>
  T& state() {
    return find_or_make<T>(state_);
  }

  /// The same for all processors of a chain: one object for each type and HTTP request, made by
  /// whichever asks first, and destroyed when the stream is over and no handler of any of them
  /// runs, behind their on_complete(). Without a chain the processor has it to itself. It is not
  /// that of state<T>().
  ///
  /// To make it is safe from any thread; to use it needs synchronisation of T's own where handlers
  /// of several processors can run at once: blocking ones, while bodies come in pieces or a
  /// fallback was sent. All others of a chain run on one thread, and see it change only where they
  /// wait.
  template <class T>
  T& shared() {
    return find_or_make<Shared<T>>(shared_with_->state_).value;
  }
  /// Null where nobody has asked for it yet.
  template <class T>
  const T* shared_or_null() const {
    auto* const found =
        find<Shared<T>>(shared_with_->state_.load(std::memory_order_acquire), nullptr);
    return found == nullptr ? nullptr : &found->value;
  }

 private:
  friend class detail::Access;

  // No message is so long.
  static constexpr std::uint64_t kNoLength = ~std::uint64_t{0};

  struct Slice {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };

  struct StateBase {
    virtual ~StateBase() = default;
    const std::type_info* type = nullptr;
    StateBase* next = nullptr;
  };

  template <class T>
  struct State final : StateBase {
    T value{};
  };

  template <class T>
  struct Shared {
    T value{};
  };

  using StateList = std::atomic<StateBase*>;

  template <class T>
  static T* find(StateBase* node, const StateBase* end) {
    for (; node != end; node = node->next) {
      if (*node->type == typeid(T)) return &static_cast<State<T>*>(node)->value;
    }
    return nullptr;
  }
  /// The first who puts it into the list has made it.
  template <class T>
  static T& find_or_make(StateList& list) {
    StateBase* first = list.load(std::memory_order_acquire);
    if (T* found = find<T>(first, nullptr)) return *found;
    auto made = std::make_unique<State<T>>();
    made->type = &typeid(T);
    made->next = first;
    while (!list.compare_exchange_weak(made->next, made.get(), std::memory_order_acq_rel)) {
      if (T* found = find<T>(made->next, first)) return *found;
      first = made->next;
    }
    return made.release()->value;
  }

  std::string_view view(Slice slice) const {
    return std::string_view(text_).substr(slice.offset, slice.size);
  }
  void begin_phase(Phase phase, const HeaderView* headers);
  void reset();
  void read_request_headers(const HeaderView& headers);
  void read_response_headers(const HeaderView& headers);
  void clear_state();

  std::string text_;
  Slice method_, path_, id_, content_type_;
  std::string response_content_type_;
  std::uint64_t content_length_ = kNoLength;
  std::chrono::nanoseconds overhead_{0};
  StateList state_ = nullptr;
  Request* shared_with_ = this;  // that of its chain
  std::optional<Phase> phase_;
  bool response_seen_ = false;
  std::uint32_t trace_ = 0;  // the library's own; see detail::Access
};

}  // namespace extproc
