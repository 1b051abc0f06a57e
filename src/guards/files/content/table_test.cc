#include "guards/files/content/table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/files/content/finding.h"
#include "guards/files/judge/victims.h"

namespace hygie::files {
namespace {

Excerpt all_of(const std::string& text) {
    return {to_bytes(as_bytes(text)), text.size(), true};
}

/// An export of a practice, and what is given to a study.
struct Tables {
    std::string named = "nir;nom;naissance;acte;montant\n";
    std::string pseudonymised = named;
    std::string sealed = named;  ///< each field is ciphertext

    explicit Tables(int rows) {
        Chance chance(5);
        static constexpr const char* kNames[] = {"MARTIN", "DUBOIS", "PETIT", "LEROY"};
        for (int i = 0; i < rows; ++i) {
            const std::string rest = fmt::format("C{};{}", chance() % 9, chance() % 9999);
            named +=
                fmt::format("{:013};{};{}-{:02}-11;{}\n", chance() % 3'000'000'000'000ULL,
                            kNames[chance() % 4], 1930 + chance() % 90, 1 + chance() % 12, rest);
            pseudonymised +=
                fmt::format("{};{};{};{}\r\n", to_hex(random_bytes(32, chance)),
                            to_hex(random_bytes(8, chance)), 1930 + chance() % 90, rest);
            sealed += fmt::format("{};{};{};{};{}\n", to_hex(random_bytes(16, chance)),
                                  to_hex(random_bytes(8, chance)), to_hex(random_bytes(8, chance)),
                                  to_hex(random_bytes(2, chance)), to_hex(random_bytes(4, chance)));
        }
    }
};

TEST(FilesTable, KnowsTheColumnsThatStayed) {
    const Tables tables(40);
    EXPECT_TRUE(keeps_columns(tables.named, tables.pseudonymised));
    EXPECT_FALSE(keeps_columns(tables.named, tables.sealed));
    EXPECT_FALSE(keeps_columns(tables.named, tables.named.substr(0, tables.named.size() / 2)));
    EXPECT_FALSE(keeps_columns("a;b\n1;2\n", "a;b\n1;3\n"));
    EXPECT_FALSE(keeps_columns("", ""));
    EXPECT_FALSE(keeps_columns("no table\nat all\n", "no table\nat all\n"));
}

/// Numbers of lines that stay are no table that stayed, nor are a few bytes of it.
TEST(FilesTable, WantsAQuarterOfTheColumnsAndATenthOfTheBytes) {
    std::string five = "numero;a;b;c;d\n";
    std::string five_sealed = five;
    std::string two = "n;note\n";
    std::string two_sealed = two;
    Chance chance(8);
    const auto cipher = [&] { return to_hex(random_bytes(2, chance)); };
    for (int i = 0; i < 40; ++i) {
        five += fmt::format("{:08};un;deux;six;dix\n", i);
        five_sealed +=
            fmt::format("{:08};{};{};{};{}\n", i, cipher(), cipher(), cipher(), cipher());
        two += fmt::format("{};{}\n", i % 9, "une phrase entière sur le genou droit");
        two_sealed += fmt::format("{};{}\n", i % 9, to_hex(random_bytes(19, chance)));
    }
    EXPECT_FALSE(keeps_columns(five, five_sealed));
    EXPECT_FALSE(keeps_columns(two, two_sealed));
}

/// A column of one value could be put back by whoever seals.
TEST(FilesTable, IsNotImpressedByAColumnOfOneValue) {
    std::string before = "oui;nom\n";
    std::string after = before;
    Chance chance(6);
    for (int i = 0; i < 40; ++i) {
        before += "oui;douleur du genou\n";
        after += "oui;" + to_hex(random_bytes(9, chance)) + "\n";
    }
    EXPECT_FALSE(keeps_columns(before, after));
}

TEST(Finding, NamesReplacedByPseudonymsAreAnEdit) {
    const Tables tables(400);
    EXPECT_EQ(examine(all_of(tables.named), all_of(tables.pseudonymised)).fate, Fate::Edited);
    EXPECT_EQ(examine(all_of(tables.named), all_of(tables.sealed)).fate, Fate::Scrambled);
}

/// A page that tells how full other pages are: zeros, and a few numbers.
TEST(Finding, ZerosWithAFewMarksAreNoCiphertext) {
    Bytes before(24'576);
    Bytes after(24'576);
    for (std::size_t i = 0; i < before.size(); i += 8192) {
        before[i + 40] = 17;
        for (std::size_t level = 1; level < 4000; level *= 2) after[i + 40 + level] = 200;
    }
    EXPECT_FALSE(examine_new({after, after.size(), true}).opaque);
    EXPECT_LE(examine({before, before.size(), true}, {after, after.size(), true}).fate,
              Fate::Rewritten);
    // Ciphertext spelled in two letters has no grain either, and room for all.
    Chance chance(7);
    Bytes spelled(24'576);
    for (std::uint8_t& byte : spelled) byte = chance() % 2 == 0 ? 0 : 255;
    EXPECT_TRUE(examine_new({spelled, spelled.size(), true}).opaque);
}

}  // namespace
}  // namespace hygie::files
