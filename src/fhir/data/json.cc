#include "fhir/data/json.h"

#include <fmt/format.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/escape.h"

namespace hygie::fhir {

namespace {

/// Up to here, comparing every pair of names is faster than sorting them.
constexpr std::size_t kFewMembers = 16;
constexpr std::size_t kBlockBytesMin = 4 << 10;
constexpr std::size_t kBlockBytesMax = 1 << 20;

std::vector<const Member*> by_name(std::span<const Member> members) {
    std::vector<const Member*> sorted;
    sorted.reserve(members.size());
    for (const Member& member : members) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, &Member::name);
    return sorted;
}

bool has_duplicate(std::span<const Member> members) {
    if (members.size() > kFewMembers) {
        const auto sorted = by_name(members);
        return std::ranges::adjacent_find(sorted, {}, &Member::name) != sorted.end();
    }
    for (std::size_t i = 1; i < members.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j)
            if (members[i].name == members[j].name) return true;
    }
    return false;
}

bool same_members(Json left, Json right) {
    if (left.size() > kFewMembers) {
        const auto same = [](const Member* a, const Member* b) {
            return a->name == b->name && a->value == b->value;
        };
        return std::ranges::equal(by_name(left.members()), by_name(right.members()), same);
    }
    return std::ranges::all_of(
        left.members(), [&](const Member& member) { return member.value == right[member.name]; });
}

bool skip_digits(std::string_view& text) {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
}

bool skip_one_of(std::string_view& text, std::string_view set) {
    const bool is_there = !text.empty() && set.contains(text.front());
    text.remove_prefix(is_there ? 1 : 0);
    return is_there;
}

/// RFC 8259 §6.
bool is_number_literal(std::string_view text) {
    skip_one_of(text, "-");
    if (!skip_one_of(text, "0") && !skip_digits(text)) return false;
    if (skip_one_of(text, ".") && !skip_digits(text)) return false;
    if (skip_one_of(text, "eE")) {
        skip_one_of(text, "+-");
        if (!skip_digits(text)) return false;
    }
    return text.empty();
}

}  // namespace

std::string_view Json::text() const {
    switch (kind_) {
        case Kind::True:
            return "true";
        case Kind::False:
            return "false";
        case Kind::Number:
        case Kind::String:
            return {static_cast<const char*>(data_), size_};
        default:
            return {};
    }
}

std::span<const Json> Json::items() const {
    return is_array() ? std::span(static_cast<const Json*>(data_), size_) : std::span<const Json>();
}

std::span<const Member> Json::members() const {
    return is_object() ? std::span(static_cast<const Member*>(data_), size_)
                       : std::span<const Member>();
}

Json Json::operator[](std::string_view name) const {
    for (const Member& member : members())
        if (member.name == name) return member.value;
    return {};
}

bool Json::operator==(const Json& other) const {
    if (kind_ != other.kind_ || size_ != other.size_) return false;
    if (is_array()) return std::ranges::equal(items(), other.items());
    if (is_object()) return same_members(*this, other);
    return text() == other.text();
}

/// The memory, and how values are made in it.
struct Arena::State {
    struct Builder;

    std::vector<std::unique_ptr<char[]>> blocks;
    char* next = nullptr;
    std::size_t left = 0;
    std::size_t block_bytes = kBlockBytesMin;

    /// Every value is eight-aligned; texts waste a few bytes for it.
    void* take(std::size_t bytes) {
        bytes = (bytes + 7) & ~std::size_t{7};
        if (bytes > left) {
            if (bytes > block_bytes) return alone(bytes);
            next = alone(block_bytes);
            left = block_bytes;
            block_bytes = std::min(2 * block_bytes, kBlockBytesMax);
        }
        void* const place = next;
        next += bytes;
        left -= bytes;
        return place;
    }
    /// A block of its own.
    char* alone(std::size_t bytes) {
        return blocks.emplace_back(std::make_unique_for_overwrite<char[]>(bytes)).get();
    }

    std::string_view text(std::string_view from) {
        if (from.empty()) return {};
        void* const place = take(from.size());
        std::memcpy(place, from.data(), from.size());
        return {static_cast<const char*>(place), from.size()};
    }
    /// Copies `items`, Json or Member.
    template <typename Item>
    std::span<const Item> items(std::span<const Item> from) {
        if (from.empty()) return {};
        auto* const place = static_cast<Item*>(take(from.size_bytes()));
        std::uninitialized_copy(from.begin(), from.end(), place);
        return {place, from.size()};
    }

    static Json value(Json::Kind kind, const void* data = nullptr, std::size_t size = 0) {
        HYGIE_CHECK(size <= UINT32_MAX, "a JSON value too large to count");
        Json made;
        made.kind_ = kind;
        made.size_ = static_cast<std::uint32_t>(size);
        made.data_ = data;
        return made;
    }
    static Json value(Json::Kind kind, std::string_view text) {
        return value(kind, text.data(), text.size());
    }
    static Json array(std::span<const Json> items) {
        return value(Json::Kind::Array, items.data(), items.size());
    }
    static Json object(std::span<const Member> members) {
        return value(Json::Kind::Object, members.data(), members.size());
    }
};

