#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/only.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/desk/own_operations.h"
#include "guards/records/desk/pace.h"
#include "guards/records/sight/break_glass.h"

/// POST Patient/{id}/$break-glass with a motive: opens one closed record to one professional for at
/// most an hour. It stands once the ledger keeps it; the ledger's entry is what tells the patient
/// and the security officer, and what is reviewed within 72 hours.
namespace hygie::records {
namespace {

/// Purposes of HL7 v3 ActReason (http://terminology.hl7.org/CodeSystem/v3-ActReason), as other
/// software names them, and what they are called here.
constexpr std::pair<std::string_view, std::string_view> kActReasons[] = {
    {"ETREAT", "emergency"}, {"COC", "continuity"}, {"PUBHLTH", "public-health"}};

std::string motive_code(const OperationInput& input) {
    const auto own = input.text("motive");
    if (!own.empty()) return std::string(own);
    const auto code = input.value("code", "valueCoding")["code"].text();
    const auto* known = std::ranges::find(kActReasons, code, [](auto one) { return one.first; });
    return std::string(known == std::end(kActReasons) ? code : known->second);
}

std::string answer_of(const access::BreakGlass& glass) {
    return fmt::format(
        R"({{"resourceType":"Parameters","parameter":[{{"name":"end","valueInstant":"{}"}},)"
        R"({{"name":"patientTold","valueBoolean":true}},)"
        R"({{"name":"reviewBy","valueInstant":"{}"}}]}})",
        to_rfc3339(glass.end), to_rfc3339(glass.start + access::kReviewWithin));
}

/// What somebody declares, about whom; judged elsewhere.
struct Declared {
    access::Motive motive;
    std::string patient;
};

Answer<Declared> declared(Desk& desk, const Call& call) {
    const OperationInput input = TRY(read_input(call, parameters_of("break-glass")));
    access::Motive motive{.code = motive_code(input),
                          .words = std::string(input.text("reason")),
                          .vital = input.text("vital") == "true"};
    if (const auto may = access::check_break_glass(*call.policy, call.actor, motive); !may) {
        // Who lacks a second factor alone may ask a colleague.
        if (may.error().code != Code::Stale) return std::unexpected(glass_refused(may.error()));
        TRY_STATUS(access::check_motive(*call.policy, motive));
    }
    const auto found = TRY(desk.rooms.vault.find("Patient", call.target.id));
    if (found.entry.deleted) return std::unexpected(not_found());
    return Declared{std::move(motive), std::string(found.record->patient())};
}

/// A motive for going on beyond what is usual.
Answer<Disclosure> take_motive(Desk& desk, const Call& call) {
    const OperationInput input = TRY(read_input(call, parameters_of("justify")));
    const access::Motive motive{.code = motive_code(input),
                                .words = std::string(input.text("reason"))};
    TRY_STATUS(access::check_motive(*call.policy, motive));
    event::Event e = event_of(desk, call, event::Type::ConsentDecided, {}, {});
    e.detail["kind"] = "justify";
    e.detail["motive"] = motive.code;
    e.detail["reason"] = motive.words;
    e.detail["until"] = to_rfc3339(e.time + kMotiveLasts);
    const Issues done{{Severity::Information,
                       "informational",
                       {"motif enregistré : la personne responsable de la sécurité le lira",
                        "motive kept: the security officer will read it"}}};
    return Disclosure{json_response(call, 200, outcome_json(done, call.wishes.lang)),
                      only(std::move(e))};
}

}  // namespace

Refusal glass_refused(const Error& error) {
    Refusal refusal(error);
    if (error.code == Code::BadInput) return refusal;
    refusal.status = 403;
    refusal.reasons.push_back(
        {.id = "circle.break_glass.refused", .text = error.what, .evidence = {}});
    return refusal;
}

OpenedGlass opened_glass(Desk& desk, const access::Policy& policy, const access::Motive& motive,
                         event::Event act) {
    const WallTime now = desk.rooms.clock.now();
    OpenedGlass opened{.actor = act.actor.id,
                       .patient = act.subject.patient.str(),
                       .glass = {.start = now,
                                 .end = now + std::chrono::seconds(policy.break_glass_seconds),
                                 .vital = motive.vital},
                       .act = std::move(act)};
    const auto signs = desk.glasses.look(opened.actor, opened.patient, motive, now);
    event::Event& e = opened.act;
    e.time = now;
    e.purpose = "BTG";
    e.break_glass = true;
    e.detail["motive"] = motive.code;
    e.detail["reason"] = motive.words;
    e.detail["until"] = to_rfc3339(opened.glass.end);
    e.detail["tell"] = "patient,officer";
    e.detail["review_by"] = to_rfc3339(now + access::kReviewWithin);
    if (motive.vital) e.detail["vital"] = "true";
    if (signs.copied) e.detail["copied"] = "true";
    if (signs.before + 1 >= access::kGlassHabit)
        e.detail["within_a_day"] = fmt::format("{}", signs.before + 1);
    opened.glass.evidence = "event/" + e.id;
    return opened;
}

void open_when_kept(Desk& desk, Call& call, OpenedGlass opened) {
    call.reply = [&desk, reply = std::move(call.reply),
                  opened = std::move(opened)](http::Response response) mutable {
        if (response.status == 200)
            desk.glasses.open(opened.actor, opened.patient, opened.glass, opened.glass.start);
        reply(std::move(response));
    };
}

void break_glass(Desk& desk, CallPtr call) {
    auto said = declared(desk, *call);
    if (!said) return refuse(desk, std::move(call), said.error(), event::Type::BreakGlass);
    if (!access::is_strong(call->actor.auth))
        return ask_for_cosigner(desk, std::move(call), std::move(said->motive), said->patient);
    OpenedGlass opened = opened_glass(desk, *call->policy, said->motive,
                                      event_of(desk, *call, event::Type::BreakGlass, said->patient,
                                               reference_to("Patient", call->target.id)));
    Disclosure disclosure{json_response(*call, 200, answer_of(opened.glass)), {opened.act}};
    open_when_kept(desk, *call, std::move(opened));
    disclose(desk, std::move(call), std::move(disclosure));
}

void justify(Desk& desk, CallPtr call) {
    auto taken = take_motive(desk, *call);
    if (!taken) return refuse(desk, std::move(call), taken.error(), event::Type::ConsentDecided);
    call->reply = [&desk, reply = std::move(call->reply),
                   actor = call->actor.id](http::Response response) mutable {
        if (response.status == 200) desk.pace->justify(actor, desk.rooms.clock.now());
        reply(std::move(response));
    };
    disclose(desk, std::move(call), *std::move(taken));
}

namespace {

/// The openings last.
constexpr std::array kRemembered = {event::Type::BreakGlass, event::Type::ConsentDecided,
                                    event::Type::RecordRead, event::Type::RecordExported,
                                    event::Type::RecordSearched};
constexpr std::size_t kOpenings = 3;

}  // namespace

std::span<const event::Type> remembered() {
    return kRemembered;
}

std::span<const event::Type> openings() {
    return std::span(kRemembered).last<kOpenings>();
}

void remember(Desk& desk, const event::Event& event) {
    // The list decides: what is missing from it is missed here too, not at restarts alone.
    if (std::ranges::count(remembered(), event.type) == 0) return;
    const WallTime now = desk.rooms.clock.now();
    const bool succeeded = event.outcome == event::Outcome::Success;
    const auto said = [&](const std::string& name) {
        const auto found = event.detail.find(name);
        return found == event.detail.end() ? std::string() : found->second;
    };
    if (event.type == event::Type::BreakGlass && succeeded) {
        const auto until = from_rfc3339(said("until"));
        if (!until) return;
        desk.glasses.look(event.actor.id, event.subject.patient.str(),
                          {.code = said("motive"), .words = said("reason")}, event.time);
        if (*until > now)
            desk.glasses.open(event.actor.id, event.subject.patient.str(),
                              {.start = event.time,
                               .end = *until,
                               .vital = said("vital") == "true",
                               .evidence = "event/" + event.id,
                               .cosigner = said("cosigner"),
                               .cosign_evidence = said("cosign")},
                              now);
        return;
    }
    if (event.type == event::Type::ConsentDecided && said("kind") == "justify" && succeeded &&
        event.time + kMotiveLasts > now)
        return desk.pace->justify(event.actor.id, event.time);
    if (counts_for_pace(event))
        desk.pace->note(*desk.policy(), event.actor.id, {&event, 1}, event.time);
}

}  // namespace hygie::records
