#include "guards/records/write/bookings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "fhir/search/search_operand.h"
#include "guards/records/sight/search.h"
#include "guards/records/write/check_issues.h"

namespace hygie::records {

namespace {

using fhir::Json;

/// An appointment is found by when it starts: longer ones are not looked for.
constexpr Micros kLongest = std::chrono::hours(12);
constexpr std::size_t kLookedAtMax = 100;  ///< of each participant
constexpr std::size_t kWarnedOfMax = 3;

struct Booking {
    WallTime start{};
    WallTime end{};
    std::set<std::string> who{};  ///< references of people and places that are taken by it
};

/// Nothing for what takes nobody's time.
std::optional<Booking> booking_of(Json appointment) {
    constexpr std::array<std::string_view, 4> kTaken = {"booked", "arrived", "checked-in",
                                                        "fulfilled"};
    constexpr std::array<std::string_view, 3> kActors = {"Practitioner/", "Patient/", "Location/"};
    const auto start = from_rfc3339(appointment["start"].text());
    const auto end = from_rfc3339(appointment["end"].text());
    if (!start || !end || std::ranges::count(kTaken, appointment["status"].text()) == 0)
        return std::nullopt;
    Booking booking{.start = *start, .end = *end};
    for (const Json participant : appointment["participant"].items()) {
        const std::string_view actor = participant["actor"]["reference"].text();
        const bool is_one = std::ranges::any_of(
            kActors, [&](std::string_view type) { return actor.starts_with(type); });
        if (is_one && participant["status"].text() != "declined") booking.who.emplace(actor);
    }
    return booking;
}

bool clashes(const Booking& one, const std::optional<Booking>& other) {
    return other && one.start < other->end && other->start < one.end &&
           std::ranges::any_of(
               one.who, [&](const std::string& who) { return other->who.contains(who); });
}

Issue taken(const Step& step, const std::string& reference) {
    return {.severity = Severity::Warning,
            .code = "conflict",
            .what = {fmt::format("un participant est déjà pris à cette heure ({})", reference),
                     fmt::format("a participant is taken at that time already ({})", reference)},
            .remedy = {"choisissez une autre heure, ou annulez l'un des deux",
                       "choose another time, or cancel one of them"},
            .expression = expression_in(step, "Appointment.start")};
}

/// Those open to the writer that start near enough, of one participant.
Answer<std::vector<vault::Found>> near(Sight& sight, const Booking& booking,
                                       const std::string& actor) {
    const Parameters criteria = {{"actor", fhir::escape(actor)},
                                 {"date", "lt" + to_rfc3339(booking.end)},
                                 {"date", "ge" + to_rfc3339(booking.start - kLongest)}};
    const WallTime now = sight.desk().rooms.clock.now();
    auto query = TRY(fhir::parse_query("Appointment", criteria,
                                       {.base = sight.desk().options.base, .now = now}));
    query.count = kLookedAtMax;
    query.total = fhir::Query::Total::None;
    auto searched = run_search(sight, query, {});
    // What looks into too much is left out: this is a word of warning, not a lock.
    return searched ? std::move(searched->page.page) : std::vector<vault::Found>();
}

}  // namespace

Answer<void> warn_of_double_booking(Sight& sight, Work& work, const Plan& plan, const Step& step,
                                    Issues& issues) {
    const auto booking = booking_of(step.change.body);
    if (!booking || booking->end < sight.desk().rooms.clock.now()) return {};
    std::set<std::string> clashing;
    std::set<std::string> seen;
    for (const Step& other : plan.steps) {
        if (other.change.type != "Appointment") continue;
        seen.insert(other.reference());
        if (other.has_body() && &other < &step && clashes(*booking, booking_of(other.change.body)))
            clashing.insert(other.reference());
    }
    for (const std::string& actor : booking->who) {
        for (const vault::Found& found : TRY(near(sight, *booking, actor))) {
            const std::string reference = reference_to("Appointment", found.entry.id);
            if (!seen.insert(reference).second) continue;
            const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
            if (clashes(*booking, booking_of(TRY(work.arena.parse(version.body)))))
                clashing.insert(reference);
        }
    }
    for (const std::string& reference : clashing) {
        if (issues.size() == kWarnedOfMax) break;
        issues.push_back(taken(step, reference));
    }
    return {};
}

}  // namespace hygie::records
