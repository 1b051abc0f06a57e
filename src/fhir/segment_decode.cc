#include <zstd.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "fhir/schema.h"
#include "fhir/segment_data.h"
#include "fhir/segment_spelling.h"

namespace hygie::fhir {
namespace {

using namespace spelling;

class Decoder {
  public:
    std::unique_ptr<Segment::Data> data(ByteView payload) {
        texts_.push_back(data_->add_text({}));
        Reader head{payload};
        std::array<std::uint64_t, kStreams> sizes{};
        for (auto& size : sizes) size = head.number();
        for (std::size_t i = 0; i < kStreams; ++i) streams_[i].in = head.take(sizes[i]);
        if (!head.good || !head.in.empty()) return nullptr;
        reserve();
        entries();
        columns();
        for (const auto& stream : streams_) {
            if (!stream.good || !stream.in.empty()) return nullptr;
        }
        if (!in_order()) return nullptr;
        for (auto& words : data_->words) fold_words(words);
        give_back();
        return std::move(data_);
    }

  private:
    /// What the streams cannot exceed: a text, a value and a posting take a byte each at least.
    void reserve() {
        data_->chars.reserve(from(Letters).in.size() + 2 * from(Numbers).in.size() +
                             (from(Uuids).in.size() / kUuidBytes + 1) * kUuidText);
        data_->text_ends.reserve(from(Texts).in.size() + 1);
        texts_.reserve(from(Texts).in.size() + 1);
        data_->postings.reserve(from(Postings).in.size());
    }
    /// Records are kept in memory by their bytes: none is held in reserve.
    void give_back() {
        auto& d = *data_;
        d.chars.shrink_to_fit();
        const auto shrink = [](auto&... arrays) { (arrays.shrink_to_fit(), ...); };
        shrink(d.text_ends, d.entries, d.types, d.columns, d.posting_ends, d.postings, d.tokens,
               d.dates, d.amounts, d.numbers, d.words, d.uris, d.references, d.composites, d.parts);
    }

    Reader& from(Stream stream) { return streams_[stream]; }

    TextId text(Stream stream) {
        const auto number = from(stream).below(texts_.size() + 1);
        if (number != 0) return texts_[number - 1];
        const auto head = from(Texts).number();
        const auto id = spelled(static_cast<Spelling>(head & 3), head >> 2);
        texts_.push_back(id);
        return id;
    }
    TextId spelled(Spelling spelling, std::size_t size) {
        switch (spelling) {
            case Spelling::Plain:
                return size == 0 ? 0 : data_->add_text(as_text(from(Letters).take(size)));
            case Spelling::Uuid: {
                constexpr std::string_view kDigits = "0123456789abcdef";
                const ByteView bytes = from(Uuids).take(kUuidBytes);
                if (size != kUuidText || bytes.size() != kUuidBytes) break;
                std::array<char, kUuidText> letters;
                std::size_t at = 0;
                for (const auto byte : bytes) {
                    if (is_dash_place(at)) letters[at++] = '-';
                    letters[at++] = kDigits[byte >> 4];
                    letters[at++] = kDigits[byte & 15];
                }
                return data_->add_text({letters.data(), letters.size()});
            }
            case Spelling::Number:
                return data_->add_text(number_spelled(size));
        }
        from(Texts).fail();
        return 0;
    }
    std::string number_spelled(std::size_t size) {
        std::string letters;
        for (const auto byte : from(Numbers).take((size + 1) / 2)) {
            for (const int nibble : {byte >> 4, byte & 15}) {
                const auto letter = static_cast<std::size_t>(nibble);
                if (letter >= kNumberLetters.size()) {
                    from(Numbers).fail();
                } else if (letters.size() < size) {
                    letters += kNumberLetters[letter];
                }
            }
        }
        return letters;
    }

