#include "ledger/tree/checkpoint.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr char kExample[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

TEST(Checkpoint, ReadsTheExampleOfTheSpecification) {
    const auto checkpoint = Checkpoint::parse(kExample).value();
    EXPECT_EQ(checkpoint.origin, "example.com/behind-the-sofa");
    EXPECT_EQ(checkpoint.size, 20'852'163u);
    EXPECT_EQ(hash_text(checkpoint.root), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    EXPECT_EQ(checkpoint.encode(), kExample);
}

TEST(Checkpoint, ReadsTheSignedExampleWithItsCosignature) {
    const std::string note =
        std::string(kExample) +
        "\n— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
        "zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    const auto signed_checkpoint = SignedCheckpoint::parse(note).value();
    EXPECT_EQ(signed_checkpoint.checkpoint, Checkpoint::parse(kExample).value());
    EXPECT_EQ(signed_checkpoint.note.signatures.size(), 2u);
    EXPECT_EQ(signed_checkpoint.encode(), note);
}

TEST(Checkpoint, RefusesEveryOtherSpelling) {
    const std::string root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (const std::string& bad :
         {std::string(), std::string("log\n"), std::string("log\n1\n"), "\n1\n" + root + "\n",
          "log\n1\n" + root, "log\n01\n" + root + "\n", "log\n+1\n" + root + "\n",
          "log\n-1\n" + root + "\n", "log\n\n" + root + "\n", "log\n1 \n" + root + "\n",
          "log\n0x1\n" + root + "\n", "log\n9223372036854775808\n" + root + "\n",
          "log\n18446744073709551617\n" + root + "\n", "log\n1\n" + root.substr(0, 43) + "\n",
          std::string("log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n"),
          "log\n1\n" + root + root + "\n", "log\n1\n" + root + "\n\n",
          "log\n1\n" + root + "\nextension\n\nmore\n", "log\n1\n" + root + "\nextension"})
        EXPECT_FALSE(Checkpoint::parse(bad)) << bad;
    EXPECT_TRUE(Checkpoint::parse("log\n0\n" + root + "\n"));
    EXPECT_TRUE(Checkpoint::parse("log\n9223372036854775807\n" + root + "\n"));
}

TEST(Checkpoint, ExtensionLinesAreKeptAndSigned) {
    const std::string text = std::string(kExample) + "an extension\nanother\n";
    const auto checkpoint = Checkpoint::parse(text).value();
    EXPECT_EQ(checkpoint.extensions, (std::vector<std::string>{"an extension", "another"}));
    EXPECT_EQ(checkpoint.encode(), text);
}

TEST(Checkpoint, WhatIsSignedVerifies) {
    EXPECT_TRUE(rc::check([](std::uint64_t size, std::array<std::uint8_t, 32> root) {
        const NoteSigner log("log.example", KeyType::Ed25519,
                             crypto::SigningKey::from_seed(crypto::Secret32(root)));
        const Checkpoint checkpoint{"log.example", size & INT64_MAX, root, {}};
        const auto sealed =
            SignedCheckpoint::parse(sign_checkpoint(checkpoint, log).encode()).value();
        RC_ASSERT(sealed.checkpoint == checkpoint);
        const VerifierKey* key = &log.verifier();
        RC_ASSERT(verify_note(sealed.note, {&key, 1})->size() == 1u);
    }));
}

}  // namespace
}  // namespace hygie::ledger