/// Takes the events of RapidJSON. What is open waits on one stack: members of objects with their
/// names, items of arrays without.
struct Arena::State::Builder {
    enum class Refusal { None, TooDeep, Duplicate, BadText };

    State& arena;
    bool check_texts;
    Refusal refusal = Refusal::None;
    std::size_t depth = 0;
    std::string_view name{};
    std::vector<Member> stack{};
    std::vector<Json> scratch{};

    bool add(Json value) {
        stack.push_back({std::exchange(name, {}), value});
        return true;
    }
    bool refuse(Refusal why) {
        refusal = why;
        return false;
    }
    bool open() {
        if (++depth > limits::kJsonDepthMax) return refuse(Refusal::TooDeep);
        // The name of what opens waits under its members.
        return add({});
    }
    bool close(Json value, std::size_t count) {
        stack.resize(stack.size() - count);
        stack.back().value = value;
        --depth;
        return true;
    }
    std::span<const Member> top(std::size_t count) const {
        return std::span<const Member>(stack).last(count);
    }

    bool Null() { return add(value(Json::Kind::Null)); }
    bool Bool(bool is_true) { return add(value(is_true ? Json::Kind::True : Json::Kind::False)); }
    bool RawNumber(const char* text, unsigned size, bool) {
        return add(value(Json::Kind::Number, text, size));
    }
    bool String(const char* text, unsigned size, bool) {
        if (check_texts && !is_utf8({text, size})) return refuse(Refusal::BadText);
        return add(value(Json::Kind::String, text, size));
    }
    bool Key(const char* text, unsigned size, bool) {
        if (check_texts && !is_utf8({text, size})) return refuse(Refusal::BadText);
        name = {text, size};
        return true;
    }
    bool StartObject() { return open(); }
    bool EndObject(unsigned count) {
        if (has_duplicate(top(count))) return refuse(Refusal::Duplicate);
        return close(object(arena.items(top(count))), count);
    }
    bool StartArray() { return open(); }
    bool EndArray(unsigned count) {
        scratch.clear();
        for (const Member& item : top(count)) scratch.push_back(item.value);
        return close(array(arena.items(std::span<const Json>(scratch))), count);
    }
    // Never called: numbers come as they are written.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
};

namespace {

using Reader = rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>>;
/// Recursive is quicker than RapidJSON's iterative reader, and Builder limits the depth.
constexpr unsigned kReadFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;

Text what_is_wrong(rapidjson::ParseErrorCode code) {
    switch (code) {
        case rapidjson::kParseErrorDocumentEmpty:
            return {"il n’y a rien", "there is nothing"};
        case rapidjson::kParseErrorDocumentRootNotSingular:
            return {"il y a quelque chose après la fin", "there is something behind the end"};
        case rapidjson::kParseErrorObjectMissName:
            return {"il faut un nom entre guillemets", "a name in quotes is needed"};
        case rapidjson::kParseErrorObjectMissColon:
            return {"il manque « : »", "“:” is missing"};
        case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
            return {"il manque « , » ou « } »", "“,” or “}” is missing"};
        case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
            return {"il manque « , » ou « ] »", "“,” or “]” is missing"};
        case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
        case rapidjson::kParseErrorStringEscapeInvalid:
            return {"caractère interdit ou mal échappé", "a forbidden or badly escaped character"};
        case rapidjson::kParseErrorStringMissQuotationMark:
            return {"il manque un guillemet fermant", "a closing quote is missing"};
        case rapidjson::kParseErrorNumberTooBig:
            return {"nombre trop grand", "too large a number"};
        case rapidjson::kParseErrorNumberMissFraction:
        case rapidjson::kParseErrorNumberMissExponent:
            return {"nombre incomplet", "an incomplete number"};
        default:
            return {"il faut une valeur", "a value is needed"};
    }
}

std::unexpected<Error> bad_json(std::string_view text, std::size_t offset, const Text& why) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
    // rfind gives npos when there is none, and npos + 1 is where the text starts.
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
    return fail(
        Code::BadInput,
        {fmt::format("Ce n’est pas du JSON valable, ligne {}, octet {} : {}.", line, column,
                     why.fr),
         fmt::format("This is not valid JSON, line {}, byte {}: {}.", line, column, why.en)},
        {"Corrigez le texte à cet endroit.", "Correct the text at that place."});
}

}  // namespace

Arena::Arena() : state_(std::make_unique<State>()) {}
Arena::~Arena() = default;
Arena::Arena(Arena&&) noexcept = default;
Arena& Arena::operator=(Arena&&) noexcept = default;

Json Arena::null() {
    return State::value(Json::Kind::Null);
}

