#include "fhir/search/segment.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "fhir/search/search_testing.h"
#include "fhir/search/segment_slice.h"

namespace hygie::fhir {
namespace {

using testing::any_resources;

/// Comparable: rows in an order of their own, folded texts left out.
std::vector<std::tuple<std::uint16_t, std::uint8_t, SearchValue>> rows_of(
    const IndexedResource& resource) {
    std::vector<std::tuple<std::uint16_t, std::uint8_t, SearchValue>> out;
    for (const auto& row : resource.rows) {
        SearchValue value = row.value;
        if (auto* words = std::get_if<Words>(&value)) words->folded = {};
        out.emplace_back(row.param, row.part, value);
    }
    // A composite keeps its parts together: it sorts by all of them.
    std::ranges::sort(out);
    const auto doubles = std::ranges::unique(out);
    out.erase(doubles.begin(), doubles.end());
    return out;
}

void expect_same(const std::vector<IndexedResource>& left,
                 const std::vector<IndexedResource>& right) {
    RC_ASSERT(left.size() == right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
        RC_ASSERT(left[i].entry == right[i].entry);
        RC_ASSERT(rows_of(left[i]) == rows_of(right[i]));
    }
}

/// What a piece must hold: of each resource the highest version, without rows when deleted.
std::vector<IndexedResource> newest_of(const std::vector<IndexedResource>& all) {
    std::map<std::pair<std::string_view, std::string_view>, IndexedResource> newest;
    for (const auto& resource : all) {
        const auto name = std::pair{resource.entry.type, resource.entry.id};
        const auto found = newest.find(name);
        if (found == newest.end() || found->second.entry.version <= resource.entry.version) {
            newest[name] = resource;
        }
    }
    std::vector<IndexedResource> out;
    for (auto& [name, resource] : newest) {
        if (resource.entry.deleted) resource.rows.clear();
        out.push_back(std::move(resource));
    }
    return out;
}

/// One with many values.
std::vector<IndexedResource> an_observation() {
    const SearchParam* code = find_search_param("Observation", "code");
    std::vector<IndexedResource> one{
        {.entry = {.type = "Observation", .id = "o", .version = 1}, .rows = {}}};
    for (const std::string_view text : {"a", "b", "c", "d", "e", "f"})
        one.front().rows.push_back(
            {code->number, 0, Token{text, "urn:system", Token::Scope::Given, text}});
    return one;
}

TEST(Segment, KeepsTheNewestOfEachResource) {
    EXPECT_TRUE(rc::check([] {
        const auto given = any_resources();
        expect_same(newest_of(given), Segment::build(given).resources());
    }));
}

TEST(Segment, ReadsBackWhatWasWritten) {
    EXPECT_TRUE(rc::check([] {
        const auto built = Segment::build(any_resources());
        const auto bytes = encode(built);
        const auto read = decode(bytes);
        RC_ASSERT(read.has_value());
        expect_same(built.resources(), read->resources());
        RC_ASSERT(encode(*read) == bytes);
    }));
}

TEST(Segment, ASliceHoldsAllOfItsTypeAndNothingElse) {
    EXPECT_TRUE(rc::check([] {
        const auto built = Segment::build(any_resources());
        const auto stored = decode(encode(built));
        RC_ASSERT(stored.has_value());
        for (std::size_t i = 0; i < built.size(); ++i) {
            const auto type = built.entry(i).type;
            for (const Segment* segment : {&built, &*stored}) {
                const auto bytes = slice(*segment, type);
                RC_ASSERT(bytes.size() <= encode(built).size() + built.size() * 20);
                const auto read = decode(bytes);
                RC_ASSERT(read.has_value());
                expect_same(built.resources(type), read->resources(type));
                const auto [first, end] = read->range_of(type);
                for (std::size_t k = 0; k < read->size(); ++k)
                    RC_ASSERT((first <= k && k < end) || read->entry(k).deleted);
            }
        }
        RC_ASSERT(slice(built, "Nothing").empty());
    }));
}

TEST(Segment, RefusesBytesCutAnywhere) {
    EXPECT_TRUE(rc::check([] {
        auto bytes = encode(any_resources());
        const auto kept = *rc::gen::inRange<std::size_t>(0, bytes.size());
        bytes.resize(kept);
        RC_ASSERT(decode(bytes).error().code == Code::Corrupt || kept >= 9);
        RC_ASSERT(!decode(bytes).has_value());
    }));
}

TEST(Segment, ValuesThatDoNotReadBackAreSaidToBeDamaged) {
    EXPECT_TRUE(rc::check([] {
        auto bytes = encode(any_resources());
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ *rc::gen::inRange(1, 255));
        // Whatever is met, nothing stops the process.
        if (const auto read = decode(bytes)) RC_ASSERT(read->resources().size() == read->size());
    }));
    auto bytes = encode(an_observation());
    std::fill(bytes.end() - 8, bytes.end(), std::uint8_t{0});
    const auto read = decode(bytes);
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->is_damaged()) << "until its values are asked for";
    EXPECT_EQ(read->resources().size(), 1U);
    EXPECT_TRUE(read->is_damaged());
}