    void entries() {
        const auto types = from(Shape).count();
        std::uint32_t end = 0;
        for (std::uint32_t i = 0; i < types; ++i) {
            const auto name = text(Shape);
            const auto first = end;
            end += from(Shape).below(from(Entries).in.size() + 1 - end);
            data_->types.push_back({name, first, end});
        }
        auto& in = from(Entries);
        std::int64_t updated = 0;
        std::int64_t body = 0;
        for (std::uint32_t i = 0; i < end && in.good; ++i) {
            EntryCell entry{};
            entry.id = text(Entries);
            const auto flags = in.number();
            if (flags >> 34 != 0) in.fail();
            entry.version = static_cast<std::uint32_t>(flags >> 2);
            entry.deleted = (flags & kDeleted) != 0;
            updated = plus(updated, in.difference());
            body = plus(body, in.difference());
            entry.updated = WallTime{Micros{updated}};
            entry.body = static_cast<std::uint64_t>(body);
            if ((flags & kHasHash) != 0) {
                const auto hash = from(Uuids).take(entry.body_hash.size());
                std::ranges::copy(hash, entry.body_hash.begin());
            }
            data_->entries.push_back(entry);
        }
    }

    void columns() {
        const auto columns = from(Shape).count();
        std::uint64_t type = 0;
        for (std::uint32_t i = 0; i < columns && from(Shape).good; ++i) {
            const auto head = from(Shape).number();
            type += head >> 3;
            const auto kind = head & 7;
            const auto param = from(Shape).below(UINT16_MAX + 1U);
            const auto values = from(Shape).below(from(Cells).in.size() + 1);
            if (type >= data_->types.size() || !is_kind(kind)) {
                from(Shape).fail();
                return;
            }
            const auto first = static_cast<std::uint32_t>(data_->posting_ends.size());
            const auto cell_kind = static_cast<CellKind>(kind);
            data_->columns.push_back({static_cast<std::uint16_t>(type),
                                      static_cast<std::uint16_t>(param), cell_kind, first,
                                      first + values, cells(cell_kind)});
            date_ = 0;
            for (std::uint32_t value = 0; value < values && from(Cells).good; ++value) {
                if (cell_kind == CellKind::Composite) {
                    composite();
                } else {
                    cell(cell_kind);
                }
                postings(data_->types[type]);
            }
        }
    }
    static bool is_kind(std::uint64_t kind) {
        return kind <= static_cast<std::uint64_t>(CellKind::Composite);
    }
    void postings(const TypeRange& type) {
        const auto count = from(Cells).below(from(Postings).in.size() + 1);
        std::uint64_t place = type.first;
        for (std::uint32_t i = 0; i < count; ++i) {
            place += from(Postings).below(type.end);
            if (place >= type.end) {
                from(Postings).fail();
                return;
            }
            data_->postings.push_back(static_cast<std::uint32_t>(place++));
        }
        data_->posting_ends.push_back(static_cast<std::uint32_t>(data_->postings.size()));
    }

    void cell(CellKind kind) {
        auto& in = from(Cells);
        switch (kind) {
            case CellKind::Token: {
                const auto scope = in.below(3);
                const auto code = text(Cells);
                const auto system = text(Cells);
                data_->tokens.push_back(
                    {code, system, text(Cells), static_cast<Token::Scope>(scope)});
                break;
            }
            case CellKind::Date:
                data_->dates.push_back(date());
                break;
            case CellKind::Amount:
                data_->amounts.push_back(amount());
                break;
            case CellKind::Words:
                data_->words.push_back({0, text(Cells)});
                break;
            case CellKind::Uri:
                data_->uris.push_back(text(Cells));
                break;
            case CellKind::Reference: {
                const auto type = text(Cells);
                const auto id = text(Cells);
                const auto system = text(Cells);
                data_->references.push_back({type, id, system, text(Cells)});
                break;
            }
            case CellKind::Composite:
                in.fail();
                break;
        }
    }
    void composite() {
        const auto count = from(Cells).below(kCompositePartsMax + 1);
        std::vector<PartCell> parts;
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto kind = from(Cells).below(static_cast<std::uint64_t>(CellKind::Composite));
            parts.push_back({static_cast<CellKind>(kind), cells(static_cast<CellKind>(kind))});
            cell(static_cast<CellKind>(kind));
        }
        const auto first = static_cast<std::uint32_t>(data_->parts.size());
        data_->parts.insert(data_->parts.end(), parts.begin(), parts.end());
        data_->composites.push_back({first, first + count});
    }
    DateRange date() {
        constexpr std::array kUnits{std::int64_t{1}, kUnitsPerMilli, kUnitsPerSecond, kUnitsPerDay};
        auto& in = from(Cells);
        const auto step = in.below(kUnits.size());
        std::int64_t start = 0;
        std::int64_t length = 0;
        if (__builtin_mul_overflow(in.difference(), kUnits[step], &start)) in.fail();
        if (__builtin_mul_overflow(in.difference(), kUnits[step], &length)) in.fail();
        date_ = plus(date_, start);
        const auto end = plus(date_, length);
        return {date_, step >= static_cast<std::uint32_t>(DateStep::Second) ? minus(end, 1) : end};
    }
    AmountCell amount() {
        const auto low = decimal();
        const auto high = from(Cells).below(2) == 0 ? low : decimal();
        const auto system = text(Cells);
        const auto code = text(Cells);
        return {low, high, system, code, text(Cells)};
    }
    std::uint32_t decimal() {
        const auto size = from(Cells).number();
        const auto value = Decimal::parse(number_spelled(size));
        if (!value) from(Cells).fail();
        data_->numbers.push_back(value.value_or(Decimal()));
        return static_cast<std::uint32_t>(data_->numbers.size() - 1);
    }
    void fold_words(WordsCell& words) {
        const auto written = data_->text(words.text);
        const auto folded = fold(written);
        words.folded = folded == written ? words.text : data_->add_text(folded);
    }

