#include <set>

#include <gtest/gtest.h>

#include "guards/mail/fold.h"
#include "guards/mail/history.h"
#include "guards/mail/twin_mime.h"
#include "guards/mail/twin_press.h"

namespace hygie::mail {
namespace {

const TwinLibrary& library() {
    static const TwinLibrary read = [] {
        Result<TwinLibrary> made = twin_library();
        EXPECT_TRUE(made) << made.error().what.en;
        return std::move(*made);
    }();
    return read;
}

std::string said(std::string_view text, Side side, std::uint64_t seed) {
    TwinGrammar grammar;
    EXPECT_TRUE(grammar.add("[who]\nyou\n[who.fr]\nvous\n[who.fr.B]\ntoi\n", "test"));
    Expansion expansion{.grammar = grammar,
                        .lang = "fr",
                        .author = "B",
                        .side = side,
                        .facts = {{"amount", "12 €"}},
                        .dice = Dice(seed)};
    const Result<std::string> out = expand(expansion, text);
    return out ? *out : "error";
}

TEST(Twins, MostParticularSymbolWins) {
    EXPECT_EQ(said("{who} ({amount}|{amount}) \\(x\\)", Side::Attack, 1), "toi 12 € (x)");
}

TEST(Twins, WhatOneSideSaysDoesNotChangeWhatBothSay) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::string attack = said("(+x(a|b|c))(1|2|3|4|5|6|7|8|9)", Side::Attack, seed);
        const std::string honest = said("(+x(a|b|c))(1|2|3|4|5|6|7|8|9)", Side::Legitimate, seed);
        ASSERT_EQ(attack.size(), 3U);
        EXPECT_EQ(attack.substr(2), honest);
    }
}

TEST(Twins, EachSideSaysItsOwn) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT_EQ(said("(+pay|-wait)", Side::Attack, seed), "pay");
        EXPECT_EQ(said("(+pay|-wait)", Side::Legitimate, seed), "wait");
        EXPECT_EQ(said("(-wait|wait)(+pay)", Side::Legitimate, seed), "wait");
    }
}

TEST(Twins, GrammarRefusesWhatItDoesNotKnow) {
    EXPECT_EQ(said("{nobody}", Side::Attack, 1), "error");
    EXPECT_EQ(said("(open", Side::Attack, 1), "error");
    TwinGrammar grammar;
    EXPECT_FALSE(grammar.add("lost line\n", "test"));
    EXPECT_FALSE(grammar.add("@ lang=fr\n", "test"));
}

TEST(Twins, EveryTemplateOfTheLibraryCanBeWritten) {
    std::set<std::string> seen;
    TwinPress press(library(), 3, kTwinAuthors);
    for (int draw = 0; draw < 24000; ++draw) {
        const Result<std::vector<Twin>> twins = press.next();
        ASSERT_TRUE(twins) << twins.error().what.en;
        for (const Twin& twin : *twins) {
            seen.insert(twin.template_id);
            EXPECT_EQ(twin.message.find('\x01'), std::string::npos);
            EXPECT_NE(twin.message.find("\nFrom: "), std::string::npos);
        }
    }
    EXPECT_EQ(seen.size(), library().grammar.templates().size());
}

TEST(Twins, FromShowsTheNameThatItsTemplateGives) {
    TwinPress press(library(), 3, "M");
    std::set<std::string> hostile;
    std::set<std::string> honest;
    for (int draw = 0; draw < 1000; ++draw) {
        const std::vector<Twin> twins = *press.next();
        for (const Twin& twin : twins)
            if (twin.template_id == "m-has")
                (twin.side == Side::Attack ? hostile : honest)
                    .insert(parse_message(twin.message)->author().name);
    }
    EXPECT_TRUE(hostile.contains("HAS Calista"));
    EXPECT_FALSE(honest.contains("HAS Calista")) << "its template leaves it its own";
    EXPECT_TRUE(honest.contains("Haute Autorité de santé"));
}

TEST(Twins, SameSeedSameBytes) {
    TwinPress one(library(), 9, "AB");
    TwinPress two(library(), 9, "AB");
    for (int draw = 0; draw < 50; ++draw) {
        const auto first = *one.next();
        const auto second = *two.next();
        ASSERT_EQ(first.size(), second.size());
        for (std::size_t i = 0; i < first.size(); ++i) {
            EXPECT_EQ(first[i].message, second[i].message);
            EXPECT_TRUE(first[i].author == "A" || first[i].author == "B");
        }
    }
}

TEST(Twins, OnlyTheHonestLetterOfASupplierHasTheKnownIban) {
    TwinPress press(library(), 5, kTwinAuthors, 1'000'000);
    std::set<std::string> known;
    for (const TwinSupplier& supplier : press.world().suppliers) known.insert(supplier.iban);
    for (int draw = 0; draw < 1500; ++draw) {
        const Result<std::vector<Twin>> twins = press.next();
        ASSERT_TRUE(twins);
        for (const Twin& twin : *twins) {
            if (!twin.kind.starts_with("fovi") || !twin.has_counterpart) continue;
            const TwinTemplate* form = nullptr;
            for (const TwinTemplate& one : library().grammar.templates())
                if (one.id == twin.template_id) form = &one;
            ASSERT_NE(form, nullptr);
            const std::uint64_t seed = 77;
            const std::string iban =
                make_scene(library(), press.world(), *form, twin.side, seed).facts.at("iban");
            std::string bare;
            for (const char sign : iban)
                if (sign != ' ') bare.push_back(sign);
            const bool supplier = form->key("sender") == "supplier";
            EXPECT_EQ(known.contains(bare), supplier && twin.side == Side::Legitimate);
        }
    }
}

TEST(Twins, IbansHaveTheirCheckDigits) {
    Dice dice(4);
    for (const std::string_view country : {"FR", "DE", "GB", "LT"}) {
        const std::string iban = make_iban(country, dice);
        int rest = 0;
        for (const char sign : iban.substr(4) + iban.substr(0, 4)) {
            const int value = sign >= 'A' ? sign - 'A' + 10 : sign - '0';
            rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
        }
        EXPECT_EQ(rest, 1) << country;
    }
}

TEST(Twins, HistoryIsReadBack) {
    const TwinWorld world = make_world(library(), 12);
    const Result<History> history = parse_history(world.history_json());
    ASSERT_TRUE(history);
    EXPECT_TRUE(history->is_own_domain(world.domain));
    ASSERT_NE(history->supplier_of_iban(world.suppliers[0].iban), nullptr);
    EXPECT_EQ(history->message_ids.size(), 4 * world.suppliers.size());
}

}  // namespace
}  // namespace hygie::mail