TEST(Segment, SaysWhenItWasMadeWithOtherDefinitions) {
    auto bytes = encode(std::vector<IndexedResource>{});
    bytes[8] ^= 1;
    EXPECT_EQ(decode(bytes).error().code, Code::Stale);
    bytes[0] = 99;
    EXPECT_EQ(decode(bytes).error().code, Code::Corrupt);
    EXPECT_FALSE(decode({}).has_value());
}

TEST(Segment, FindsEntriesByTypeAndId) {
    EXPECT_TRUE(rc::check([] {
        const auto built = Segment::build(any_resources());
        for (std::size_t i = 0; i < built.size(); ++i) {
            const auto entry = built.entry(i);
            RC_ASSERT(built.find(entry.type, entry.id) == i);
            const auto [first, end] = built.range_of(entry.type);
            RC_ASSERT(first <= i && i < end);
        }
        RC_ASSERT(!built.find("Observation", "nobody").has_value());
        RC_ASSERT(!built.find("Nothing", "1").has_value());
    }));
}

TEST(Compartment, ShowsPiecesAsTheirMerge) {
    EXPECT_TRUE(rc::check([] {
        Compartment pieces;
        std::vector<IndexedResource> all;
        const auto count = *rc::gen::inRange(0, 5);
        for (int i = 0; i < count; ++i) {
            const auto more = any_resources();
            pieces = pieces.with(std::make_shared<const Segment>(Segment::build(more)));
            all.insert(all.end(), more.begin(), more.end());
        }
        const auto merged = pieces.merged();
        expect_same(newest_of(all), merged.resources());
        std::size_t live = 0;
        for (const auto& resource : newest_of(all)) {
            const auto& entry = resource.entry;
            RC_ASSERT(pieces.find(entry.type, entry.id) == entry);
            const auto listed = pieces.entries(entry.type);
            RC_ASSERT(std::ranges::count(listed, entry) == (entry.deleted ? 0 : 1));
            live += entry.deleted ? 0 : 1;
        }
        RC_ASSERT(pieces.entries("").size() == live);
        RC_ASSERT(pieces.live_count() == live);
    }));
}

TEST(Fold, MakesCaseAccentsAndLigaturesPlain) {
    EXPECT_EQ(fold("Müller"), "muller");
    EXPECT_EQ(fold("MU\xCC\x88LLER"), "muller");  // u and a combining diaeresis
    EXPECT_EQ(fold("Straße"), "strasse");
    EXPECT_EQ(fold("Cœur"), "coeur");
    EXPECT_EQ(fold("  Jean-Pierre   d’Arc "), "jean pierre d arc");
    EXPECT_EQ(fold("Jean\tPierre D'ARC"), "jean pierre d arc");
    EXPECT_EQ(fold("Ǆ ﬁ Ⅷ"), "dz fi viii");
    EXPECT_EQ(fold(""), "");
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const auto once = fold(text);
        RC_ASSERT(fold(once) == once);
    }));
}

TEST(Dates, CoverAllThatTheyMayMean) {
    const auto day = parse_date("1980-05-11");
    const auto month = parse_date("1980-05");
    const auto second = parse_date("1980-05-11T16:32:15Z");
    ASSERT_TRUE(day && month && second);
    EXPECT_LT(month->first, day->first);
    EXPECT_GT(month->last, day->last);
    EXPECT_EQ(day->last - day->first + 1, 86'400LL * 1'000'000 * kDateUnitsPerMicro);
    EXPECT_EQ(second->last - second->first + 1, 1'000'000LL * kDateUnitsPerMicro);
    EXPECT_EQ(parse_date("1980-05-11T18:32:15+02:00"), second);
    const auto instant = parse_date("1980-05-11T16:32:15.5Z");
    const auto finer = parse_date("1980-05-11T16:32:15.5000001Z");
    ASSERT_TRUE(instant && finer);
    EXPECT_EQ(instant->first, instant->last);
    EXPECT_EQ(finer->first, instant->first + 2);
    EXPECT_EQ(parse_date("1980-12")->last + 1, parse_date("1981")->first);
    EXPECT_TRUE(parse_date("9999-12-31T23:59:59Z"));
    EXPECT_TRUE(parse_date("1980-05-11T16:32"));
    for (const auto* wrong : {"", "198", "1980-13", "1980-02-30", "yesterday", "1980-05-11T25:00",
                              "1980-05-11T", "1980-05-11T16", "1980-05-11T16Z"}) {
        EXPECT_FALSE(parse_date(wrong)) << wrong;
    }
}

TEST(References, KeepTypeAndIdWithoutVersion) {
    EXPECT_EQ(parse_reference("Patient/1"), (Reference{"Patient", "1"}));
    EXPECT_EQ(parse_reference("Patient/1/_history/2"), (Reference{"Patient", "1"}));
    for (const auto* other : {"http://elsewhere/fhir/Patient/1", "urn:uuid:1", "Nothing/1",
                              "Patient/", "Patient", "Patient/1/x", ""}) {
        EXPECT_EQ(parse_reference(other), (Reference{"", other}));
    }
}

}  // namespace
}  // namespace hygie::fhir
