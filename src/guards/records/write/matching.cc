#include "guards/records/write/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "fhir/clinical/likeness.h"
#include "fhir/search/search_operand.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/request/bundle.h"
#include "guards/records/sight/reach.h"
#include "guards/records/sight/search.h"
#include "guards/records/write/identity.h"

namespace hygie::records {

namespace {

using fhir::Json;
using fhir::Likeness;

constexpr std::size_t kCandidatesMax = 100;  ///< looked at, of each search
constexpr std::size_t kNumbersMax = 8;       ///< identifiers and telephones searched by
constexpr std::size_t kCountDefault = 10;
constexpr std::size_t kCountMax = 50;
constexpr std::size_t kWarnedOfMax = 3;

/// Searches that the same person would be found by, whatever slip there is in one of them. Who is
/// Probable and has none of the numbers has one name at least, whole (fhir/clinical/likeness.h): a
/// day on which many were born is then not looked through.
std::vector<Parameters> searches_for(Json patient, Likeness::Grade least) {
    constexpr std::size_t kDay = 10;
    std::vector<Parameters> searches;
    Parameters born;
    if (const auto birth = patient["birthDate"].text(); birth.size() == kDay)
        born = {{"birthdate", std::string(birth)}};
    if (!born.empty() && least < Likeness::Grade::Probable) searches.push_back(born);
    for (const Json name : patient["name"].items()) {
        Parameters whole;
        if (const auto family = name["family"].text(); !family.empty())
            whole.push_back({"family", fhir::escape(family)});
        if (const auto given = name["given"].items(); !given.empty() && given.front().text() != "")
            whole.push_back({"given", fhir::escape(given.front().text())});
        if (whole.size() == 2) searches.push_back(whole);
        if (least < Likeness::Grade::Probable || born.empty()) continue;
        for (const Parameter& one : whole) searches.push_back({born.front(), one});
    }
    std::size_t numbers = 0;
    for (const Json one : patient["identifier"].items())
        if (!one["value"].text().empty() && numbers++ < kNumbersMax)
            searches.push_back({{"identifier", fhir::escape(one["system"].text()) + '|' +
                                                   fhir::escape(one["value"].text())}});
    for (const Json one : patient["telecom"].items())
        if (!one["value"].text().empty() && numbers++ < kNumbersMax)
            searches.push_back({{"telecom", fhir::escape(one["value"].text())}});
    return searches;
}

/// One who is here, and how like the one asked about.
struct Match {
    vault::Found found;
    std::string body;
    Likeness likeness;
};

struct Matches {
    std::vector<Match> best{};  ///< likeliest first
    Searched searched{};        ///< what was closed on the way
};

/// Patients open to the asker who may be that one. A search that would look into too many records
/// is left out: another one narrows better.
Answer<Matches> matches_of(Sight& sight, fhir::Arena& arena, Json patient, Likeness::Grade least) {
    Matches matches;
    std::map<std::string, vault::Found, std::less<>> candidates;
    for (const Parameters& criteria : searches_for(patient, least)) {
        auto query = fhir::parse_query(
            "Patient", criteria,
            {.base = sight.desk().options.base, .now = sight.desk().rooms.clock.now()});
        if (!query) continue;
        query->count = kCandidatesMax;
        query->total = fhir::Query::Total::None;
        auto searched = run_search(sight, *query, {});
        if (!searched) continue;
        for (const vault::Found& found : searched->page.page)
            candidates.try_emplace(std::string(found.entry.id), found);
        if (searched->closed_count > matches.searched.closed_count) {
            matches.searched.closed_count = searched->closed_count;
            matches.searched.closed = std::move(searched->closed);
        }
    }
    for (auto& [id, found] : candidates) {
        if (id == patient["id"].text()) continue;
        std::string body = TRY(sight.desk().rooms.vault.read(found)).body;
        const Json known = TRY(arena.parse(body));
        const Likeness alike = fhir::likeness(patient, known);
        if (alike.grade != Likeness::Grade::CertainlyNot && !was_merged(known))
            matches.best.push_back({std::move(found), std::move(body), alike});
    }
    std::ranges::stable_sort(matches.best, std::greater(), [](const Match& match) {
        return std::pair(match.likeness.grade, match.likeness.permille);
    });
    matches.searched.page.total = matches.best.size();
    return matches;
}

Issue likely(const Step& step, const std::string& reference) {
    return {.severity = Severity::Warning,
            .code = "duplicate",
            .what = {"un dossier de la même personne est probablement déjà là (" + reference + ")",
                     "a record of the same person is probably here already (" + reference + ")"},
            .remedy = {"comparez-les (Patient/$match) ; si c'est une seule personne, réunissez-les "
                       "par Patient/$merge",
                       "compare them (Patient/$match); if they are one person, merge them with "
                       "Patient/$merge"},
            .expression =
                step.change.expression.empty() ? "Patient" : step.change.expression + ".resource"};
}

bool is_probable(const Likeness& likeness) {
    return likeness.grade >= Likeness::Grade::Probable;
}

Answer<std::size_t> count_in(const OperationInput& input) {
    const std::string_view text = input.text("count");
    std::size_t count = kCountDefault;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size()))
        return refuse(400, "invalid", {"count n'est pas un nombre", "count is no number"},
                      {"écrivez un nombre entier", "write a whole number"});
    return std::clamp<std::size_t>(count, 1, kCountMax);
}

