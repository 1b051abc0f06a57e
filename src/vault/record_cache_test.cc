#include "vault/record_cache.h"

#include <gtest/gtest.h>

#include "fhir/data/schema.h"

namespace hygie::vault {
namespace {

std::shared_ptr<const Record> record(CompartmentNumber number, const std::string& patient) {
    return std::make_shared<const Record>(number, crypto::Secret32(), patient);
}

std::string patient_of(Result<std::shared_ptr<const Record>> found) {
    return std::string((*found)->patient());
}

TEST(RecordCache, LoadsOnce) {
    RecordCache cache(1 << 20, Growth::WithUse);
    int loads = 0;
    const auto load = [&]() -> Result<std::shared_ptr<const Record>> {
        ++loads;
        return record(1, "a");
    };
    EXPECT_EQ(patient_of(cache.get(1, load)), "a");
    EXPECT_EQ(patient_of(cache.get(1, load)), "a");
    EXPECT_EQ(loads, 1);
    cache.drop(1);
    EXPECT_EQ(patient_of(cache.get(1, load)), "a");
    EXPECT_EQ(loads, 2);
}

TEST(RecordCache, GivesWhatWasPublishedWhileItLoaded) {
    RecordCache cache(1 << 20, Growth::WithUse);
    EXPECT_EQ(patient_of(cache.get(1,
                                   [&]() -> Result<std::shared_ptr<const Record>> {
                                       cache.publish(record(1, "new"));
                                       return record(1, "old");
                                   })),
              "new");
}

/// Even when there is no room to keep what was published.
TEST(RecordCache, NeverKeepsWhatWasLoadedBeforeADrop) {
    RecordCache cache(1 << 20, Growth::WithUse);
    int loads = 0;
    const auto load = [&]() -> Result<std::shared_ptr<const Record>> {
        if (++loads == 1) {
            cache.publish(record(1, "new"));
            cache.drop(1);
            return record(1, "old");
        }
        return fail(Code::Erased, {"", ""});
    };
    EXPECT_EQ(cache.get(1, load).error().code, Code::Erased);
    EXPECT_EQ(loads, 2);
}

TEST(RecordCache, LetsGoOfWhatWasUsedLeast) {
    RecordCache cache(3 * record(0, "")->bytes() + 100, Growth::WithUse);
    int loads = 0;
    const auto ask = [&](CompartmentNumber number) {
        EXPECT_TRUE(cache.get(number, [&]() -> Result<std::shared_ptr<const Record>> {
            ++loads;
            return record(number, "x");
        }));
    };
    // Of one shard, so that they meet.
    for (const CompartmentNumber number : {16UL, 32UL, 48UL, 16UL, 64UL}) ask(number);
    EXPECT_EQ(loads, 4);
    ask(16);
    EXPECT_EQ(loads, 4);
    ask(32);
    EXPECT_EQ(loads, 5);
}

/// Many that are asked for once, an export or a night's round, do not push out what is asked for
/// all day.
TEST(RecordCache, KeepsWhatIsAskedForWhileOthersPassThrough) {
    RecordCache cache(3 * record(0, "")->bytes() + 100, Growth::None);
    int loads = 0;
    const auto ask = [&](CompartmentNumber number) {
        EXPECT_TRUE(cache.get(number, [&]() -> Result<std::shared_ptr<const Record>> {
            loads += number == 16;
            return record(number, "x");
        }));
    };
    for (CompartmentNumber other = 32; other < 3200; other += 16) {
        ask(16);
        ask(other);
    }
    EXPECT_EQ(loads, 1);
}

/// As it comes from the disk: its values are opened by whoever searches in it.
std::shared_ptr<const Record> stored_record(CompartmentNumber number) {
    const std::string letters(10'000, 'x');
    const fhir::IndexedResource patient{
        .entry = {.type = "Patient", .id = "a", .version = 1},
        .rows = {{fhir::find_search_param("Patient", "family")->number, 0,
                  fhir::Words{letters, letters}}}};
    const Piece piece = make_piece(fhir::Segment::build(std::span(&patient, 1)),
                                   std::make_shared<const Relations>());
    auto stored = decode_piece(1, encode_piece(piece, "a"));
    return std::make_shared<const Record>(
        Record(number, crypto::Secret32(), "a").with(std::move(stored->piece)));
}

TEST(RecordCache, CountsWhatASearchOpensOfARecordThatIsNeverAskedForAgain) {
    RecordCache cache(3 * stored_record(0)->bytes(), Growth::WithUse);
    int loads = 0;
    const auto search_in = [&](CompartmentNumber number) {
        const auto record = cache.get(number, [&]() -> Result<std::shared_ptr<const Record>> {
            ++loads;
            return stored_record(number);
        });
        EXPECT_EQ((*record)->index().pieces()[0].segment->resources().size(), 1U);
    };
    // Of one shard. Closed, both would fit.
    for (const CompartmentNumber number : {16UL, 32UL, 16UL}) search_in(number);
    EXPECT_EQ(loads, 3);
}

TEST(RecordCache, PassesAFailureOnAndKeepsNothing) {
    RecordCache cache(1 << 20, Growth::WithUse);
    const auto failing = []() -> Result<std::shared_ptr<const Record>> {
        return fail(Code::Io, {"", ""});
    };
    EXPECT_EQ(cache.get(1, failing).error().code, Code::Io);
    EXPECT_EQ(patient_of(cache.get(
                  1, []() -> Result<std::shared_ptr<const Record>> { return record(1, "a"); })),
              "a");
}

}  // namespace
}  // namespace hygie::vault
