#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "fhir/schema.h"
#include "fhir/segment_data.h"
#include "fhir/segment_spelling.h"

namespace hygie::fhir {
namespace {

using namespace spelling;

class Encoder {
  public:
    explicit Encoder(const Segment::Data& data) : data_(data), numbers_(data.text_ends.size(), 0) {
        numbers_[0] = ++count_;  // the empty text
    }

    Bytes payload() {
        entries();
        columns();
        Writer all;
        for (const auto& stream : streams_) all.number(stream.out.size());
        for (const auto& stream : streams_) append(all.out, stream.out);
        return std::move(all.out);
    }

  private:
    Writer& to(Stream stream) { return streams_[stream]; }

    /// A text by its number in the order of first use, from 1; or 0 and the text itself.
    void text(Stream stream, TextId id) {
        to(stream).number(numbers_[id]);
        if (numbers_[id] != 0) return;
        numbers_[id] = ++count_;
        spell(data_.text(id));
    }
    void spell(std::string_view text) {
        const bool uuid = is_uuid(text);
        const bool digits = !uuid && text.size() > 2 &&
                            text.find_first_not_of(kNumberLetters) == std::string_view::npos;
        const auto spelling = uuid ? Spelling::Uuid : digits ? Spelling::Number : Spelling::Plain;
        to(Texts).number(text.size() << 2 | static_cast<std::uint64_t>(spelling));
        if (uuid) {
            spell_uuid(text);
        } else if (digits) {
            spell_number(text);
        } else {
            append(to(Letters).out, as_bytes(text));
        }
    }
    void spell_uuid(std::string_view text) {
        std::string digits(text);
        std::erase(digits, '-');
        const auto bytes = from_hex(digits);
        HYGIE_CHECK(bytes.has_value(), "a UUID would lose digits");
        append(to(Uuids).out, *bytes);
    }
    void spell_number(std::string_view text) {
        const auto nibble = [&](std::size_t i) {
            return i < text.size() ? kNumberLetters.find(text[i]) : std::size_t{0};
        };
        for (std::size_t i = 0; i < text.size(); i += 2) {
            to(Numbers).out.push_back(static_cast<std::uint8_t>(nibble(i) << 4 | nibble(i + 1)));
        }
    }

    void entries() {
        auto& out = to(Entries);
        to(Shape).number(data_.types.size());
        std::int64_t updated = 0;
        std::int64_t body = 0;
        for (const auto& type : data_.types) {
            text(Shape, type.name);
            to(Shape).number(type.end - type.first);
        }
        for (const auto& entry : data_.entries) {
            const bool hash = entry.body_hash != decltype(entry.body_hash){};
            const auto time = entry.updated.time_since_epoch().count();
            const auto place = static_cast<std::int64_t>(entry.body);
            text(Entries, entry.id);
            out.number(std::uint64_t{entry.version} << 2 | (hash ? kHasHash : 0) |
                       (entry.deleted ? kDeleted : 0));
            out.difference(minus(time, updated));
            out.difference(minus(place, body));
            if (hash) append(to(Uuids).out, entry.body_hash);
            updated = time;
            body = place;
        }
    }

    void columns() {
        to(Shape).number(data_.columns.size());
        std::uint16_t type = 0;
        for (const auto& column : data_.columns) {
            to(Shape).number(std::uint64_t{static_cast<std::uint16_t>(column.type - type)} << 3 |
                             static_cast<std::uint64_t>(column.kind));
            type = column.type;
            to(Shape).number(column.param);
            to(Shape).number(column.end_value - column.first_value);
            date_ = {};
            for (auto value = column.first_value; value < column.end_value; ++value) {
                cell(column.kind, column.first_cell + (value - column.first_value));
                postings(value, data_.types[column.type].first);
            }
        }
    }
    void postings(std::uint32_t value, std::uint32_t first) {
        const auto places = data_.postings_of(value);
        to(Cells).number(places.size());
        auto last = first;
        for (const auto place : places) {
            to(Postings).number(place - last);
            last = place + 1;
        }
    }

