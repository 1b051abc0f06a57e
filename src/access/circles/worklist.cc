#include "access/circles/worklist.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "access/circles/circle_accesses.h"
#include "access/decide/break_glass.h"

namespace hygie::access {
namespace {

using event::Event;
using event::Type;
using nlohmann::json;

constexpr std::size_t kWordsMin = 10;
constexpr std::string_view kReviewKind = "review";
constexpr std::string_view kFindingKind = "unexplained";

std::string said(const Event& event, const std::string& name) {
    const auto found = event.detail.find(name);
    return found == event.detail.end() ? std::string() : found->second;
}

std::optional<Duty::Kind> kind_of(const Event& event) {
    const bool succeeded = event.outcome == event::Outcome::Success;
    if (event.type == Type::BreakGlass && succeeded) return Duty::Kind::BreakGlass;
    if (event.type == Type::ConsentDecided && succeeded && said(event, "kind") == "justify")
        return Duty::Kind::Motive;
    if (event.type == Type::SignedOut && said(event, "why") == "circle.cut") return Duty::Kind::Cut;
    if (is_finding(event)) return Duty::Kind::Unexplained;
    return std::nullopt;
}

std::vector<Text> signs_of(const Event& event) {
    std::vector<Text> signs;
    if (said(event, "copied") == "true")
        signs.push_back({"le même motif avait servi pour un autre patient",
                         "the same motive had served for another patient"});
    if (const std::string times = said(event, "within_a_day"); !times.empty())
        signs.push_back(
            {"bris de glace en un jour : " + times, "break-glass in one day: " + times});
    if (is_finding(event))
        if (const Finding finding = finding_named(said(event, "result"));
            finding != Finding::Explained)
            signs.push_back(sentence_of(finding));
    if (const std::string times = said(event, "times"); !times.empty() && times != "1")
        signs.push_back({"actes ce jour-là : " + times, "acts that day: " + times});
    if (const std::string colleague = said(event, "cosigned_by"); !colleague.empty())
        signs.push_back({"sans second facteur, contresigné par " + colleague,
                         "without a second factor, signed by " + colleague + ", too"});
    if (said(event, "vital") == "true")
        signs.push_back({"motif vital : les données masquées étaient ouvertes aussi",
                         "vital motive: masked data were open too"});
    return signs;
}

/// Of a finding, the access that it is about.
Duty duty_of_finding(const Event& event) {
    return {.kind = Duty::Kind::Unexplained,
            .event = said(event, "of"),
            .time = from_rfc3339(said(event, "at")).value_or(event.time),
            .due = event.time + kReviewWithin,
            .actor = {ActorId(said(event, "who")), said(event, "role"), {}, {}, {}},
            .cosigner = {},
            .patient = event.subject.patient,
            .motive = {},
            .words = {},
            .signs = signs_of(event),
            .review = std::nullopt};
}

Duty duty_of(const Event& event, Duty::Kind kind) {
    if (kind == Duty::Kind::Unexplained) return duty_of_finding(event);
    return {.kind = kind,
            .event = event.id,
            .time = event.time,
            .due = event.time + kReviewWithin,
            .actor = event.actor,
            .cosigner = ActorId(said(event, "cosigned_by")),
            .patient = event.subject.patient,
            .motive = said(event, "motive"),
            .words = said(event, "reason"),
            .signs = signs_of(event),
            .review = std::nullopt};
}

}  // namespace

std::string_view name_of(Conclusion conclusion) {
    return conclusion == Conclusion::Justified ? "justified" : "unjustified";
}

std::optional<Conclusion> conclusion_named(std::string_view name) {
    for (const Conclusion one : {Conclusion::Justified, Conclusion::Unjustified})
        if (name == name_of(one)) return one;
    return std::nullopt;
}

std::string_view name_of(Duty::Kind kind) {
    switch (kind) {
        case Duty::Kind::BreakGlass:
            return "break_glass";
        case Duty::Kind::Motive:
            return "motive";
        case Duty::Kind::Cut:
            return "cut";
        case Duty::Kind::Unexplained:
            return kFindingKind;
    }
    return "";
}

Text title_of(Duty::Kind kind) {
    switch (kind) {
        case Duty::Kind::BreakGlass:
            return {"Bris de glace", "Break-glass"};
        case Duty::Kind::Motive:
            return {"Bien plus de dossiers que d'habitude, motif donné",
                    "Many more records than usual, motive given"};
        case Duty::Kind::Cut:
            return {"Session coupée : beaucoup trop de dossiers",
                    "Session cut: far too many records"};
        case Duty::Kind::Unexplained:
            return {"Accès que rien n'explique", "Access that nothing explains"};
    }
    return {};
}

bool is_review(const Event& event) {
    return event.type == Type::ConsentDecided && said(event, "kind") == kReviewKind;
}

bool is_finding(const Event& event) {
    return event.type == Type::ConsentDecided && said(event, "kind") == kFindingKind;
}

Event finding_of(const Unexplained& access) {
    Event event;
    event.type = Type::ConsentDecided;
    event.action = event::Action::Execute;
    event.subject.patient = access.patient;
    event.detail = {{"kind", std::string(kFindingKind)},
                    {"of", access.event},
                    {"at", to_rfc3339(access.time)},
                    {"who", access.actor.str()},
                    {"role", access.role},
                    {"result", access.finding},
                    {"times", fmt::format("{}", access.times)}};
    return event;
}

std::string key_of(const Unexplained& access) {
    return fmt::format("{} {} {}", access.actor.str(), access.patient.str(),
                       to_rfc3339(access.time).substr(0, 10));
}

std::string key_of(const Event& finding) {
    return fmt::format("{} {} {}", said(finding, "who"), finding.subject.patient.str(),
                       said(finding, "at").substr(0, 10));
}

std::vector<Duty> duties_of(std::span<const Event> events) {
    std::vector<Duty> duties;
    std::map<std::string, Duty::Review> reviews;
    for (const Event& event : events) {
        if (const auto kind = kind_of(event)) duties.push_back(duty_of(event, *kind));
        if (!is_review(event)) continue;
        const auto conclusion = conclusion_named(said(event, "finding"));
        if (conclusion)
            reviews.try_emplace(
                said(event, "of"),
                Duty::Review{event.actor.id, event.time, *conclusion, said(event, "reason")});
    }
    for (Duty& duty : duties)
        if (const auto review = reviews.find(duty.event); review != reviews.end())
            duty.review = review->second;
    std::ranges::stable_sort(duties, {}, [](const Duty& duty) {
        const auto time = duty.time.time_since_epoch().count();
        return std::pair(duty.review.has_value(), duty.review ? -time : time);
    });
    return duties;
}

Result<Event> review_of(const Duty& duty, const ActorId& by, Conclusion conclusion,
                        const std::string& words) {
    if (duty.review)
        return fail(Code::AlreadyThere, {"cet accès est déjà relu", "this access was reviewed"},
                    {"voyez la liste de travail", "see the work list"});
    if (duty.actor.id == by || duty.cosigner == by)
        return fail(Code::Denied,
                    {"personne ne relit son propre accès", "nobody reviews an access of their own"},
                    {"demandez à quelqu'un d'autre", "ask somebody else"});
    if (words.size() < kWordsMin || words.size() > kMotiveBytesMax)
        return fail(
            Code::BadInput, {"la conclusion n'est pas motivée", "the conclusion gives no grounds"},
            {"dites en une phrase ce qui a été vérifié", "say in one sentence what was verified"});
    Event event;
    event.type = Type::ConsentDecided;
    event.action = event::Action::Execute;
    event.actor.id = by;
    event.actor.role = "security";
    event.subject.patient = duty.patient;
    event.detail = {{"kind", std::string(kReviewKind)},
                    {"of", duty.event},
                    {"about", std::string(name_of(duty.kind))},
                    {"finding", std::string(name_of(conclusion))},
                    {"reason", words}};
    return event;
}

std::string duties_json(std::span<const Duty> duties, WallTime now) {
    json lines = json::array();
    std::size_t open = 0;
    std::size_t late = 0;
    for (const Duty& duty : duties) {
        json signs = json::array();
        for (const Text& sign : duty.signs) signs.push_back({{"fr", sign.fr}, {"en", sign.en}});
        json line = {{"kind", name_of(duty.kind)},
                     {"event", duty.event},
                     {"time", to_rfc3339(duty.time)},
                     {"due", to_rfc3339(duty.due)},
                     {"late", duty.is_late(now)},
                     {"actor", duty.actor.id.str()},
                     {"role", duty.actor.role},
                     {"cosigner", duty.cosigner.str()},
                     {"patient", duty.patient.str()},
                     {"motive", duty.motive},
                     {"words", duty.words},
                     {"signs", signs},
                     {"review", nullptr}};
        if (duty.review)
            line["review"] = {{"by", duty.review->by.str()},
                              {"time", to_rfc3339(duty.review->time)},
                              {"finding", name_of(duty.review->conclusion)},
                              {"words", duty.review->words}};
        open += duty.review ? 0 : 1;
        late += duty.is_late(now) ? 1 : 0;
        lines.push_back(std::move(line));
    }
    const json answer = {{"duties", lines}, {"open", open}, {"late", late}};
    return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace hygie::access
