#include "fhir/data/zone.h"

#include <unicode/basictz.h>
#include <unicode/tzrule.h>
#include <unicode/tztrans.h>

#include <algorithm>
#include <atomic>

#include "base/check.h"

namespace hygie::fhir {
namespace {

/// Milliseconds since 1970: the years 1900 and 2101. Beyond them the clocks stay as they are.
constexpr double kFrom = -2'208'988'800'000.0;
constexpr double kUntil = 4'133'980'800'000.0;

Micros from_millis(double millis) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(millis));
}

std::unexpected<Error> unknown_zone() {
    return fail(Code::BadInput, {"ce fuseau horaire est inconnu", "this time zone is unknown"},
                {"écrivez un nom de la base IANA, tel que Europe/Paris ou Indian/Reunion",
                 "write a name of the IANA database, such as Europe/Paris or Indian/Reunion"});
}

std::atomic<std::shared_ptr<const Zone>>& chosen() {
    static std::atomic<std::shared_ptr<const Zone>> zone = [] {
        auto named = Zone::named(kZoneDefault);
        HYGIE_CHECK(named.has_value(), "the default time zone is known");
        return *std::move(named);
    }();
    return zone;
}

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::named(std::string_view name) {
    const auto text = icu::UnicodeString::fromUTF8(
        icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size())));
    const std::unique_ptr<icu::TimeZone> found(icu::TimeZone::createTimeZone(text));
    const auto* clocks = dynamic_cast<const icu::BasicTimeZone*>(found.get());
    if (clocks == nullptr || *found == icu::TimeZone::getUnknown()) return unknown_zone();
    auto zone = std::make_shared<Zone>();
    zone->name_ = name;
    std::int32_t raw = 0;
    std::int32_t summer = 0;
    UErrorCode error = U_ZERO_ERROR;
    clocks->getOffset(kFrom, 0, raw, summer, error);
    if (U_FAILURE(error)) return unknown_zone();
    zone->changes_.push_back({Micros::min(), from_millis(raw + summer)});
    icu::TimeZoneTransition change;
    for (double at = kFrom; at < kUntil && clocks->getNextTransition(at, 0, change) != 0;
         at = change.getTime()) {
        const icu::TimeZoneRule* rule = change.getTo();
        zone->changes_.push_back({from_millis(change.getTime()),
                                  from_millis(rule->getRawOffset() + rule->getDSTSavings())});
    }
    return zone;
}

Micros Zone::offset_at(Micros utc) const {
    return std::prev(std::ranges::upper_bound(changes_, utc, {}, &Change::from))->offset;
}

WallTime Zone::on_the_wall(WallTime utc) const {
    return utc + offset_at(utc.time_since_epoch());
}

WallTime Zone::to_utc(WallTime on_the_wall) const {
    const Micros wall = on_the_wall.time_since_epoch();
    // Clocks change by less than a day: one of the two offsets around is meant.
    const Micros before = offset_at(wall - std::chrono::days(1));
    const Micros after = offset_at(wall + std::chrono::days(1));
    return WallTime(wall - (offset_at(wall - before) == before ? before : after));
}

std::shared_ptr<const Zone> zone_in_force() {
    return chosen().load();
}

void put_in_force(std::shared_ptr<const Zone> zone) {
    chosen().store(std::move(zone));
}

}  // namespace hygie::fhir
