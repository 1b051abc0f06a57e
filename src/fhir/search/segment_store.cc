#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>

#include "base/check.h"
#include "fhir/data/schema.h"
#include "fhir/search/segment_data.h"
#include "fhir/search/segment_slice.h"
#include "fhir/search/segment_spelling.h"

namespace hygie::fhir {
namespace spelling {
namespace {

constexpr int kLevel = 6;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

Bytes packed(ByteView payload) {
    static const ZSTD_CDict* const dictionary =
        ZSTD_createCDict(well_known_letters().data(), well_known_letters().size(), kLevel);
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    Bytes out(ZSTD_compressBound(payload.size()));
    const auto size = ZSTD_compress_usingCDict(context.get(), out.data(), out.size(),
                                               payload.data(), payload.size(), dictionary);
    HYGIE_CHECK(ZSTD_isError(size) == 0, "an index that cannot be stored would be lost");
    out.resize(size);
    return out;
}

std::optional<Bytes> unpacked(ByteView frame) {
    static const ZSTD_DDict* const dictionary =
        ZSTD_createDDict(well_known_letters().data(), well_known_letters().size());
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size > kPayloadBytesMax) return std::nullopt;  // as are errors and unknown sizes
    Bytes out(static_cast<std::size_t>(size));
    const auto done = ZSTD_decompress_usingDDict(context.get(), out.data(), out.size(),
                                                 frame.data(), frame.size(), dictionary);
    if (done != out.size()) return std::nullopt;
    return out;
}

}  // namespace spelling

namespace {

using namespace spelling;

constexpr std::uint8_t kSlice = 0x80;  ///< in the place of the format: ids are not in order

/// The two hexadecimal digits of each byte.
constexpr auto kDigits = [] {
    constexpr std::string_view kOne = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> digits{};
    for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = {kOne[i >> 4], kOne[i & 15]};
    return digits;
}();

/// Where the digits of each byte of a UUID stand.
constexpr std::array<std::size_t, kUuidBytes> kPlaces = {0,  2,  4,  6,  9,  11, 14, 16,
                                                         19, 21, 24, 26, 28, 30, 32, 34};

void put_id(Writer& out, std::string_view id) {
    const bool uuid = is_uuid(id);
    out.number(id.size() << 1 | static_cast<std::uint64_t>(uuid));
    if (!uuid) return append(out.out, as_bytes(id));
    const auto digit = [&](std::size_t place) {
        const auto letter = static_cast<unsigned>(id[place]);
        return letter <= '9' ? letter - '0' : letter - 'a' + 10;
    };
    std::array<std::uint8_t, kUuidBytes> bytes;
    for (std::size_t i = 0; i < kUuidBytes; ++i)
        bytes[i] = static_cast<std::uint8_t>(digit(kPlaces[i]) << 4 | digit(kPlaces[i] + 1));
    append(out.out, bytes);
}

/// Writes the letters of a UUID: most of what it takes to open a record.
void spell(ByteView uuid, char* out) {
    for (std::size_t i = 0; i < kUuidBytes; ++i)
        std::memcpy(out + kPlaces[i], kDigits[uuid[i]].data(), 2);
    for (const std::size_t dash : {8UL, 13UL, 18UL, 23UL}) out[dash] = '-';
}

void take_id(Reader& in, std::string& letters) {
    const auto head = in.number();
    if ((head & 1) == 0) {
        letters += as_text(in.take(head >> 1));
        return;
    }
    const ByteView uuid = in.take(kUuidBytes);
    if (head >> 1 != kUuidText || uuid.size() != kUuidBytes) in.fail();
    if (!in.good) return;
    std::array<char, kUuidText> text;
    spell(uuid, text.data());
    letters.append(text.data(), text.size());
}

void put_entries(Writer& out, const Entries& entries) {
    std::int64_t updated = 0;
    std::int64_t body = 0;
    for (std::size_t i = 0; i < entries.cells.size(); ++i) {
        const EntryCell& entry = entries.cells[i];
        const auto time = entry.updated.time_since_epoch().count();
        const auto place = static_cast<std::int64_t>(entry.body);
        put_id(out, entries.id(i));
        out.number(entry.flags);
        out.difference(minus(time, updated));
        out.difference(minus(place, body));
        updated = time;
        body = place;
    }
}

void take_entries(Reader& in, std::size_t count, Entries& entries) {
    entries.cells.reserve(count);
    entries.letters.reserve(count * kUuidText);
    std::int64_t updated = 0;
    std::int64_t body = 0;
    for (std::size_t i = 0; i < count && in.good; ++i) {
        take_id(in, entries.letters);
        const auto flags = in.below(std::uint64_t{UINT32_MAX} + 1);
        updated = plus(updated, in.difference());
        body = plus(body, in.difference());
        entries.cells.push_back({WallTime{Micros{updated}}, static_cast<std::uint64_t>(body),
                                 static_cast<std::uint32_t>(entries.letters.size()), flags});
    }
}

/// Whether searching by halves finds what is there.
bool in_order(const Segment::Data& data) {
    for (std::size_t i = 1; i < data.types.size(); ++i)
        if (data.types[i - 1].name >= data.types[i].name) return false;
    for (const TypeRange& type : data.types) {
        std::string_view last;
        for (auto i = type.first; i < type.end; ++i) {
            const std::string_view id = data.entries.id(i);
            if (i > type.first && last >= id) return false;
            last = id;
        }
    }
    return true;
}

/// The types, their entries, and where the section of each is; false when the bytes are none. Their
/// order is the caller's to check.
bool take_all(ByteView bytes, Segment::Data& data) {
    Reader in{bytes};
    const auto types = in.count();
    data.types.reserve(types);
    std::vector<std::size_t> sizes;
    sizes.reserve(types);
    std::uint32_t end = 0;
    for (std::uint32_t i = 0; i < types && in.good; ++i) {
        std::string name(as_text(in.take(in.count())));
        const auto first = end;
        end += in.below(bytes.size() + 1 - end);
        data.types.push_back({std::move(name), first, end, {}});
        sizes.push_back(in.count());
    }
    take_entries(in, end, data.entries);
    data.stored = to_bytes(in.in);
    Reader sections{data.stored};
    for (std::size_t i = 0; i < sizes.size(); ++i) data.types[i].packed = sections.take(sizes[i]);
    data.open = std::make_unique<std::atomic<const Section*>[]>(types);
    return in.good && sections.good && sections.in.empty();
}

/// The texts of a value.
template <typename Note>
void for_each_text(const SearchValue& value, const Note& note) {
    const auto all = [&](auto... texts) { (note(texts), ...); };
    struct Visit {
        decltype(all)& of;
        void operator()(const Token& v) const { of(v.code, v.system, v.text); }
        void operator()(const DateRange&) const {}
        void operator()(const Amount& v) const { of(v.system, v.code, v.unit); }
        void operator()(const Words& v) const { of(v.folded, v.text); }
        void operator()(const Uri& v) const { of(v.text); }
        void operator()(const Reference& v) const {
            of(v.type, v.id, v.identifier_system, v.identifier_value);
        }
    };
    std::visit(Visit{all}, value);
}

/// The section of a type as it is stored; empty when it has no values.
Bytes packed_section(const Segment::Data& data, std::size_t type) {
    if (!data.types[type].packed.empty()) return to_bytes(data.types[type].packed);
    const Section* section = data.section(type);
    return section == nullptr ? Bytes() : packed(section->payload());
}

Bytes spelled(std::span<const TypeRange> types, const Entries& entries,
              std::span<const Bytes> sections) {
    Writer out;
    out.out.resize(kFrontBytes);
    out.out[0] = kFormat;
    store_be(&out.out[1], definitions_version());
    out.number(types.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
        out.number(types[i].name.size());
        append(out.out, as_bytes(types[i].name));
        out.number(types[i].end - types[i].first);
        out.number(sections[i].size());
    }
    put_entries(out, entries);
    for (const Bytes& section : sections) append(out.out, section);
    return std::move(out.out);
}

/// Which ids of the entries are texts of a section's values: they are read where they lie.
std::vector<bool> named_ids(const Section* section, const Entries& entries) {
    std::vector<bool> named(entries.cells.size(), false);
    const std::less<const char*> before;
    const char* const first = entries.letters.data();
    const char* const end = first + entries.letters.size();
    const auto note = [&](std::string_view text) {
        if (text.empty() || before(text.data(), first) || !before(text.data(), end)) return;
        const auto place = static_cast<std::uint32_t>(text.data() - first);
        const auto entry = std::ranges::upper_bound(entries.cells, place, {}, &EntryCell::id_end);
        named[static_cast<std::size_t>(entry - entries.cells.begin())] = true;
    };
    for (const Column& column : section == nullptr ? std::span<const Column>() : section->columns())
        for (Values values(*section, column); values.next();)
            for (const SearchValue& value : values.parts()) for_each_text(value, note);
    return named;
}

std::unexpected<Error> corrupt() {
    return fail(
        Code::Corrupt, {"Un index scellé ne se relit pas.", "A sealed index does not read back."},
        {"Reconstruire l'index depuis les documents.", "Make the index anew from the documents."});
}

std::unexpected<Error> stale() {
    return fail(
        Code::Stale,
        {"Un index a été fait avec d'autres définitions FHIR.",
         "An index was made with other FHIR definitions."},
        {"Reconstruire l'index depuis les documents.", "Make the index anew from the documents."});
}

}  // namespace

Bytes encode(const Segment& segment) {
    const Segment::Data& data = segment.data();
    std::vector<Bytes> sections;
    for (std::size_t i = 0; i < data.types.size(); ++i) sections.push_back(packed_section(data, i));
    return spelled(data.types, data.entries, sections);
}

Bytes slice(const Segment& segment, std::string_view type) {
    const Segment::Data& data = segment.data();
    const std::size_t place = data.type_named(type);
    if (place == data.types.size()) return {};
    const TypeRange& range = data.types[place];
    const std::vector<bool> named = named_ids(data.section(place), data.entries);
    Entries kept;
    for (std::size_t i = 0; i < data.entries.cells.size(); ++i) {
        const bool own = range.first <= i && i < range.end;
        if (own || named[i]) kept.letters += data.entries.id(i);
        kept.cells.push_back(own ? data.entries.cells[i] : EntryCell{WallTime{}, 0, 0, kDeleted});
        kept.cells.back().id_end = static_cast<std::uint32_t>(kept.letters.size());
    }
    std::vector<Bytes> sections(data.types.size());
    sections[place] = packed_section(data, place);
    Bytes slice = spelled(data.types, kept, sections);
    slice[0] = kSlice;
    slice.shrink_to_fit();
    return slice;
}

Bytes encode(std::span<const IndexedResource> resources) {
    return encode(Segment::build(resources));
}

Result<Segment> decode(ByteView bytes) {
    if (bytes.size() < kFrontBytes) return corrupt();
    const bool is_slice = bytes[0] == kSlice;
    if (!is_slice && (bytes[0] == 0 || bytes[0] > kFormat)) return corrupt();
    if (bytes[0] < kFormat || load_be<std::uint64_t>(&bytes[1]) != definitions_version())
        return stale();
    auto data = std::make_unique<Segment::Data>();
    if (!take_all(bytes.subspan(kFrontBytes), *data)) return corrupt();
    if (!is_slice && !in_order(*data)) return corrupt();
    return Segment(std::move(data));
}

}  // namespace hygie::fhir