/// "When there are several, none is certain": then nobody is given.
void keep_certain(std::vector<Match>& matches) {
    std::erase_if(matches, [](const Match& match) {
        return match.likeness.grade != Likeness::Grade::Certain;
    });
    if (matches.size() > 1) matches.clear();
}

}  // namespace

Answer<void> warn_of_likeness(Sight& sight, Work& work, const Plan& plan, const Step& step,
                              Issues& issues) {
    const Json patient = step.change.body;
    std::size_t warned = 0;
    for (const Step& other : plan.steps)
        if (other.change.type == "Patient" && other.has_body() && &other < &step &&
            is_probable(fhir::likeness(patient, other.change.body)) && warned++ < kWarnedOfMax)
            issues.push_back(likely(step, other.reference()));
    for (const Match& match :
         TRY(matches_of(sight, work.arena, patient, Likeness::Grade::Probable)).best)
        if (is_probable(match.likeness) && warned++ < kWarnedOfMax)
            issues.push_back(likely(step, reference_to("Patient", match.found.entry.id)));
    return {};
}

Answer<Disclosure> match_patients(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 2> kKnown = {"onlyCertainMatches", "count"};
    OperationInput input = TRY(read_input(call, kKnown));
    TRY_STATUS(check_reach(desk, call, "Patient"));
    const Json patient = input.resource("resource");
    if (patient["resourceType"].text() != "Patient")
        return refuse(400, "required", {"il faut un Patient", "a Patient is needed"},
                      {"envoyez-le dans Parameters sous le nom « resource »",
                       "send it in Parameters under the name \"resource\""},
                      "Parameters.parameter");
    const std::size_t count = TRY(count_in(input));
    Sight sight(desk, call);
    Matches matches = TRY(matches_of(sight, input.arena, patient, Likeness::Grade::Possible));
    if (input.text("onlyCertainMatches") == "true") keep_certain(matches.best);
    BundleWriter writer("searchset", desk.options.base);
    writer.total(matches.best.size());
    std::vector<vault::Found> shown;
    for (const Match& match : matches.best) {
        if (shown.size() == count) break;
        shown.push_back(match.found);
        const std::string reference = reference_to("Patient", match.found.entry.id);
        const std::string score =
            fmt::format("{}.{:03}", match.likeness.permille / 1000, match.likeness.permille % 1000);
        writer.add({.reference = reference,
                    .resource = match.body,
                    .search_mode = "match",
                    .grade = fhir::code_of(match.likeness.grade),
                    .score = score});
    }
    return Disclosure{json_response(call, 200, writer.finish()),
                      search_events(sight, shown, matches.searched, {})};
}

}  // namespace hygie::records
