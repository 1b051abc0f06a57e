#include "guards/mail/door/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "event/uuid.h"
#include "guards/mail/door/banner.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/message/fold.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kSuspiciousTag = "[Suspect]";
constexpr std::string_view kUnjudgedTag = "=?utf-8?Q?[Non_v=C3=A9rifi=C3=A9_/_unchecked]?=";

Text unchecked_notice() {
    return {
        "Message non vérifié : la garde n'a pas pu le juger. → N'ouvrez ni lien ni pièce jointe "
        "sans être sûr de qui écrit ; dans le doute, appelez au numéro que vous connaissez.",
        "Unchecked message: the guard could not judge it. → Open no link and no attachment "
        "unless you are sure who writes; when in doubt, call the number that you know."};
}

std::string mark_of(const Incoming& incoming, const Judgement& judgement, const std::string& id) {
    std::string mark =
        fmt::format("{}; class={}; score={:.4f}; id={}", event::name_of(judgement.level),
                    name_of(judgement.kind), judgement.score, id);
    for (std::size_t i = 0; i < judgement.reasons.size(); ++i)
        mark += (i == 0 ? "; why=" : ",") + judgement.reasons[i].id;
    const Envelope& envelope = incoming.envelope;
    if (envelope.is_authenticated())
        mark += fmt::format("; spf={}; dkim={}; dmarc={}", name_of(envelope.spf),
                            name_of(envelope.dkim), name_of(envelope.dmarc));
    return mark;
}

/// The subject with a word in front, as RFC 2047 wants it.
std::pair<std::string, std::string> tagged_subject(const Incoming& incoming, std::string_view tag) {
    std::string value(tag);
    if (const std::string_view subject = incoming.header("subject"); !subject.empty())
        value += " " + std::string(subject);
    return {"Subject", value};
}

bool is_inside(std::string_view address, const std::vector<std::string>& inside) {
    return std::ranges::any_of(inside, [&](const std::string& one) {
        const bool is_prefix = one.ends_with('.') || one.ends_with(':');
        return is_prefix ? address.starts_with(one) : address == one;
    });
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
    incoming.from_inside |= is_inside(incoming.envelope.client_ip, policy_.inside);
    if (doors_.desk)
        if (auto taken = doors_.desk(incoming)) return std::move(*taken);
    std::string bytes = judged_bytes(incoming, policy_.authserv_ids);
    if (doors_.authenticate && !incoming.from_inside && !incoming.envelope.is_authenticated())
        doors_.authenticate(incoming);
    const Result<Opened> opened =
        doors_.judges.judge(std::move(bytes), incoming.envelope, policy_.deadline);
    if (!opened) return failed(incoming, opened.error());
    const Fate fate = fate_of(incoming, *opened);
    return fate == Fate::Deliver ? delivered(incoming, *opened) : kept(incoming, *opened, fate);
}

/// What the policy wants, before anybody knows whether it can be done.
Fate Gate::fate_of(const Incoming& incoming, const Opened& opened) const {
    const event::Level level = opened.judgement.level;
    if (level == event::Level::Malicious)
        return policy_.malicious == GatePolicy::Malicious::Reject ? Fate::Reject : Fate::Hold;
    if (level == event::Level::Suspicious) {
        if (policy_.suspicious == GatePolicy::Suspicious::Reject) return Fate::Reject;
        if (policy_.suspicious == GatePolicy::Suspicious::Hold) return Fate::Hold;
    }
    if (!opened.noted.active_files.empty() && !incoming.from_inside &&
        policy_.active_files == GatePolicy::ActiveFiles::Hold)
        return Fate::Hold;
    return Fate::Deliver;
}

Rewrite Gate::rewrite_of(const Opened& opened) const {
    Rewrite what;
    if (opened.judgement.level == event::Level::Suspicious) {
        what.neutral = policy_.suspicious == GatePolicy::Suspicious::Neutralise;
        what.banner = what.neutral || policy_.suspicious == GatePolicy::Suspicious::Banner;
    }
    // A suspicious letter made harmless has no file that acts either.
    if (what.neutral || policy_.active_files == GatePolicy::ActiveFiles::Strip)
        what.without_files = opened.noted.active_files;
    return what;
}

bool Gate::keeps_signature(const Incoming& incoming) const {
    return policy_.dkim_signed == GatePolicy::DkimSigned::Keep &&
           !incoming.header("dkim-signature").empty();
}

Decision Gate::failed(const Incoming& incoming, const Error& why) {
    log::error("mail.not-judged", why);
    if (policy_.on_failure == GatePolicy::OnFailure::Defer) return {.fate = Fate::Defer};
    Decision decision{.fate = Fate::Deliver,
                      .mark = "unchecked",
                      .headers = {tagged_subject(incoming, kUnjudgedTag)},
                      .body = {}};
    if (keeps_signature(incoming)) return decision;
    if (auto banner = with_notice(incoming.bytes(), unchecked_notice())) {
        decision.headers.insert(decision.headers.end(), banner->headers.begin(),
                                banner->headers.end());
        decision.body = std::move(banner->body);
    }
    return decision;
}

