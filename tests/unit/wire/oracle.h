#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace extproc::wire::oracle {

using Message = google::protobuf::Message;

/// An empty message of `envoy.service.ext_proc.v3.<name>`, or of the type whose whole name is
/// given, from Envoy's own descriptors.
std::unique_ptr<Message> new_message(const std::string& name);

/// The message that the text format describes. Fails the test when it is not one.
std::unique_ptr<Message> from_text(const std::string& name, const std::string& text);

/// The message that the bytes hold, or null when libprotobuf refuses them.
std::unique_ptr<Message> from_bytes(const std::string& name, std::string_view bytes);

/// The bytes as a string literal of the text format.
std::string literal(std::string_view bytes);

/// The member of a message, by name; the default where it isn't set. They make the tests read like
/// the proto files.
bool has(const Message& message, const std::string& field);
const Message& sub(const Message& message, const std::string& field);
const Message& item(const Message& message, const std::string& field, int index);
int count(const Message& message, const std::string& field);
std::string text(const Message& message, const std::string& field);
bool flag(const Message& message, const std::string& field);
int number(const Message& message, const std::string& field);
std::int64_t integer(const Message& message, const std::string& field);
double real(const Message& message, const std::string& field);
/// The name of the member of a oneof that is set, or "".
std::string chosen(const Message& message, const std::string& oneof);

/// Any bytes, up to `limit` of them.
std::string random_bytes(std::mt19937_64& random, std::size_t limit);

/// Fills any message by reflection: each field by chance, nested up to `depth`, one member of a
/// oneof, repeated fields and maps up to four entries, and now and then a field that the
/// descriptors don't know.
void fill(Message& message, std::mt19937_64& random, int depth = 5);

}  // namespace extproc::wire::oracle