    std::uint32_t cells(CellKind kind) const { return data_->cell_count(kind); }

    /// Whether searching by halves finds what is there.
    bool in_order() const {
        const auto& d = *data_;
        const auto name = [&](const TypeRange& type) { return d.text(type.name); };
        const auto id = [&](const EntryCell& entry) { return d.text(entry.id); };
        if (std::ranges::adjacent_find(d.types, std::ranges::greater_equal(), name) !=
            d.types.end())
            return false;
        for (const auto& type : d.types) {
            const auto own = std::span(d.entries).subspan(type.first, type.end - type.first);
            if (std::ranges::adjacent_find(own, std::ranges::greater_equal(), id) != own.end())
                return false;
        }
        const auto column = [](const Column& c) { return std::tuple{c.type, c.param, c.kind}; };
        if (std::ranges::adjacent_find(d.columns, std::ranges::greater_equal(), column) !=
            d.columns.end())
            return false;
        return std::ranges::all_of(d.columns, [&](const Column& c) {
            if (c.kind != CellKind::Date) return true;
            const auto dates =
                std::span(d.dates).subspan(c.first_cell, c.end_value - c.first_value);
            return std::ranges::is_sorted(dates);
        });
    }

    std::unique_ptr<Segment::Data> data_ = std::make_unique<Segment::Data>();
    std::array<Reader, kStreams> streams_;
    std::vector<TextId> texts_;  ///< in the order of first use
    std::int64_t date_ = 0;
};

std::unexpected<Error> corrupt() {
    return fail(
        Code::Corrupt, {"Un index scellé ne se relit pas.", "A sealed index does not read back."},
        {"Reconstruire l'index depuis les documents.", "Make the index anew from the documents."});
}

struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<Bytes> decompressed(ByteView bytes) {
    static const ZSTD_DDict* const dictionary = ZSTD_createDDict(
        spelling::well_known_letters().data(), spelling::well_known_letters().size());
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size > kPayloadBytesMax ||
        ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()) != bytes.size()) {
        return corrupt();
    }
    Bytes out(size);
    const auto done = ZSTD_decompress_usingDDict(context.get(), out.data(), out.size(),
                                                 bytes.data(), bytes.size(), dictionary);
    if (ZSTD_isError(done) != 0 || done != size) return corrupt();
    return out;
}

}  // namespace

Result<Segment> decode(ByteView bytes) {
    if (bytes.size() < kHeadBytes || bytes[0] != kFormat) return corrupt();
    if (load_be<std::uint64_t>(&bytes[1]) != definitions_version()) {
        return fail(Code::Stale,
                    {"Un index a été fait avec d'autres définitions FHIR.",
                     "An index was made with other FHIR definitions."},
                    {"Reconstruire l'index depuis les documents.",
                     "Make the index anew from the documents."});
    }
    const Bytes payload = TRY(decompressed(bytes.subspan(kHeadBytes)));
    auto data = Decoder().data(payload);
    if (!data) return corrupt();
    return Segment(std::move(data));
}

}  // namespace hygie::fhir
