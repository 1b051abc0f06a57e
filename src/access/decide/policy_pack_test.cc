#include "access/decide/policy_pack.h"

#include <gtest/gtest.h>

#include <array>

namespace hygie::access {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(PolicyPack, TheDefaultIsWholeAndClosedToThoseItDoesNotName) {
    const Policy& policy = default_policy();
    EXPECT_EQ(policy.row_of(Role::Care, "10").name, "physician");
    EXPECT_EQ(policy.row_of(Role::Care, "").name, "care");
    EXPECT_EQ(policy.row_of(Role::Desk, "10").name, "desk");
    EXPECT_EQ(policy.row_of(Role::Desk, "").read, kAdministrative);
    EXPECT_EQ(policy.row_of(Role::Operations, "").read, 0);
    EXPECT_EQ(policy.row_of(Role::Program, "").read, 0);
    EXPECT_EQ(policy.row_of(Role::Patient, "").write, 0);
    EXPECT_EQ(policy.break_glass_seconds, kBreakGlassSecondsMax);
}

TEST(PolicyPack, RefusesWhatIsMissingUnknownDoubledOrOutOfBounds) {
    const std::string text(default_policy_text());
    ASSERT_TRUE(parse_policy(text));
    const std::pair<std::string_view, std::string_view> changes[] = {
        {"hygie-policy/1", "hygie-policy/2"},
        {"\"version\": 1", "\"version\": 0"},
        {"\"version\": 1", "\"version\": 1, \"version\": 2"},
        {"\"version\": 1", "\"version\": 1, \"more\": 2"},
        {"\"version\": 1,", ""},
        {"2026-01-01", "soon"},
        {"\"60m\"", "\"61m\""},
        {"\"motive_chars\": 15", "\"motive_chars\": 14"},
        {"\"codes\": [\"50\"]", "\"codes\": [\"10\"]"},
        {"\"Identity\", \"Agenda\"", "\"Identity\", \"Identity\""},
        {"\"Identity\", \"Agenda\"", "\"Identity\", \"Everything\""},
        {"\"Opposition\": {\"before\": \"0s\"", "\"Opposition\": {\"before\": \"1h\""},
        {"\"delegation_depth\": 2", "\"delegation_depth\": 4"},
        {"\"slow\": 3", "\"slow\": 7"},
        {"\"CareTeam\"", "\"Team\""},
    };
    for (const auto& [from, to] : changes) {
        const auto parsed = parse_policy(replaced(text, from, to));
        ASSERT_FALSE(parsed) << from << " → " << to;
        EXPECT_EQ(parsed.error().code, Code::BadInput);
    }
    EXPECT_FALSE(parse_policy(""));
    EXPECT_FALSE(parse_policy("[]"));
}

TEST(PolicyPack, OnlyATrustedKeySignsAndOnlyTheseBytes) {
    const auto key =
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{7}));
    const auto other =
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{8}));
    const std::string text(default_policy_text());
    const std::string signature = sign_policy(text, key);
    const crypto::PublicKey trusted[] = {key.public_key()};
    EXPECT_TRUE(check_signature(text, signature, trusted));
    EXPECT_FALSE(check_signature(text + " ", signature, trusted));
    EXPECT_FALSE(check_signature(text, sign_policy(text, other), trusted));
    EXPECT_FALSE(check_signature(text, signature, {}));
    for (std::size_t cut = 0; cut < signature.size(); ++cut)
        EXPECT_FALSE(check_signature(text, std::string_view(signature).substr(0, cut), trusted));
}

}  // namespace
}  // namespace hygie::access
