#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

/// JSON as FHIR needs it (https://hl7.org/fhir/R4/json.html): numbers keep the digits they were
/// written with, duplicate names are refused, and a value is as cheap to pass as a pointer.
namespace hygie::fhir {

struct Member;

/// One value of a document: sixteen bytes that point into an Arena, valid as long as it lives.
class Json {
  public:
    enum class Kind : std::uint8_t { Absent, Null, False, True, Number, String, Array, Object };

    Json() = default;

    Kind kind() const { return kind_; }
    bool absent() const { return kind_ == Kind::Absent; }
    explicit operator bool() const { return kind_ != Kind::Absent; }
    bool is_object() const { return kind_ == Kind::Object; }
    bool is_array() const { return kind_ == Kind::Array; }
    bool is_string() const { return kind_ == Kind::String; }
    bool is_number() const { return kind_ == Kind::Number; }
    bool is_bool() const { return kind_ == Kind::True || kind_ == Kind::False; }

    /// A string decoded; a number exactly as written; "true" or "false"; empty for anything else.
    std::string_view text() const;
    /// The elements of an array; empty for anything else.
    std::span<const Json> items() const;
    /// The members of an object, in the order written; empty for anything else.
    std::span<const Member> members() const;
    /// The member of that name; Absent when there is none or this is no object.
    Json operator[](std::string_view name) const;
    /// How many elements or members.
    std::size_t size() const { return is_array() || is_object() ? size_ : 0; }

    /// Same kinds, same texts, members in any order.
    bool operator==(const Json& other) const;

  private:
    friend class Arena;
    Kind kind_ = Kind::Absent;
    std::uint32_t size_ = 0;
    const void* data_ = nullptr;  ///< char, Json or Member, size_ of them
};

struct Member {
    std::string_view name;
    Json value;
};

/// Where values live. Values are never changed: an edit makes a new value that shares what it did
/// not touch, so that the old document stays whole.
class Arena {
  public:
    Arena();
    ~Arena();
    Arena(Arena&&) noexcept;
    Arena& operator=(Arena&&) noexcept;

    Json null();
    Json boolean(bool value);
    Json string(std::string_view text);     ///< copied
    Json number(std::string_view literal);  ///< copied; a JSON number, checked
    Json number(std::int64_t value);
    Json array(std::span<const Json> items);
    Json object(std::span<const Member> members);  ///< names copied
    Json object(std::initializer_list<Member> members);
    /// `object` with `name` set (in its place, or last), or removed when `value` is absent.
    Json with(Json object, std::string_view name, Json value);
    /// A copy that no longer points into another arena.
    Json copy(Json value);
    /// Parses text of at most UINT32_MAX bytes. Code::BadInput with line and column of what is
    /// wrong (never with the text): not UTF-8, not JSON, a name twice in one object, deeper than
    /// limits::kJsonDepthMax, something behind the end. `text` need not outlive the call.
    Result<Json> parse(std::string_view text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A value with the arena it lives in.
struct Document {
    Arena arena;
    Json root;
};
Result<Document> parse(std::string_view text);

/// Minified: no white space, numbers as they were written, strings escaped as little as JSON
/// allows.
std::string to_text(Json value);
/// The same, appended.
void append_text(Json value, std::string& out);

}  // namespace hygie::fhir