Json Arena::boolean(bool value) {
    return State::value(value ? Json::Kind::True : Json::Kind::False);
}

Json Arena::string(std::string_view text) {
    return State::value(Json::Kind::String, state_->text(text));
}

Json Arena::number(std::string_view literal) {
    HYGIE_CHECK(is_number_literal(literal), "a number that JSON cannot write");
    return State::value(Json::Kind::Number, state_->text(literal));
}

Json Arena::number(std::int64_t value) {
    return number(std::string_view(fmt::format_int(value).c_str()));
}

Json Arena::array(std::span<const Json> items) {
    return State::array(state_->items(items));
}

Json Arena::object(std::span<const Member> members) {
    std::vector<Member> named(members.begin(), members.end());
    for (Member& member : named) member.name = state_->text(member.name);
    HYGIE_CHECK(!has_duplicate(named), "an object with one name twice");
    return State::object(state_->items(std::span<const Member>(named)));
}

Json Arena::object(std::initializer_list<Member> members) {
    return object(std::span(members.begin(), members.size()));
}

Json Arena::with(Json object, std::string_view name, Json value) {
    const auto old = object.members();
    std::vector<Member> members(old.begin(), old.end());
    const auto place = std::ranges::find(members, name, &Member::name);
    if (place == members.end()) {
        if (value) members.push_back({state_->text(name), value});
    } else if (value) {
        place->value = value;
    } else {
        members.erase(place);
    }
    return State::object(state_->items(std::span<const Member>(members)));
}

Json Arena::copy(Json value) {
    if (value.is_array()) {
        std::vector<Json> items;
        items.reserve(value.size());
        for (const Json item : value.items()) items.push_back(copy(item));
        return array(items);
    }
    if (value.is_object()) {
        std::vector<Member> members;
        members.reserve(value.size());
        for (const Member& member : value.members())
            members.push_back({state_->text(member.name), copy(member.value)});
        return State::object(state_->items(std::span<const Member>(members)));
    }
    if (value.is_string() || value.is_number())
        return State::value(value.kind(), state_->text(value.text()));
    return value;
}

Result<Json> Arena::parse(std::string_view text) {
    if (text.size() > UINT32_MAX)
        return bad_json({}, 0, {"plus de 4 Gio de texte", "more than 4 GiB of text"});
    if (!is_utf8(text))
        return bad_json({}, 0, {"le texte n’est pas en UTF-8", "the text is not UTF-8"});
    // The values will point into this copy, where the reader decodes what is escaped.
    char* const copy = state_->alone(text.size() + 1);
    std::ranges::copy(text, copy);
    copy[text.size()] = '\0';

    using Refusal = State::Builder::Refusal;
    // This RapidJSON lets the second half of a surrogate pair stand alone.
    State::Builder builder{.arena = *state_, .check_texts = text.contains("\\u")};
    builder.stack.reserve(64);
    rapidjson::InsituStringStream stream(copy);
    Reader reader;
    const auto result = reader.Parse<kReadFlags>(stream, builder);
    switch (builder.refusal) {
        case Refusal::None:
            break;
        case Refusal::TooDeep:
            return bad_json(text, result.Offset(), {"trop d’imbrications", "nested too deep"});
        case Refusal::Duplicate:
            return bad_json(text, result.Offset(),
                            {"un nom est donné deux fois dans l’objet qui finit là",
                             "a name is given twice in the object that ends there"});
        case Refusal::BadText:
            return bad_json(text, result.Offset(),
                            what_is_wrong(rapidjson::kParseErrorStringEscapeInvalid));
    }
    if (result.IsError()) return bad_json(text, result.Offset(), what_is_wrong(result.Code()));
    // A zero byte ends the reader's stream.
    if (stream.Tell() != text.size())
        return bad_json(text, stream.Tell(),
                        what_is_wrong(rapidjson::kParseErrorDocumentRootNotSingular));
    return builder.stack.front().value;
}

Result<Document> parse(std::string_view text) {
    Document document;
    document.root = TRY(document.arena.parse(text));
    return document;
}

void append_text(Json value, std::string& out) {
    char separator = '\0';
    const auto separate = [&] {
        if (separator != '\0') out += separator;
        separator = ',';
    };
    switch (value.kind()) {
        case Json::Kind::Absent:
        case Json::Kind::Null:
            out += "null";
            break;
        case Json::Kind::String:
            append_json_string(out, value.text());
            break;
        case Json::Kind::Array:
            out += '[';
            for (const Json item : value.items()) {
                separate();
                append_text(item, out);
            }
            out += ']';
            break;
        case Json::Kind::Object:
            out += '{';
            for (const Member& member : value.members()) {
                separate();
                append_json_string(out, member.name);
                out += ':';
                append_text(member.value, out);
            }
            out += '}';
            break;
        default:
            out += value.text();
    }
}

std::string to_text(Json value) {
    std::string out;
    append_text(value, out);
    return out;
}

}  // namespace hygie::fhir
