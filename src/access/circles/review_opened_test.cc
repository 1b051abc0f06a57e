#include "access/circles/review_opened.h"

#include <gtest/gtest.h>

namespace hygie::access {
namespace {

event::Event act(event::Type type, std::string_view time, std::string actor, std::string why = "") {
    event::Event event;
    event.id = std::string(time) + actor;
    event.type = type;
    event.time = from_rfc3339(time).value();
    event.actor.id = ActorId(std::move(actor));
    event.actor.organisation = "Cardiologie";
    if (!why.empty()) event.detail["why"] = std::move(why);
    return event;
}

ActorWords known(const event::Actor& actor) {
    if (actor.id.str() != "a.martin") return {};
    return {.name = "Anne Martin", .profession = {"infirmière", "nurse"}, .organisation = ""};
}

TEST(ReviewOpened, SaysWhoAndWhyInBothLanguagesNewestFirst) {
    const std::vector<event::Event> events = {
        act(event::Type::RecordRead, "2026-11-20T08:00:00Z", "a.martin", "circle.presence"),
        act(event::Type::RecordRead, "2026-11-20T09:00:00Z", "a.martin", "circle.presence"),
        act(event::Type::AccessRefused, "2026-11-21T09:00:00Z", "curious"),
        act(event::Type::SignedIn, "2026-11-22T09:00:00Z", "a.martin"),
    };
    const auto openings = openings_of(events, known);
    ASSERT_EQ(openings.size(), 2U);
    EXPECT_TRUE(openings[0].refused);
    EXPECT_EQ(openings[0].sentence.fr,
              "curious a voulu ouvrir votre dossier, et n'a pas pu (Cardiologie).");
    EXPECT_EQ(openings[1].times, 2U);
    EXPECT_EQ(openings[1].events.size(), 2U);
    EXPECT_EQ(openings[1].sentence.fr,
              "Anne Martin, infirmière, a lu votre dossier (Cardiologie), 2 fois ce jour-là : du "
              "service où vous étiez.");
    EXPECT_EQ(openings[1].sentence.en,
              "Anne Martin, nurse, read your record (Cardiologie), 2 times that day: of the unit "
              "where you were.");
}

/// A reference says nothing to the person concerned.
TEST(ReviewOpened, NamesAPlaceOnlyInWords) {
    event::Event event = act(event::Type::RecordRead, "2026-11-20T08:00:00Z", "a.martin");
    event.actor.organisation = "Organization/1ddc215d";
    EXPECT_EQ(openings_of(std::vector{event}, known)[0].sentence.fr,
              "Anne Martin, infirmière, a lu votre dossier.");
    const auto named = openings_of(std::vector{event}, [](const event::Actor& actor) {
        ActorWords words = known(actor);
        words.organisation = "Cabinet des Lilas";
        return words;
    });
    EXPECT_EQ(named[0].sentence.en, "Anne Martin, nurse, read your record (Cabinet des Lilas).");
}

TEST(ReviewOpened, TheSheetSaysDaysInWords) {
    const auto openings = openings_of(
        std::vector{act(event::Type::RecordRead, "2026-08-01T08:00:00Z", "a.martin")}, known);
    const WallTime now = from_rfc3339("2026-12-31T08:00:00Z").value();
    const std::string fr = openings_sheet(openings, "x", now, Lang::Fr);
    EXPECT_TRUE(fr.contains(">1er août 2026<") && fr.contains("31 décembre 2026")) << fr;
    const std::string en = openings_sheet(openings, "x", now, Lang::En);
    EXPECT_TRUE(en.contains(">1 August 2026<") && en.contains("31 December 2026")) << en;
}

TEST(ReviewOpened, DaysAreThoseOfThePractice) {
    const std::vector<event::Event> events = {
        act(event::Type::RecordRead, "2026-07-31T22:30:00Z", "a.martin"),
        act(event::Type::RecordRead, "2026-08-01T21:30:00Z", "a.martin"),
        act(event::Type::RecordRead, "2026-08-01T22:30:00Z", "a.martin"),
    };
    const auto openings = openings_of(events, known);
    ASSERT_EQ(openings.size(), 2U) << "in Paris two of them are of the same day";
    EXPECT_EQ(openings[1].times, 2U);
    const WallTime now = from_rfc3339("2026-12-31T23:30:00Z").value();
    const std::string fr = openings_sheet(openings, "x", now, Lang::Fr);
    EXPECT_TRUE(fr.contains(">2 août 2026<") && fr.contains(">1er août 2026<")) << fr;
    EXPECT_TRUE(fr.contains("1er janvier 2027")) << fr;
    EXPECT_EQ(minute_here(now), "2027-01-01 00:30");
}

TEST(ReviewOpened, EveryActIsCountedOnce) {
    std::vector<event::Event> events;
    for (int i = 0; i < 500; ++i)
        events.push_back(act(event::Type(32 + i % 9),
                             i % 2 == 0 ? "2026-11-20T08:00:00Z" : "2026-11-21T08:00:00Z",
                             "who" + std::to_string(i % 7)));
    std::size_t times = 0;
    for (const Opening& one : openings_of(events, known)) times += one.times;
    EXPECT_EQ(times, events.size());
}

TEST(ReviewOpened, TheSheetCarriesNoMarkupFromNames) {
    event::Event event =
        act(event::Type::BreakGlass, "2026-11-20T08:00:00Z", "<script>alert(1)</script>");
    const auto openings = openings_of(std::vector{event}, known);
    for (const Lang lang : {Lang::Fr, Lang::En}) {
        const std::string html = openings_sheet(openings, "<b>&\"", event.time, lang);
        EXPECT_FALSE(html.contains("<script"));
        EXPECT_FALSE(html.contains("<b>"));
        EXPECT_TRUE(html.contains("&lt;script&gt;"));
        EXPECT_TRUE(html.contains("2026-11-20"));
    }
    EXPECT_TRUE(openings_sheet({}, "x", event.time, Lang::En).contains("Nobody"));
    EXPECT_TRUE(openings_json(openings).contains("\"break_glass\":true"));
}

}  // namespace
}  // namespace hygie::access
