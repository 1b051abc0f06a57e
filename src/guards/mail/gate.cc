#include "guards/mail/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "event/uuid.h"
#include "guards/mail/banner.h"
#include "guards/mail/fold.h"
#include "guards/mail/report.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kSuspiciousTag = "[Suspect]";
constexpr std::string_view kUnjudgedTag = "=?utf-8?Q?[Non_v=C3=A9rifi=C3=A9_/_unchecked]?=";

std::string mark_of(const Judgement& judgement, const std::string& id) {
    std::string mark =
        fmt::format("{}; class={}; score={:.4f}; id={}", event::name_of(judgement.level),
                    name_of(judgement.kind), judgement.score, id);
    for (std::size_t i = 0; i < judgement.reasons.size(); ++i)
        mark += (i == 0 ? "; why=" : ",") + judgement.reasons[i].id;
    return mark;
}

/// The subject with a word in front, as RFC 2047 wants it.
std::pair<std::string, std::string> tagged_subject(const Incoming& incoming, std::string_view tag) {
    const auto subject = std::ranges::find_if(incoming.headers, [](const RawHeader& header) {
        return equal_any_case(header.name, "subject");
    });
    std::string value(tag);
    if (subject != incoming.headers.end()) value += " " + std::string(trim(subject->value));
    return {"Subject", value};
}

event::Verdict verdict_of(const Judgement& judgement) {
    event::Verdict verdict{
        .level = judgement.level,
        .score_permille = static_cast<std::uint16_t>(std::lround(judgement.score * 1000)),
        .reasons = {}};
    // Where it stands, not what it says: the trace holds nothing of the letter.
    for (const Reason& reason : judgement.reasons)
        verdict.reasons.push_back({reason.id, reason.text, reason.where});
    return verdict;
}

}  // namespace

event::Event event_of(WallTime now, Random& random, event::Type type, const std::string& object,
                      const Envelope& envelope, const Judgement& judgement) {
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(now, random));
    event.type = type;
    event.action = event::usual_action(type);
    event.time = now;
    event.subject.object = ObjectId("mail/" + object);
    event.network.address = envelope.client_ip;
    event.verdict = verdict_of(judgement);
    event.detail = {{"class", std::string(name_of(judgement.kind))},
                    {"from_domain", clean_utf8(cut(domain_of(envelope.mail_from), 255))}};
    return event;
}

Gate::Gate(GateDoors doors, GatePolicy policy)
    : doors_(std::move(doors)), policy_(std::move(policy)) {}

std::string Gate::new_id() {
    return event::print_uuid(event::make_uuid(doors_.clock.now(), doors_.random));
}

Decision Gate::pass(Incoming incoming) {
    std::string bytes = judged_bytes(incoming, policy_.authserv_ids);
    const Result<Opened> opened =
        doors_.judges.judge(std::move(bytes), incoming.envelope, policy_.deadline);
    if (!opened) return failed(incoming, opened.error());
    const event::Level level = opened->judgement.level;
    const bool hold =
        level == event::Level::Malicious ||
        (level == event::Level::Suspicious && policy_.suspicious == GatePolicy::Suspicious::Hold);
    return hold ? held(incoming, *opened) : delivered(incoming, *opened);
}

Decision Gate::failed(const Incoming& incoming, const Error& why) {
    log::error("mail.not-judged", why);
    if (policy_.on_failure == GatePolicy::OnFailure::Defer) return {.fate = Fate::Defer};
    return {.fate = Fate::Deliver,
            .mark = "unchecked",
            .headers = {tagged_subject(incoming, kUnjudgedTag)},
            .body = {}};
}

Decision Gate::held(const Incoming& incoming, const Opened& opened) {
    const std::string id = new_id();
    const std::string bytes = incoming.bytes();
    Held entry{.id = id,
               .at = doors_.clock.now(),
               .envelope = incoming.envelope,
               .verdict = to_json(id, opened.judgement),
               .bytes = bytes.size()};
    // A message that must be held is never let through because it cannot be: it waits outside.
    if (const Status kept = doors_.quarantine.hold(entry, bytes); !kept) {
        log::error("mail.not-held", kept.error());
        return {.fate = Fate::Defer};
    }
    if (const Status told = trace(event::Type::MailHeld, id, incoming, opened.judgement); !told) {
        log::error("mail.not-traced", told.error());
        return {.fate = Fate::Defer};
    }
    return {.fate = Fate::Hold};
}

Decision Gate::delivered(const Incoming& incoming, const Opened& opened) {
    const std::string id = new_id();
    if (const Status told = trace(event::Type::MailJudged, id, incoming, opened.judgement); !told)
        return failed(incoming, told.error());
    Decision decision{
        .fate = Fate::Deliver, .mark = mark_of(opened.judgement, id), .headers = {}, .body = {}};
    if (opened.judgement.level == event::Level::Clean) return decision;
    decision.headers = {tagged_subject(incoming, kSuspiciousTag)};
    if (auto banner = with_banner(incoming.bytes(), opened.message, opened.judgement)) {
        decision.headers.insert(decision.headers.end(), banner->headers.begin(),
                                banner->headers.end());
        decision.body = std::move(banner->body);
    }
    return decision;
}

Status Gate::trace(event::Type type, const std::string& id, const Incoming& incoming,
                   const Judgement& judgement) {
    return doors_.trace(
        event_of(doors_.clock.now(), doors_.random, type, id, incoming.envelope, judgement));
}

Status Gate::tell_releases() {
    for (const Release& release : TRY(doors_.quarantine.untold_releases())) {
        event::Event event;
        event.id = release.event_id;
        event.type = event::Type::MailReleased;
        event.action = event::usual_action(event.type);
        event.time = release.at;
        event.actor.id = ActorId(release.by);
        event.subject.object = ObjectId("mail/" + release.id);
        TRY_STATUS(doors_.trace(event));
        TRY_STATUS(doors_.quarantine.release_told(release.id));
    }
    return {};
}

}  // namespace hygie::mail
