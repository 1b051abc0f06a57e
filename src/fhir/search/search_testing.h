#pragma once

#include <rapidcheck.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "fhir/data/json.h"
#include "fhir/search/search_extract.h"
#include "fhir/search/search_run.h"
#include "fhir/search/segment.h"

/// Small random records for the tests of search. All texts are literals: views stay good.
namespace hygie::fhir::testing {

template <typename T>
T one_of(std::initializer_list<T> values) {
    return *rc::gen::elementOf(std::vector<T>(values));
}

inline std::string_view any_text() {
    return one_of<std::string_view>(
        {"", "a", "A", "Martin", "MARTIN", "martin-dupont", "Müller", "Cœur", "12", "1.50",
         "http://loinc.org", "8310-5", "0b2c1a3e-8d4f-4b6a-9c7d-1e2f3a4b5c6d",
         "0B2C1A3E-8D4F-4B6A-9C7D-1E2F3A4B5C6D", "99999999-9999-9999-9999-999999999999"});
}

inline DateRange any_date() {
    const auto unit = one_of<std::int64_t>(
        {1, 7, 20'000, 20'000'000, 20'000'000LL * 86'400, 20'000'000LL * 86'400 * 30});
    const auto first = unit * *rc::gen::inRange<std::int64_t>(-50, 50);
    const auto length = unit * *rc::gen::inRange<std::int64_t>(0, 4);
    DateRange range{first, length == 0 ? first : first + length - 1};
    if (*rc::gen::inRange(0, 10) == 0) range.first = kDateOpenStart;
    if (*rc::gen::inRange(0, 10) == 0) range.last = kDateOpenEnd;
    return range;
}

inline Decimal any_decimal() {
    return *Decimal::parse(one_of<std::string_view>(
        {"0", "-1", "5", "5.0", "5.000", "0.002", "99.5", "100", "100.5", "36.6", "1e2",
         "23.45678901234567890123", "-12345678901234567890.5"}));
}

inline SearchValue any_value() {
    switch (*rc::gen::inRange(0, 6)) {
        case 0:
            return Token{any_text(), any_text(),
                         one_of({Token::Scope::None, Token::Scope::Given, Token::Scope::Implied}),
                         any_text()};
        case 1:
            return any_date();
        case 2: {
            const auto low = any_decimal();
            const auto high = any_decimal();
            const bool range = *rc::gen::arbitrary<bool>();
            return Amount{low, range ? std::max(low, high) : low, any_text(), any_text(),
                          any_text()};
        }
        case 3:
            return Words{{}, any_text()};
        case 4:
            return Uri{any_text()};
        default:
            return Reference{any_text(), any_text(), any_text(), any_text()};
    }
}

inline ResourceEntry any_entry() {
    ResourceEntry entry;
    entry.type = one_of<std::string_view>({"Observation", "Patient", "Encounter"});
    entry.id =
        one_of<std::string_view>({"1", "2", "3", "0b2c1a3e-8d4f-4b6a-9c7d-1e2f3a4b5c6d", "Z"});
    entry.version = *rc::gen::inRange<std::uint32_t>(1, 1'000'000'000);
    entry.updated = WallTime{Micros{*rc::gen::inRange<std::int64_t>(-9'000'000, 9'000'000'000)}};
    entry.body = *rc::gen::arbitrary<std::uint64_t>();
    entry.deleted = *rc::gen::inRange(0, 5) == 0;
    return entry;
}

inline std::vector<IndexedResource> any_resources() {
    std::vector<IndexedResource> out;
    const auto count = *rc::gen::inRange(0, 8);
    for (int i = 0; i < count; ++i) {
        IndexedResource resource{any_entry(), {}};
        const auto rows = *rc::gen::inRange(0, 6);
        for (int row = 0; row < rows; ++row) {
            const auto param = *rc::gen::inRange<std::uint16_t>(0, 4);
            if (*rc::gen::inRange(0, 4) == 0) {
                resource.rows.push_back({param, 1, any_value()});
                resource.rows.push_back({param, 2, any_value()});
            } else {
                resource.rows.push_back({param, 0, any_value()});
            }
        }
        out.push_back(std::move(resource));
    }
    return out;
}

/// Resources as a compartment, and searches in it.
class Shelf {
  public:
    /// Adds a piece with these resources, in JSON.
    void add(std::initializer_list<std::string_view> texts) {
        std::vector<Json> resources;
        for (const auto text : texts) resources.push_back(parsed(text));
        add(resources);
    }
    void add(std::span<const Json> resources) {
        std::vector<IndexedResource> indexed;
        for (const Json resource : resources) {
            IndexedResource one;
            one.entry.type = resource["resourceType"].text();
            one.entry.id = resource["id"].text();
            one.entry.version = ++version_;
            one.entry.updated = WallTime{Micros{std::int64_t{1'000'000} * version_}};
            one.rows = extract(resource);
            indexed.push_back(std::move(one));
        }
        const auto read = decode(encode(indexed));
        HYGIE_CHECK(read.has_value(), "what was written must be readable");
        compartment =
            compartment.with(std::make_shared<const Segment>(Segment::build(read->resources())));
    }

    Json parsed(std::string_view text) {
        auto parsed = arena_.parse(text);
        HYGIE_CHECK(parsed.has_value(), "a test is wrong");
        return *parsed;
    }

    Compartment compartment;

  private:
    Arena arena_;
    std::uint32_t version_ = 0;
};

/// "a=b&c=d", nothing encoded.
inline std::vector<QueryParameter> parameters_of(std::string_view text) {
    std::vector<QueryParameter> out;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto equals = part.find('=');
        out.push_back({std::string(part.substr(0, equals)), std::string(part.substr(equals + 1))});
    }
    return out;
}

}  // namespace hygie::fhir::testing