    void cell(CellKind kind, std::uint32_t at) {
        switch (kind) {
            case CellKind::Token: {
                const auto& token = data_.tokens[at];
                to(Cells).number(static_cast<std::uint64_t>(token.scope));
                for (const auto id : {token.code, token.system, token.text}) text(Cells, id);
                break;
            }
            case CellKind::Date:
                date(data_.dates[at]);
                break;
            case CellKind::Amount:
                amount(data_.amounts[at]);
                break;
            case CellKind::Words:
                text(Cells, data_.words[at].text);
                break;
            case CellKind::Uri:
                text(Cells, data_.uris[at]);
                break;
            case CellKind::Reference: {
                const auto& reference = data_.references[at];
                text(Cells, reference.type);
                text(Cells, reference.id);
                text(Cells, reference.identifier_system);
                text(Cells, reference.identifier_value);
                break;
            }
            case CellKind::Composite: {
                const auto& composite = data_.composites[at];
                to(Cells).number(composite.end - composite.first);
                for (auto i = composite.first; i < composite.end; ++i) {
                    to(Cells).number(static_cast<std::uint64_t>(data_.parts[i].kind));
                    cell(data_.parts[i].kind, data_.parts[i].cell);
                }
                break;
            }
        }
    }
    void date(const DateRange& date) {
        // Counted in steps: the first one, and how many up to the one behind the last.
        const auto spell = [&](DateStep step, std::int64_t unit, std::int64_t end) {
            to(Cells).number(static_cast<std::uint64_t>(step));
            to(Cells).difference(minus(date.first, date_) / unit);
            to(Cells).difference(minus(end, date.first) / unit);
            date_ = date.first;
        };
        const auto fits = [&](std::int64_t unit) {
            return date.first != kDateOpenStart && date.last != kDateOpenEnd &&
                   date.first % unit == 0 && (date.last + 1) % unit == 0 && date_ % unit == 0;
        };
        if (fits(kUnitsPerDay)) return spell(DateStep::Day, kUnitsPerDay, date.last + 1);
        if (fits(kUnitsPerSecond)) return spell(DateStep::Second, kUnitsPerSecond, date.last + 1);
        const bool instant = date.first == date.last && date.first % kUnitsPerMilli == 0;
        if (instant && date_ % kUnitsPerMilli == 0) {
            return spell(DateStep::Milli, kUnitsPerMilli, date.last);
        }
        spell(DateStep::Exact, 1, date.last);
    }
    void amount(const AmountCell& amount) {
        decimal(data_.numbers[amount.low]);
        to(Cells).number(amount.low == amount.high ? 0 : 1);
        if (amount.low != amount.high) decimal(data_.numbers[amount.high]);
        for (const auto id : {amount.system, amount.code, amount.unit}) text(Cells, id);
    }
    void decimal(const Decimal& value) {
        const auto written = value.text();
        to(Cells).number(written.size());
        spell_number(written);
    }

    const Segment::Data& data_;
    std::array<Writer, kStreams> streams_;
    std::vector<std::uint32_t> numbers_;  ///< per text of the segment; 0: not used yet
    std::uint32_t count_ = 0;
    std::int64_t date_ = 0;
};

constexpr int kLevel = 6;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Bytes compressed(ByteView payload) {
    static const ZSTD_CDict* const dictionary = ZSTD_createCDict(
        spelling::well_known_letters().data(), spelling::well_known_letters().size(), kLevel);
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    Bytes out(ZSTD_compressBound(payload.size()));
    const auto size = ZSTD_compress_usingCDict(context.get(), out.data(), out.size(),
                                               payload.data(), payload.size(), dictionary);
    HYGIE_CHECK(ZSTD_isError(size) == 0, "an index that cannot be stored would be lost");
    out.resize(size);
    return out;
}

}  // namespace

Bytes encode(const Segment& segment) {
    const Bytes payload = Encoder(segment.data()).payload();
    HYGIE_CHECK(payload.size() <= kPayloadBytesMax, "what is written must be readable");
    Bytes out(kHeadBytes);
    out[0] = kFormat;
    store_be(&out[1], definitions_version());
    append(out, compressed(payload));
    return out;
}

Bytes encode(std::span<const IndexedResource> resources) {
    return encode(Segment::build(resources));
}

}  // namespace hygie::fhir