Status Gate::seal(const std::string& id, const Incoming& incoming, const Opened& opened,
                  std::string kept_as) {
    const std::string bytes = incoming.bytes();
    return doors_.quarantine.hold({.id = id,
                                   .at = doors_.clock.now(),
                                   .envelope = incoming.envelope,
                                   .verdict = to_json(id, opened.judgement),
                                   .bytes = bytes.size(),
                                   .from = opened.message.author().address,
                                   .subject = std::string(cut(opened.message.subject, 500)),
                                   .kept_as = std::move(kept_as)},
                                  bytes);
}

Decision Gate::kept(const Incoming& incoming, const Opened& opened, Fate fate) {
    const std::string id = new_id();
    const bool is_refused = fate == Fate::Reject;
    // A message that must be held is never let through because it cannot be: it waits outside.
    if (const Status sealed = seal(id, incoming, opened, is_refused ? "rejected" : "held");
        !sealed) {
        log::error("mail.not-held", sealed.error());
        return {.fate = Fate::Defer};
    }
    if (const Status told = trace(event::Type::MailHeld, id, incoming, opened.judgement); !told) {
        log::error("mail.not-traced", told.error());
        return {.fate = Fate::Defer};
    }
    return {.fate = fate};
}

Decision Gate::delivered(const Incoming& incoming, const Opened& opened) {
    Rewrite what = rewrite_of(opened);
    const bool changes_much = what.neutral || !what.without_files.empty();
    if (keeps_signature(incoming)) {
        if (changes_much) return kept(incoming, opened, Fate::Hold);
        what = {};
    }
    if (changes_much) return changed_copy(incoming, opened, what);
    const std::string id = new_id();
    if (const Status told = trace(event::Type::MailJudged, id, incoming, opened.judgement); !told)
        return failed(incoming, told.error());
    Decision decision{.fate = Fate::Deliver,
                      .mark = mark_of(incoming, opened.judgement, id),
                      .headers = {},
                      .body = {}};
    if (opened.judgement.level == event::Level::Clean && doors_.remember)
        doors_.remember(opened, incoming.envelope, incoming.from_inside ? Way::Out : Way::In);
    if (!what.banner) return decision;
    decision.headers = {tagged_subject(incoming, kSuspiciousTag)};
    if (auto banner = rewritten(incoming.bytes(), opened.message, opened.judgement, what)) {
        decision.headers.insert(decision.headers.end(), banner->headers.begin(),
                                banner->headers.end());
        decision.body = std::move(banner->body);
    }
    return decision;
}

/// A copy from which something was taken, once the whole letter is sealed. What cannot be changed
/// so is held.
Decision Gate::changed_copy(const Incoming& incoming, const Opened& opened, const Rewrite& what) {
    auto copy = rewritten(incoming.bytes(), opened.message, opened.judgement, what);
    if (!copy) return kept(incoming, opened, Fate::Hold);
    const std::string id = new_id();
    if (const Status sealed = seal(id, incoming, opened, "neutralised"); !sealed) {
        log::error("mail.not-held", sealed.error());
        return {.fate = Fate::Defer};
    }
    if (const Status told = trace(event::Type::MailHeld, id, incoming, opened.judgement); !told)
        return {.fate = Fate::Defer};
    Decision decision{.fate = Fate::Deliver,
                      .mark = mark_of(incoming, opened.judgement, id) + "; neutralised",
                      .headers = std::move(copy->headers),
                      .body = std::move(copy->body)};
    if (what.banner)
        decision.headers.insert(decision.headers.begin(), tagged_subject(incoming, kSuspiciousTag));
    return decision;
}

Status Gate::expire(Micros keep) {
    const auto first = [&](const Held& held) {
        event::Event event;
        event.id = new_id();
        event.type = event::Type::MailHeld;
        event.action = event::Action::Delete;
        event.time = doors_.clock.now();
        event.subject.object = ObjectId("mail/" + held.id);
        event.detail = {{"why", "retention"}};
        return doors_.trace(event);
    };
    const auto count = doors_.quarantine.expire(doors_.clock.now() - keep, first);
    return count ? Status() : Status(std::unexpected(count.error()));
}

Status Gate::trace(event::Type type, const std::string& id, const Incoming& incoming,
                   const Judgement& judgement) {
    return doors_.trace(
        event_of(doors_.clock.now(), doors_.random, type, id, incoming.envelope, judgement));
}

/// A lesson that is lost costs another click.
void Gate::learn_from(const std::string& id) {
    if (!doors_.learn_release) return;
    const auto held = doors_.quarantine.find(id);
    const auto bytes = doors_.quarantine.message(id);
    if (held && bytes) doors_.learn_release(*bytes, held->envelope);
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
        if (release.teaches) learn_from(release.id);
        TRY_STATUS(doors_.quarantine.release_told(release.id));
    }
    return {};
}

}  // namespace hygie::mail
