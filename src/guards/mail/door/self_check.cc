#include "guards/mail/door/self_check.h"

#include <algorithm>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/message.h"

namespace hygie::mail {
namespace {

/// What a domain publishes for mail in its name.
struct Policy {
    bool is_there = false;
    bool failed = false;
    bool strict_dkim = false;
    bool strict_spf = false;
};

/// "v=DMARC1; p=reject; adkim=s" under one name.
Policy policy_at(const std::string& domain, Resolver& resolver, SteadyTime until) {
    const DnsAnswer answer = resolver.ask("_dmarc." + domain, DnsType::Txt, until);
    Policy out{.failed = answer.kind == DnsAnswer::Kind::Failed};
    for (const std::string& text : answer.values) {
        std::string tight;
        for (const char c : lower(text))
            if (c != ' ' && c != '\t') tight += c;
        if (!tight.starts_with("v=dmarc1;")) continue;
        out.is_there = true;
        out.strict_dkim = contains(tight + ";", ";adkim=s;");
        out.strict_spf = contains(tight + ";", ";aspf=s;");
        break;
    }
    return out;
}

Policy policy_of(const std::string& author, Resolver& resolver, SteadyTime until) {
    Policy policy = policy_at(author, resolver, until);
    const std::string organisation = registrable_domain(author);
    if (policy.is_there || policy.failed || organisation.empty() || organisation == author)
        return policy;
    return policy_at(organisation, resolver, until);
}

bool is_aligned(std::string_view domain, std::string_view author, bool strict) {
    if (domain.empty()) return false;
    return strict ? domain == author : registrable_domain(domain) == registrable_domain(author);
}

/// The one author's domain; empty when there are several or none: then nothing aligns.
std::string author_domain(const Incoming& incoming) {
    Incoming head{.envelope = {}, .headers = {}, .body = {}};
    for (const RawHeader& header : incoming.headers)
        if (equal_any_case(header.name, "from")) head.headers.push_back(header);
    if (head.headers.size() != 1) return {};
    const auto message = parse_message(head.bytes());
    return message && message->from.size() == 1 ? lower(message->author().domain()) : std::string();
}

}  // namespace

void check_authentication(Incoming& incoming, Resolver& resolver, WallTime now, SteadyTime until) {
    Envelope& envelope = incoming.envelope;
    const std::string author = author_domain(incoming);
    if (author.empty()) return;
    const std::string path = lower(
        envelope.mail_from.empty() ? envelope.helo : std::string(domain_of(envelope.mail_from)));
    if (!envelope.client_ip.empty())
        envelope.spf = check_spf(
            {.ip = envelope.client_ip,
             .domain = path,
             .sender = envelope.mail_from.empty() ? "postmaster@" + path : envelope.mail_from,
             .helo = envelope.helo},
            resolver, until);
    const std::vector<DkimResult> signatures = check_dkim(incoming, resolver, now, until);
    const Policy policy = policy_of(author, resolver, until);
    bool undecided =
        policy.failed || envelope.spf == AuthResult::Error || envelope.spf == AuthResult::Absent;
    envelope.dkim = AuthResult::None;
    for (const DkimResult& one : signatures) {
        undecided |= one.result == AuthResult::Error;
        if (!is_aligned(one.domain, author, policy.strict_dkim)) continue;
        if (envelope.dkim != AuthResult::Pass) envelope.dkim = one.result;
    }
    if (!policy.is_there) {
        envelope.dmarc = policy.failed ? AuthResult::Error : AuthResult::None;
        return;
    }
    const bool spf =
        envelope.spf == AuthResult::Pass && is_aligned(path, author, policy.strict_spf);
    if (spf || envelope.dkim == AuthResult::Pass)
        envelope.dmarc = AuthResult::Pass;
    else
        envelope.dmarc = undecided ? AuthResult::Error : AuthResult::Fail;
}

}  // namespace hygie::mail
