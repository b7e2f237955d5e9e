// What the library alone does with objects of the public API is no part of it: none of these is
// there for others. See src/base/access.h.
#include <extproc/async.h>

#include <type_traits>

namespace {

using namespace extproc;

// In a template, where what is not there is false and no error.
#define NOT_FOR_USERS(Class, expression)                \
  static_assert([]<class T>(T*) {                       \
    return !requires(T& object) { object.expression; }; \
  }(static_cast<Class*>(nullptr)))

NOT_FOR_USERS(HeadersResponse, reset());
NOT_FOR_USERS(HeadersResponse, extras());
NOT_FOR_USERS(HeadersResponse, drop_extras());
NOT_FOR_USERS(HeadersResponse, fallback());
NOT_FOR_USERS(HeadersResponse, listen_to_fallback(nullptr));
NOT_FOR_USERS(HeadersResponse, streamed());
NOT_FOR_USERS(BodyResponse, reset());
NOT_FOR_USERS(TrailersResponse, reset());
NOT_FOR_USERS(StreamedResponse, reset(nullptr));
NOT_FOR_USERS(StreamedResponse, start(200, {}));
NOT_FOR_USERS(Request, reset());
NOT_FOR_USERS(Request, begin_phase(Phase::request_body, nullptr));
NOT_FOR_USERS(Request, end_phase({}));
NOT_FOR_USERS(Service, dispatcher());
NOT_FOR_USERS(Task<>, take_failure());

template <class T>
concept HasFunction = requires { typename T::Function; };
static_assert(!HasFunction<Handlers>);
template <class T>
concept HasHandle = requires { typename T::Handle; };
static_assert(!HasHandle<Task<>>);

template <class T>
concept Starts = requires(T& task, detail::TaskContext& context, detail::TaskOwner& owner) {
  task.start(context, owner);
};
static_assert(!Starts<Task<>>);

static_assert(!std::is_constructible_v<BodyStream, detail::BodyChannel&, Phase>);
static_assert(!std::is_constructible_v<BodyStream::ReadAwaiter, detail::BodyChannel&>);
static_assert(!std::is_constructible_v<BodyStream::WriteAwaiter, detail::BodyChannel&>);

}  // namespace
