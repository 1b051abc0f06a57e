#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "guards/files/content/finding.h"
#include "guards/files/judge/victims.h"

/// Hashes and seals that are no ciphertext of what was there, and those that are.
namespace hygie::files {
namespace {

Excerpt all_of(Bytes bytes) {
    const std::uint64_t size = bytes.size();
    return {std::move(bytes), size, true};
}

Bytes bytes_of(std::string_view text) {
    return to_bytes(as_bytes(text));
}

Bytes letter(std::size_t words, Chance& chance) {
    static constexpr const char* kSyllables[] = {"pa", "tient", "dou", "leur", "ten", "sion",
                                                 "bi", "lan",   "con", "trol", "me",  "di"};
    std::string text;
    for (std::size_t word = 0; word < words; ++word) {
        for (std::size_t i = 0; i < 2 + chance() % 2; ++i) text += kSyllables[chance() % 12];
        text += word % 12 == 11 ? '\n' : ' ';
    }
    return bytes_of(text);
}

/// What git rebase asks for, what it makes of the answer, and the hashes alone.
TEST(Finding, AShortTextThatBecomesAListOfHashesIsNotScrambled) {
    Chance chance(77);
    for (int commits = 4; commits <= 12; ++commits) {
        std::string asked;
        std::string answered;
        std::string hashes;
        for (int i = 0; i < commits; ++i) {
            const std::string hash = to_hex(random_bytes(20, chance));
            asked += fmt::format("pick {} fix {}\n", hash.substr(0, 7), i);
            answered += fmt::format("pick {} fix {}\n", hash, i);
            hashes += hash + "\n";
        }
        asked += R"(
# Rebase a3e5fe2 onto 8449d22 (24 commands)
#
# Commands:
# p, pick <commit> = use commit
# r, reword <commit> = use commit, but edit the commit message
# e, edit <commit> = use commit, but stop for amending
# s, squash <commit> = use commit, but meld into previous commit
# f, fixup [-C | -c] <commit> = like "squash" but keep only the previous
#                    commit's log message, unless -C is used, in which case
#                    keep only this commit's message; -c is same as -C but
#                    opens the editor
# x, exec <command> = run command (the rest of the line) using shell
# b, break = stop here (continue rebase later with 'git rebase --continue')
# d, drop <commit> = remove commit
# l, label <label> = label current HEAD with a name
# t, reset <label> = reset HEAD to a label
# m, merge [-C <commit> | -c <commit>] <label> [# <oneline>]
#         create a merge commit using the original merge commit's
#         message (or the oneline, if no original merge commit was
#         specified); use -c <commit> to reword the commit message
# u, update-ref <ref> = track a placeholder for the <ref> to be updated
#                       to this position in the new commits. The <ref> is
#                       updated at the end of the rebase
#
# These lines can be re-ordered; they are executed from top to bottom.
#
# If you remove a line here THAT COMMIT WILL BE LOST.
#
# However, if you remove everything, the rebase will be aborted.
)";
        for (const std::string& after : {answered, hashes}) {
            const Finding found = examine(all_of(bytes_of(asked)), all_of(bytes_of(after)));
            EXPECT_LE(found.fate, Fate::Rewritten) << commits << ' ' << after;
        }
    }
}

/// Packed as well as may be, sealed, spelled in words of a hash's length.
TEST(Finding, ALetterSpelledInHashesIsScrambled) {
    Chance chance(78);
    for (std::size_t words = 20; words <= 1200; words += 20) {
        const Bytes before = letter(words, chance);
        uLongf size = compressBound(before.size());
        Bytes packed(size);
        compress2(packed.data(), &size, before.data(), before.size(), 9);
        std::string after;
        for (std::size_t done = 0; done < size; done += 20)
            after += to_hex(random_bytes(20, chance)) + "\n";
        const Finding found = examine(all_of(before), all_of(bytes_of(after)));
        EXPECT_EQ(found.fate, Fate::Scrambled) << words;
    }
}

/// As age writes it: who may open it, and ciphertext.
Bytes sealed_by_age(std::size_t size, Chance& chance) {
    Bytes sealed =
        bytes_of("age-encryption.org/v1\n-> X25519 " + to_base64(random_bytes(32, chance)) + "\n" +
                 to_base64(random_bytes(32, chance)) + "\n--- " +
                 to_base64(random_bytes(32, chance)) + "\n");
    append(sealed, random_bytes(size + 32, chance));
    return sealed;
}

TEST(Finding, OnlyWhatWasSealedMayBeSealedAgain) {
    Chance chance(79);
    for (const std::size_t size : {20U, 200U, 3'000U, 100'000U}) {
        const Excerpt sealed = all_of(sealed_by_age(size, chance));
        EXPECT_EQ(examine(sealed, all_of(sealed_by_age(size, chance))).fate, Fate::Rewritten);
        EXPECT_EQ(examine(sealed, all_of(sealed_by_age(size + 200, chance))).fate, Fate::Rewritten);
        const Excerpt words = all_of(letter(size, chance));
        EXPECT_EQ(examine(words, sealed).fate, Fate::Scrambled) << size;
    }
}

/// Whoever changes keys writes all of it again.
TEST(Finding, WhatIsSealedAndCutOrOverwrittenWasNotSealedAgain) {
    Chance chance(80);
    for (const std::size_t size : {3'000U, 6'000U, 100'000U}) {
        const Bytes sealed = sealed_by_age(size, chance);
        Bytes zeroed = sealed;
        std::fill(zeroed.begin() + 200, zeroed.end(), std::uint8_t{0});
        EXPECT_EQ(examine(all_of(sealed), all_of(zeroed)).fate, Fate::Emptied) << size;
        const Bytes rest = sealed_by_age(20, chance);
        EXPECT_EQ(examine(all_of(sealed), all_of(rest)).fate, Fate::Emptied) << size;
    }
    // Fewer may open it from now on.
    const Excerpt for_many = all_of(sealed_by_age(2'400, chance));
    const Excerpt for_one = all_of(sealed_by_age(500, chance));
    EXPECT_EQ(examine(for_many, for_one).fate, Fate::Rewritten);
}

TEST(Finding, WhetherATextHoldsLessIsAskedOnlyOfOneThatLostItsGrain) {
    Chance chance(81);
    const Excerpt before = all_of(letter(400, chance));
    Chance other(82);
    EXPECT_FALSE(examine(before, all_of(letter(40, other))).holds_less);
}

TEST(Finding, ADatabaseOfCiphertextIsOpaqueAndOneOfDocumentsIsNot) {
    Chance chance(91);
    const Bytes document = letter(9000, chance);
    Bytes packed;
    for (int i = 0; i < 10; ++i) append(packed, gzip(letter(400, chance)));
    EXPECT_TRUE(examine_new(all_of(in_a_database(random_bytes(60'000, chance)))).opaque);
    EXPECT_FALSE(examine_new(all_of(in_a_database(packed))).opaque);
    EXPECT_FALSE(examine_new(all_of(in_a_database(document))).opaque);
    const auto becomes = [&](Bytes after) {
        return examine(all_of(document), all_of(in_a_database(after))).fate;
    };
    EXPECT_EQ(becomes(document), Fate::Edited) << "it is in there";
    EXPECT_EQ(becomes(random_bytes(document.size(), chance)), Fate::Scrambled);
}

}  // namespace
}  // namespace hygie::files
