#include <fmt/format.h>

#include <utility>

#include "base/escape.h"
#include "base/only.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/desk/own_operations.h"
#include "guards/records/sight/break_glass.h"

/// Break-glass without a second factor at hand: $break-glass gives a code, and POST $co-sign with
/// that code by a colleague opens the record — after showing what is asked, without `agree`. Both
/// acts, and what was shown, are in the ledger.
namespace hygie::records {
namespace {

std::string parameters(std::initializer_list<std::pair<std::string_view, std::string>> texts) {
    std::string out = R"({"resourceType":"Parameters","parameter":[)";
    for (const auto& [name, value] : texts) {
        if (out.back() == '}') out += ',';
        out += fmt::format(R"({{"name":"{}","valueString":)", name);
        append_json_string(out, value);
        out += '}';
    }
    return out + "]}";
}

std::string name_of(const Desk& desk, const access::Actor& actor) {
    const auto who = desk.options.who ? desk.options.who(actor.id) : std::nullopt;
    return who && !who->name.empty() ? who->name : actor.id.str();
}

/// The entry of a colleague's part in it.
event::Event cosign_event(Desk& desk, const Call& call, const access::CosignWish& wish,
                          std::string_view kind) {
    event::Event e = event_of(desk, call, event::Type::ConsentDecided, wish.patient,
                              reference_to("Patient", wish.patient));
    e.detail["kind"] = std::string(kind);
    e.detail["for"] = wish.by.id.str();
    e.detail["motive"] = wish.motive.code;
    return e;
}

struct Signing {
    access::CosignWish wish;
    std::string code;
    bool agrees = false;
};

Answer<Signing> signing(Desk& desk, const Call& call) {
    const OperationInput input = TRY(read_input(call, parameters_of("co-sign")));
    const std::string code(input.text("request"));
    auto wish = desk.cosign_wishes.find(code, desk.rooms.clock.now());
    if (!wish)
        return refuse(
            404, "not-found",
            {"aucun bris de glace n'attend sous ce code, ou plus maintenant",
             "no break-glass waits under this code, or no longer"},
            {"demandez un nouveau code à votre collègue", "ask your colleague for a new code"});
    if (const auto may = access::check_cosigner(*call.policy, call.actor, *wish); !may)
        return std::unexpected(glass_refused(may.error()));
    // What an incident holds vouches for nobody, and nobody vouches for an account that it holds.
    if (call.is_held(desk.rooms.clock.now()))
        return std::unexpected(
            held_by_incident(call.frozen ? access::Rule::Frozen : access::Rule::Contained));
    if (desk.is_frozen(wish->by)) return std::unexpected(held_by_incident(access::Rule::Frozen));
    return Signing{*std::move(wish), code, input.text("agree") == "true"};
}

/// What is asked, for the colleague to read.
Disclosure shown(Desk& desk, const Call& call, const access::CosignWish& wish) {
    return {json_response(call, 200,
                          parameters({{"asker", name_of(desk, wish.by)},
                                      {"patient", reference_to("Patient", wish.patient)},
                                      {"motive", wish.motive.code},
                                      {"reason", wish.motive.words},
                                      {"until", to_rfc3339(wish.until)}})),
            {cosign_event(desk, call, wish, "cosign_shown")}};
}

Disclosure asked(Desk& desk, const Call& call, const access::CosignWish& wish,
                 const std::string& code) {
    event::Event e = cosign_event(desk, call, wish, "cosign_asked");
    e.detail["reason"] = wish.motive.words;
    e.detail["until"] = to_rfc3339(wish.until);
    const Text how = {"dites ce code à un collègue : POST $co-sign avec « request »",
                      "tell a colleague this code: POST $co-sign with \"request\""};
    return {json_response(call, 202,
                          parameters({{"request", code},
                                      {"until", to_rfc3339(wish.until)},
                                      {"cosign", how.in(call.wishes.lang)}})),
            only(std::move(e))};
}

}  // namespace

void ask_for_cosigner(Desk& desk, CallPtr call, access::Motive motive, const std::string& patient) {
    const WallTime now = desk.rooms.clock.now();
    access::CosignWish wish{.by = call->actor,
                            .patient = patient,
                            .motive = std::move(motive),
                            .act = event_of(desk, *call, event::Type::BreakGlass, patient,
                                            reference_to("Patient", patient)),
                            .until = now + access::kCosignWait};
    auto code = desk.cosign_wishes.add(wish, desk.rooms.random, now);
    if (!code) return refuse(desk, std::move(call), Refusal(code.error()), event::Type::BreakGlass);
    Disclosure disclosure = asked(desk, *call, wish, *code);
    disclose(desk, std::move(call), std::move(disclosure));
}

void co_sign(Desk& desk, CallPtr call) {
    auto sign = signing(desk, *call);
    if (!sign) return refuse(desk, std::move(call), sign.error(), event::Type::ConsentDecided);
    if (!sign->agrees) {
        Disclosure disclosure = shown(desk, *call, sign->wish);
        return disclose(desk, std::move(call), std::move(disclosure));
    }
    const auto wish = desk.cosign_wishes.take(sign->code, desk.rooms.clock.now());
    if (!wish) return refuse(desk, std::move(call), not_found(), event::Type::ConsentDecided);
    event::Event signed_by = cosign_event(desk, *call, *wish, "cosign");
    OpenedGlass opened = opened_glass(desk, *call->policy, wish->motive, wish->act);
    const access::Actor& colleague = call->actor;
    opened.glass.cosigner = colleague.person.empty() ? colleague.id.str() : colleague.person;
    opened.glass.cosign_evidence = "event/" + signed_by.id;
    opened.act.detail["cosigned_by"] = colleague.id.str();
    opened.act.detail["cosigner"] = opened.glass.cosigner;
    opened.act.detail["cosign"] = opened.glass.cosign_evidence;
    signed_by.detail["of"] = opened.act.id;
    Disclosure disclosure{
        json_response(*call, 200,
                      parameters({{"asker", name_of(desk, wish->by)},
                                  {"patient", reference_to("Patient", wish->patient)},
                                  {"end", to_rfc3339(opened.glass.end)}})),
        {opened.act, std::move(signed_by)}};
    open_when_kept(desk, *call, std::move(opened));
    disclose(desk, std::move(call), std::move(disclosure));
}

}  // namespace hygie::records
