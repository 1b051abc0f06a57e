#include "access/accounts/otp.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/sim_random.h"

namespace hygie::access {
namespace {

const Bytes kSecret = to_bytes(as_bytes("12345678901234567890"));

WallTime at(std::int64_t seconds) {
    return WallTime(std::chrono::seconds(seconds));
}

/// RFC 6238 appendix B, SHA-1: the last six of its eight digits.
TEST(Otp, GivesTheCodesOfTheStandard) {
    const std::vector<std::pair<std::int64_t, std::string>> vectors = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (const auto& [seconds, code] : vectors)
        EXPECT_EQ(otp_code(kSecret, otp_step(at(seconds))), code);
}

RC_GTEST_PROP(Otp, AcceptsOneStepAroundNowAndNeverTwice, ()) {
    const auto now = static_cast<std::uint64_t>(*rc::gen::inRange(100, 1'000'000'000));
    const auto shift = *rc::gen::inRange(-4, 5);
    const std::uint64_t step = otp_step(at(static_cast<std::int64_t>(now))) +
                               static_cast<std::uint64_t>(std::int64_t{shift});
    const std::string code = otp_code(kSecret, step);
    const auto matched = match_otp(kSecret, code, at(static_cast<std::int64_t>(now)), 0);
    if (shift >= -1 && shift <= 1) {
        RC_ASSERT(matched == step);
        RC_ASSERT(!match_otp(kSecret, code, at(static_cast<std::int64_t>(now)), step));
    } else if (matched) {
        RC_ASSERT(otp_code(kSecret, *matched) == code);  // one in a million by chance
    }
}

TEST(Otp, RefusesWhatIsNoCode) {
    for (const char* bad : {"", "28708", "2870820", "abcdef", "28708２"})
        EXPECT_FALSE(match_otp(kSecret, bad, at(59), 0)) << bad;
    EXPECT_TRUE(match_otp(kSecret, "287 082", at(59), 0)) << "as applications show it";
}

TEST(Otp, TellsAuthenticatorsWhatTheyNeed) {
    EXPECT_EQ(otp_address(kSecret, "Hygie cabinet", "anne@x"),
              "otpauth://totp/Hygie%20cabinet:anne%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
              "&issuer=Hygie%20cabinet&algorithm=SHA1&digits=6&period=30");
}

TEST(Otp, MakesRecoveryCodesThatReadHoweverTheyAreTyped) {
    sim::SimRandom random(3);
    const std::vector<std::string> codes = make_recovery_codes(random);
    ASSERT_EQ(codes.size(), kRecoveryCodes);
    std::set<std::string> hashes;
    for (const std::string& code : codes) {
        EXPECT_EQ(code.size(), 14U) << code;
        std::string typed = code;
        std::erase(typed, '-');
        for (char& c : typed) c = static_cast<char>(std::toupper(c));
        EXPECT_EQ(recovery_hash(typed), recovery_hash(code));
        EXPECT_EQ(recovery_hash(" " + code + " "), recovery_hash(code));
        hashes.insert(recovery_hash(code));
    }
    EXPECT_EQ(hashes.size(), kRecoveryCodes);
}

}  // namespace
}  // namespace hygie::access
