#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/mail/facts/history.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/twins/twin_attacker.h"
#include "guards/mail/twins/twin_mime.h"
#include "guards/mail/twins/twin_press.h"

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

TEST(Twins, WhatTheSubjectSaysTheBodySaysWhereItFirstSpeaksOfIt) {
    TwinGrammar grammar;
    ASSERT_TRUE(grammar.add("[thing]\nfax\nparcel\ncard\nkey\n", "test"));
    bool free_later = false;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        std::string tail;
        for (const Side side : {Side::Attack, Side::Legitimate}) {
            Expansion expansion{
                .grammar = grammar, .lang = "fr", .author = "B", .side = side, .dice = Dice(seed)};
            const std::string subject = *expand_subject(expansion, "{thing}");
            const std::string body = *expand(expansion, "(+{thing} ){thing} {thing}");
            const std::string text =
                side == Side::Attack && body.starts_with(subject + " " + subject)
                    ? body.substr(subject.size() + 1)
                    : body;
            ASSERT_TRUE(text.starts_with(subject + " ")) << subject << ": " << body;
            if (side == Side::Attack) tail = text;
            EXPECT_EQ(text, tail) << "twins share their words";
            free_later |= text != subject + " " + subject;
        }
    }
    EXPECT_TRUE(free_later) << "a list of three things is not three times the same";
}

/// The library with templates of a test's own beside it, by an author who is none of ours.
TwinLibrary with_templates(std::string_view text) {
    TwinLibrary mine = library();
    EXPECT_TRUE(
        mine.grammar.add("[nothing]\nnothing\n[footer.en.?]\n(Ref.|Your ref.) {num}\n"
                         "@ z-ham author=? lang=en side=ham sender=random\n~ s\n| b\n",
                         "test"));
    EXPECT_TRUE(mine.grammar.add(text, "test"));
    return mine;
}

std::size_t times(std::string_view what, std::string_view in) {
    std::size_t count = 0;
    for (std::size_t at = in.find(what); at != std::string_view::npos; at = in.find(what, at + 1))
        ++count;
    return count;
}

TEST(Twins, WhoSignsIsWhoSends) {
    for (const std::string_view sender : {"boss", "colleague", "hacked", "supplier", "stranger",
                                          "scammer", "caller", "brand", "it", "random"}) {
        const TwinLibrary mine = with_templates(fmt::format(
            "@ z-sign author=? lang=en side=both class=phishing kind=fovi_z sender={}\n~ s\n"
            "| {{from_first}} of {{from_name}};\n",
            sender));
        TwinPress press(mine, 3, "?");
        for (int draw = 0; draw < 60; ++draw) {
            const std::vector<Twin> twins = *press.next();
            for (const Twin& twin : twins) {
                if (twin.template_id != "z-sign") continue;
                const Message read = *parse_message(twin.message);
                const std::string& name = read.author().name;
                const std::size_t of = read.text.find(" of ");
                ASSERT_NE(of, std::string::npos) << read.text;
                const std::string first = read.text.substr(0, of);
                const std::string whole =
                    read.text.substr(of + 4, read.text.find(';', of) - of - 4);
                // A help desk may write the house's domain before its name.
                EXPECT_TRUE(name.ends_with(whole)) << sender << ": " << name << ": " << whole;
                EXPECT_TRUE(whole.starts_with(first)) << sender << ": " << first;
            }
        }
    }
}

TEST(Twins, AHouseOfNoNameIsTheSameOneInBothTwins) {
    const TwinLibrary mine = with_templates(
        "[z_house]\nMaison Bleue\nAtelier Vert\nCasa Rossa\nLittle Pond\n"
        "@ z-house author=? lang=en side=both class=phishing kind=fovi_z sender=newsletter "
        "names=z_house link=sender\n~ s\n| {brand}, {paper}.\n");
    TwinPress press(mine, 3, "?");
    std::set<std::string> posing;
    for (int draw = 0; draw < 60; ++draw) {
        const std::vector<Twin> twins = *press.next();
        if (twins.size() < 2) continue;
        const std::string honest = parse_message(twins[1].message)->author().name;
        const Message attack = *parse_message(twins[0].message);
        EXPECT_NE(attack.text.find(honest + ", " + honest + "."), std::string::npos);
        if (attack.author().name.find(honest) != std::string::npos) posing.insert(honest);
    }
    EXPECT_GT(posing.size(), 1U);
}

TEST(Twins, NoLineOfSmallPrintTwice) {
    const TwinLibrary mine = with_templates(
        "@ z-print author=? lang=en side=both class=phishing kind=fovi_z sender=boss\n~ s\n| b\n");
    TwinPress press(mine, 3, "?");
    std::set<std::size_t> seen;
    for (int draw = 0; draw < 200; ++draw) {
        const std::vector<Twin> twins = *press.next();
        for (const Twin& twin : twins) {
            if (twin.template_id != "z-print") continue;
            const Message read = *parse_message(twin.message);
            seen.insert(times("ef. ", read.html.empty() ? read.plain : read.html));
        }
    }
    EXPECT_EQ(seen, (std::set<std::size_t>{0, 1}));
}

TEST(Twins, BrandsWriteFromAndLeadToTheirOwnPlaces) {
    for (const TwinBrand& brand : library().brands) {
        std::vector<std::string> places = brand.sites;
        places.push_back(brand.domain);
        const Brand* known = built_in_pack().brand(brand.id);
        if (!known) continue;
        for (const std::string& place : places)
            EXPECT_TRUE(built_in_pack().writes_from(*known, place)) << brand.id << " " << place;
    }
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
    for (const TwinSupplier& supplier : press.world().suppliers) {
        known.insert(supplier.iban);
        known.insert(supplier.confirmed_iban);
    }
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

TEST(Twins, ASupplierThatMovedWritesOfTheAccountThatTheHouseMadeSureOf) {
    const TwinWorld world = make_world(library(), 12);
    const History history = *parse_history(world.history_json());
    TwinTemplate form;
    form.keys = {{"sender", "supplier"}, {"account", "confirmed"}};
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const TwinScene honest = make_scene(library(), world, form, Side::Legitimate, seed);
        const TwinScene attack = make_scene(library(), world, form, Side::Attack, seed);
        const auto bare = [](std::string iban) {
            std::erase(iban, ' ');
            return iban;
        };
        const std::string& before = honest.facts.at("known_iban");
        EXPECT_EQ(before, attack.facts.at("known_iban"));
        EXPECT_TRUE(bare(before).ends_with(honest.facts.at("known_iban_end")));
        EXPECT_NE(bare(honest.facts.at("iban")), bare(before));
        EXPECT_NE(history.supplier_of_iban(bare(honest.facts.at("iban"))), nullptr);
        EXPECT_EQ(history.supplier_of_iban(bare(attack.facts.at("iban"))), nullptr);
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
