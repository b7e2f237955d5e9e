// AnswerChecker: where HTTP has a body, and how long the head says that it is.
#include <string>

#include "base/access.h"
#include "exchange/answer_checker.h"
#include "rules/mode_rules.h"

namespace extproc::exchange {
namespace {

using rules::Content;

/// A status that has a body.
constexpr int kUnchanged = 200;

constexpr std::string_view kLength = "content-length";
constexpr std::string_view kEncoding = "transfer-encoding";

}  // namespace

// Where the request's headers are not sent, the filter may send it by itself.
std::string_view AnswerChecker::method() const {
  if (!request_.method().empty()) return request_.method();
  const auto attribute = context_.attribute("request.method");
  return attribute ? attribute->string().value_or(std::string_view()) : std::string_view();
}

// Where the method is not known: only the head of a response to HEAD tells of a body that does not
// come.
bool AnswerChecker::answers_head(const HttpHeaders& message, int status) const {
  const std::string_view method = this->method();
  if (!method.empty()) return method == "HEAD";
  return message.end_of_stream() && rules::content_of({}, status) == Content::body &&
         request_.content_length().value_or(0) > 0;
}

bool AnswerChecker::is_all_head(int status) const {
  return rules::content_of(method(), status) == Content::nothing;
}

bool AnswerChecker::tells_of_another(int status) const {
  return rules::tells_of_another(method(), status);
}

bool AnswerChecker::has_content(Phase body) const {
  return is_request_phase(body) || (directions_.of(body).has_content() && method() != "HEAD");
}

// Of an answer that may frame its message otherwise, or is followed by a body that may change.
void AnswerChecker::check_framing(Phase phase, const HttpHeaders& message,
                                  HeadersResponse& response, unsigned changes) {
  leave_out_encoding(phase, response.header_mutation(), changes);
  if (phase == Phase::response_headers) {
    check_content(message, response, changes);
  } else {
    if ((changes & rules::kSetsMethod) != 0 &&
        rules::makes_head(response.header_mutation()) != (method() == "HEAD"))
      directions_.of(Phase::response_headers).turn_head();
    fit_length(phase, message, response, changes, false);
  }
  if (response.replacement()) directions_.of(phase).replace();
}

void AnswerChecker::leave_out_encoding(Phase phase, HeaderMutation& mutation, unsigned changes) {
  if ((changes & rules::kSetsTransferEncoding) == 0) return;
  violation(phase, Rule::transfer_encoding, kEncoding);
  rules::leave_out(mutation, kEncoding);
}

void AnswerChecker::check_content(const HttpHeaders& message, HeadersResponse& response,
                                  unsigned changes) {
  const int status = rules::status_of({message.begin(), message.end()});
  const int left = rules::status_after(status, response.header_mutation());
  const bool head = answers_head(message, status);
  const std::string_view method = head ? "HEAD" : this->method();
  // What the upstream was asked.
  const bool asked_head = head != directions_.of(Phase::response_headers).head_turned();
  const Content came = rules::content_of(asked_head ? "HEAD" : head ? "" : method, status);
  const Content content = rules::content_of(method, left);
  if (content == Content::tunnel) {
    leave_out_replacement(response);
  } else if (content == Content::nothing) {
    leave_out_content(message, came == Content::body, response);
  }
  if (rules::tells_of_another(method, left)) return;
  const bool gained = came == Content::nothing && content == Content::body;
  fit_length(Phase::response_headers, message, response, changes, gained);
}

void AnswerChecker::leave_out_replacement(HeadersResponse& response) {
  if (!response.replacement()) return;
  if (!response.replacement()->empty())
    violation(Phase::response_headers, Rule::body_not_allowed, "body");
  detail::Access::drop_replacement(response);
}

// `came`: behind the upstream's head a body may stand.
void AnswerChecker::leave_out_content(const HttpHeaders& message, bool came,
                                      HeadersResponse& response) {
  directions_.of(Phase::response_headers).has_no_content();
  if (message.end_of_stream()) return leave_out_replacement(response);
  const bool replaces = response.replacement().has_value();
  const bool writes = replaces && !response.replacement()->empty();
  // It would not be there without an answer that made the response so.
  if (writes || came)
    violation(Phase::response_headers, Rule::body_not_allowed, writes ? "body" : ":status");
  if (came || replaces) response.continue_and_replace({});
}

// Those of a chain have looked at it one by one.
void AnswerChecker::check_framing(Phase phase, const HttpBody& chunk, BodyResponse& response) {
  if (!env().links.empty()) return;
  if (phase == Phase::response_body) {
    note_status(chunk, response.header_mutation());
    if (!has_content(phase)) leave_out_content(chunk, response);
  }
  fit_length(phase, chunk, response);
}

// Where the headers were not sent, Envoy does not heed it.
void AnswerChecker::note_status(const HttpBody& chunk, HeaderMutation& mutation) {
  Direction& direction = directions_.of(Phase::response_body);
  if (mutation.empty() || !direction.are_headers_seen() ||
      rules::content_of({}, rules::status_after(kUnchanged, mutation)) == Content::body)
    return;
  if (direction.brings_all(chunk) || chunk.end_of_stream()) return direction.has_no_content();
  // The rest goes on by itself.
  violation(Phase::response_body, Rule::body_not_allowed, ":status");
  rules::leave_out(mutation, ":status");
}

void AnswerChecker::leave_out_content(const HttpBody& chunk, BodyResponse& response) {
  const bool replaces = response.body_change() == BodyChange::replace;
  const std::string_view body =
      response.body_change() == BodyChange::none ? chunk.bytes() : response.body();
  if (!body.empty()) violation(Phase::response_body, Rule::body_not_allowed, "body");
  // Where nothing came, content-length is left as it is: that of another response.
  if (chunk.bytes().empty()) {
    if (replaces) detail::Access::drop_body_change(response);
  } else {
    response.clear_body();
  }
}

// Envoy takes it out by the filter's own mode, before the answer, and where the filter has no
// allow_content_length_header.
bool AnswerChecker::body_may_change(Phase headers, const HeadersResponse& response) const {
  const ResponseExtras* extras = response.extras_or_null();
  std::optional<BodySendMode> mode;
  if (extras != nullptr && extras->mode_override) {
    mode = is_request_phase(headers) ? extras->mode_override->request_body_mode
                                     : extras->mode_override->response_body_mode;
  }
  if (!mode && env().dispatcher.phases().contains(rules::body_of(headers)))
    mode = directions_.of(headers).comes_in();
  return mode && rules::removes_content_length(*mode, true);
}

// What fits is the length of what is put in place of the message, or else what came with it, unless
// the body may change behind it. `gained`: the answer makes it a response that has a body, of which
// nothing stands behind its head.
void AnswerChecker::fit_length(Phase phase, const HttpHeaders& message, HeadersResponse& response,
                               unsigned changes, bool gained) {
  const bool sets = (changes & rules::kSetsLength) != 0;
  const bool came = directions_.of(phase).has_content_length();
  if ((!sets && !came) || !env().links.empty()) return;
  const auto& replacement = response.replacement();
  const bool ends = message.end_of_stream();
  const bool goes = !replacement && (gained || (!ends && body_may_change(phase, response)));
  if (sets) {
    std::optional<std::string_view> fits;
    const std::string size = replacement ? std::to_string(replacement->size()) : "0";
    if (replacement || ends) fits = size;
    if (!replacement && !goes && came) fits = message.value(kLength);
    if (!fits || !rules::sets_only(response.header_mutation(), kLength, *fits)) {
      violation(phase, Rule::content_length, kLength);
      rules::leave_out(response.header_mutation(), kLength);
    }
  }
  if (goes && came && (changes & rules::kRemovesLength) == 0) response.remove_header(kLength);
}

void AnswerChecker::fit_length(Phase phase, const HttpBody& chunk, BodyResponse& response) {
  HeaderMutation& mutation = response.header_mutation();
  const unsigned changes = rules::framing_changes(mutation);
  leave_out_encoding(phase, mutation, changes);
  if ((changes & rules::kSetsLength) == 0) return;
  const bool kept = response.body_change() == BodyChange::none;
  const std::size_t size = kept ? chunk.bytes().size() : response.body().size();
  if (directions_.of(phase).brings_all(chunk) &&
      rules::sets_only(mutation, kLength, std::to_string(size)))
    return;
  violation(phase, Rule::content_length, kLength);
  rules::leave_out(mutation, kLength);
}

// A content-length that no answer of this processor can reach may be on its way.
bool AnswerChecker::guards_length(Phase phase) const {
  if (!env().settings.filter.allow_content_length_header || !env().links.empty()) return false;
  const Direction& direction = directions_.of(phase);
  const auto mode = direction.comes_in();
  return !direction.are_headers_seen() && mode && rules::removes_content_length(*mode, false);
}

// Nothing goes on ahead of what came, since content-length may say so much and no more; at the end
// it must be as much.
bool AnswerChecker::keeps_length(Phase phase, std::size_t bytes, bool ends) {
  Direction& direction = directions_.of(phase);
  direction.body_left(bytes);
  if (direction.withheld() == 0 || (direction.withheld() > 0 && !ends)) return true;
  violation(phase, Rule::content_length, kLength);
  return false;
}

}  // namespace extproc::exchange
