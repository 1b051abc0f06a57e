#include "ledger/proofs/policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hygie::ledger {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kNow = 1'790'000'000;

NoteSigner signer(const std::string& name, KeyType type, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return {name, type, crypto::SigningKey::from_seed(crypto::Secret32(bytes))};
}

NoteSigner witness(std::uint8_t number) {
    return signer(fmt::format("w{}.example", number), KeyType::Cosignature, number);
}

std::string key(std::uint8_t number) {
    return witness(number).verifier().str();
}

const NoteSigner& log_signer() {
    static const NoteSigner log = signer("log.example", KeyType::Ed25519, 100);
    return log;
}

std::string policy_text(const std::string& rule, std::uint8_t witnesses = 6) {
    std::string text = fmt::format("log {}\n", log_signer().verifier().str());
    for (std::uint8_t i = 1; i <= witnesses; ++i)
        text += fmt::format("witness W{} {}\n", i, key(i));
    return text + rule;
}

SignedCheckpoint checkpoint(
    const std::vector<std::pair<std::uint8_t, std::uint64_t>>& cosigners = {}) {
    SignedCheckpoint made = sign_checkpoint({"log.example", 5, {}, {}}, log_signer());
    for (const auto& [number, time] : cosigners)
        made.note.signatures.push_back(witness(number).cosign(made.note.text, time));
    return made;
}

const Moment kMoment{WallTime(std::chrono::seconds(kNow)), std::nullopt};

Code refusal(const Policy& policy, const SignedCheckpoint& made, const Moment& moment = kMoment) {
    const auto judged = policy.judge(made, moment);
    EXPECT_FALSE(judged);
    return judged ? Code::Busy : judged.error().code;
}

TEST(Policy, TheExampleOfTheSpecification) {
    const auto policy = Policy::parse(policy_text("# two levels\n"
                                                  "group X-witnesses 2 W1 W2 W3\n"
                                                  " \tgroup Y-witnesses any W4 W5 W6 \n\n"
                                                  "group X-and-Y all X-witnesses\tY-witnesses\n"
                                                  "quorum X-and-Y\n"))
                            .value();
    EXPECT_TRUE(policy.judge(checkpoint({{1, kNow}, {3, kNow}, {5, kNow}}), kMoment));
    EXPECT_EQ(refusal(policy, checkpoint({{1, kNow}, {2, kNow}, {3, kNow}})), Code::Forged);
    EXPECT_EQ(refusal(policy, checkpoint({{1, kNow}, {5, kNow}, {6, kNow}})), Code::Forged);
    EXPECT_EQ(refusal(policy, checkpoint()), Code::Forged);
}

TEST(Policy, ErrorsNameTheLine) {
    const auto line_of = [](const std::string& rule) {
        const auto policy = Policy::parse(policy_text(rule));
        return policy ? std::string("accepted") : policy.error().what.en.substr(0, 15);
    };
    const std::string log = log_signer().verifier().str();
    for (const std::string& bad : {std::string("quorum nobody\n"),
                                   std::string("quorum\n"),
                                   std::string("quorum none none\n"),
                                   std::string("nonsense\n"),
                                   std::string("group G 0 W1\n"),
                                   std::string("group G 2 W1\n"),
                                   std::string("group G 01 W1\n"),
                                   std::string("group G -1 W1\n"),
                                   std::string("group G any\n"),
                                   std::string("group G any W9\n"),
                                   std::string("group G any G\n"),
                                   std::string("group G any W1 W1\n"),
                                   std::string("group none any W1\n"),
                                   std::string("group W1 any W2\n"),
                                   std::string("group G any none\n"),
                                   "log " + log + "\n",
                                   std::string("log\n"),
                                   std::string("log x\n"),
                                   "log " + log + " url more\n",
                                   "witness W7 " + key(1) + "\n",
                                   "witness W1 " + key(7) + "\n",
                                   "witness none " + key(7) + "\n",
                                   "witness W7 " + log + "\n",
                                   std::string("witness W7\n"),
                                   std::string("quorum none\r\n"),
                                   std::string("quorum none"),
                                   std::string("\x01\n"),
                                   std::string("\x7f\n")})
        EXPECT_EQ(line_of(bad), "policy, line 8:") << bad;
    EXPECT_EQ(line_of("quorum none\nquorum none\n"), "policy, line 9:");
    EXPECT_EQ(line_of("group A any W1\ngroup B any W1\n"), "policy, line 9:");
    EXPECT_FALSE(Policy::parse(policy_text("")));
    EXPECT_FALSE(Policy::parse(""));
    EXPECT_FALSE(Policy::parse(std::string(kPolicyBytesMax + 1, '\n')));
    EXPECT_TRUE(Policy::parse("quorum none\n"));
    EXPECT_TRUE(Policy::parse(policy_text("group h\xff any W1\nquorum h\xff\n")));
    EXPECT_NE(Policy::parse("x\n").error().what.fr, Policy::parse("x\n").error().what.en);
}

