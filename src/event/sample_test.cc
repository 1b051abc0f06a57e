#include "event/sample.h"

#include <gtest/gtest.h>

#include <map>

#include "event/codec.h"
#include "event/ndjson.h"
#include "event/test_origin.h"
#include "event/uuid.h"

namespace hygie::event {
namespace {

constexpr int kMany = 20'000;

TEST(Sample, one_seed_gives_one_stream) {
    Sampler one(7);
    Sampler same(7);
    Sampler other(8);
    int differ = 0;
    for (int i = 0; i < 1000; ++i) {
        const Event event = one.next();
        EXPECT_EQ(event, same.next());
        differ += event != other.next();
    }
    EXPECT_GT(differ, 900);
    EXPECT_EQ(Sampler(7).next().time, Sampler::kSampleStart);
}

TEST(Sample, every_event_can_be_sealed_and_printed) {
    Sampler sampler(1);
    TestOrigin origin;
    WallTime last{};
    for (int i = 0; i < kMany; ++i) {
        const Event event = sampler.next();
        std::string line;
        print_line(event, line);
        ASSERT_EQ(parse_line(line, origin.origin()).value(), event) << line;
        ASSERT_TRUE(encode_body(event)) << line;
        ASSERT_EQ(event.counter, 0u);
        ASSERT_TRUE(parse_uuid(event.id));
        ASSERT_GE(event.time, last);
        last = event.time;
    }
}

TEST(Sample, looks_like_a_hospital) {
    Sampler sampler(2);
    std::map<Type, int> types;
    std::map<std::string, int> actors;
    std::map<std::string, int> patients;
    std::size_t bytes = 0;
    for (int i = 0; i < kMany; ++i) {
        const Event event = sampler.next();
        ++types[event.type];
        if (!event.actor.id.empty()) ++actors[event.actor.id.str()];
        if (!event.subject.patient.empty()) ++patients[event.subject.patient.str()];
        bytes += encode_body(event)->size();
    }
    const int writes = types[Type::RecordCreated] + types[Type::RecordUpdated];
    EXPECT_GT(types[Type::RecordRead], 5 * writes);
    EXPECT_GT(types[Type::RecordSearched], writes);
    EXPECT_GT(types[Type::SignedIn], 0);
    EXPECT_GT(types[Type::MailHeld], 0);
    EXPECT_GT(types[Type::BreakGlass], 0);
    EXPECT_GT(types[Type::FileChanged], 0);
    // A few are very busy, many hardly appear.
    int busiest = 0;
    for (const auto& [id, count] : actors) busiest = std::max(busiest, count);
    EXPECT_GT(busiest, 8 * kMany / static_cast<int>(actors.size()));
    EXPECT_GT(actors.size(), 500u);
    EXPECT_GT(patients.size(), 1000u);
    EXPECT_GT(bytes / kMany, 120u);
    EXPECT_LT(bytes / kMany, 260u);
}

TEST(Sample, identifiers_are_well_formed_and_nobodys) {
    Sampler sampler(3);
    for (int i = 0; i < 2000; ++i) {
        const Event event = sampler.next();
        if (const auto& rpps = event.actor.id.str(); !rpps.empty()) {
            ASSERT_EQ(rpps.size(), 11u);
            ASSERT_TRUE(rpps.starts_with("99700"));
            int sum =
                0;  // Luhn: doubling every second digit from the right gives a multiple of ten
            for (std::size_t k = 0; k < rpps.size(); ++k) {
                const int digit = (rpps[rpps.size() - 1 - k] - '0') * (k % 2 == 1 ? 2 : 1);
                sum += digit / 10 + digit % 10;
            }
            ASSERT_EQ(sum % 10, 0) << rpps;
        }
        if (const auto& ins = event.subject.patient.str(); !ins.empty()) {
            ASSERT_EQ(ins.size(), 15u);
            ASSERT_EQ(ins.substr(7, 3), "990");
            ASSERT_EQ((std::stoull(ins.substr(0, 13)) + std::stoull(ins.substr(13))) % 97, 0u);
        }
    }
}

}  // namespace
}  // namespace hygie::event