TEST(Policy, TheSameKeyUnderAnotherNameIsADuplicate) {
    const auto renamed = signer("other.example", KeyType::Cosignature, 1).verifier().str();
    EXPECT_FALSE(Policy::parse(policy_text("witness W7 " + renamed + "\nquorum none\n")));
    const auto log = signer("other.example", KeyType::Ed25519, 100).verifier().str();
    EXPECT_FALSE(Policy::parse(policy_text("log " + log + "\nquorum none\n")));
}

TEST(Policy, OneWitnessCountsOnceHoweverOftenItSigned) {
    const auto policy = Policy::parse(policy_text("group G 2 W1 W2 W3\nquorum G\n")).value();
    EXPECT_EQ(refusal(policy, checkpoint({{1, kNow}, {1, kNow - 1}, {1, kNow - 2}})), Code::Forged);
    const auto judged =
        policy.judge(checkpoint({{1, kNow - 9}, {1, kNow - 3}, {2, kNow - 5}}), kMoment).value();
    EXPECT_EQ(judged.cosigners, (std::vector<Endorsement::Cosigner>{{0, kNow - 3}, {1, kNow - 5}}));
}

TEST(Policy, StaleAndFutureCosignaturesDoNotCount) {
    const auto policy = Policy::parse(policy_text("group G 2 W1 W2 W3\nquorum G\n")).value();
    const Moment moment{kMoment.now, 60s};
    EXPECT_TRUE(policy.judge(checkpoint({{1, kNow - 60}, {2, kNow}}), moment));
    EXPECT_EQ(refusal(policy, checkpoint({{1, kNow - 61}, {2, kNow}}), moment), Code::Stale);
    EXPECT_EQ(refusal(policy, checkpoint({{1, kNow}, {2, kNow - 61}}), moment), Code::Stale);
    EXPECT_TRUE(policy.judge(checkpoint({{1, kNow - 61}, {2, kNow}}), kMoment));
    const std::uint64_t tolerated = kNow + 60;
    EXPECT_TRUE(policy.judge(checkpoint({{1, tolerated}, {2, kNow}}), moment));
    EXPECT_EQ(refusal(policy, checkpoint({{1, tolerated + 1}, {2, kNow}}), moment), Code::Forged);
    EXPECT_EQ(refusal(policy, checkpoint({{1, INT64_MAX}, {2, kNow}}), kMoment), Code::Forged);
    EXPECT_EQ(refusal(policy, checkpoint({{1, 0}, {2, kNow}}), moment), Code::Stale);
}

TEST(Policy, WithoutAQuorumAnAgeCannotBeShown) {
    const Policy policy = Policy::trusting(log_signer().verifier());
    EXPECT_TRUE(policy.judge(checkpoint(), kMoment));
    EXPECT_EQ(refusal(policy, checkpoint(), {kMoment.now, 1h}), Code::Stale);
}

TEST(Policy, AFalseLineOfAKnownWitnessCondemnsTheNote) {
    const auto policy = Policy::parse(policy_text("quorum W1\n")).value();
    SignedCheckpoint made = checkpoint({{1, kNow}, {2, kNow}});
    made.note.signatures[2].signature[20] ^= 1;
    EXPECT_EQ(refusal(policy, made), Code::Forged);
}

TEST(Policy, TheLogKeyMustBeThatOfTheOrigin) {
    const auto policy = Policy::parse(policy_text("quorum none\n")).value();
    SignedCheckpoint other = checkpoint();
    other.checkpoint.origin = "other.example";
    other.note.text = other.checkpoint.encode();
    other.note.signatures = {log_signer().sign(other.note.text)};
    EXPECT_EQ(refusal(policy, other), Code::Forged);
    EXPECT_FALSE(Policy::parse("quorum none\n")->judge(checkpoint(), kMoment))
        << "no log, no trust";
}

TEST(Policy, AnyEpochKeyOfTheLogMaySign) {
    const auto next = signer("log.example", KeyType::Ed25519, 101);
    const auto policy =
        Policy::parse(policy_text("log " + next.verifier().str() + "\nquorum none\n")).value();
    EXPECT_EQ(policy.judge(sign_checkpoint({"log.example", 9, {}, {}}, next), kMoment)->log, 1u);
    EXPECT_EQ(policy.judge(checkpoint(), kMoment)->log, 0u);
}

}  // namespace
}  // namespace hygie::ledger
