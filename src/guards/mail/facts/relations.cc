#include "guards/mail/facts/relations.h"

#include <algorithm>
#include <array>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// Marks of an answer or a forward, as mail programs of our languages write them.
bool has_reply_mark(std::string_view subject) {
    static constexpr auto kMarks = std::to_array<std::string_view>(
        {"re:", "re :", "aw:", "antw:", "tr:", "tr :", "fw:", "fwd:", "rv:", "enc:", "res:", "wg:",
         "sv:", "r:", "i:", "rif:"});
    return std::ranges::any_of(
        kMarks, [&](std::string_view mark) { return starts_with_any_case(trim(subject), mark); });
}

void find_thread(const Message& message, const History& history, Relations& out) {
    const bool refers = !message.in_reply_to.empty() || !message.references.empty();
    out.claims_thread = refers || has_reply_mark(message.subject);
    const auto ours = [&](const std::string& id) { return history.message_ids.contains(id); };
    out.thread_known = std::ranges::any_of(message.in_reply_to, ours) ||
                       std::ranges::any_of(message.references, ours);
    out.thread_false = out.claims_thread && !out.thread_known && !history.message_ids.empty();
}

/// The address inside a display name: "paul@clinique.fr" <x@evil.example>.
std::string address_in(std::string_view name) {
    const std::size_t at = name.find('@');
    if (at == std::string_view::npos) return {};
    const auto part = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' ||
               c == '+';
    };
    std::size_t begin = at;
    std::size_t end = at + 1;
    while (begin > 0 && part(name[begin - 1])) --begin;
    while (end < name.size() && part(name[end])) ++end;
    if (begin == at || !contains(name.substr(at, end - at), ".")) return {};
    return lower(name.substr(begin, end - begin));
}

void find_names(const Message& message, const History& history, Relations& out) {
    const Address& author = message.author();
    out.display_address = address_in(author.name);
    out.display_name_is_address =
        !out.display_address.empty() &&
        registrable_domain(domain_of(out.display_address)) != out.from_domain;
    if (const StaffMember* person = history.staff_by_name(author.name)) {
        out.staff_named = person->name;
        out.staff_name_foreign_address =
            person->email != author.address && !out.from_own_domain && !out.known_correspondent;
    }
    if (const Correspondent* one = history.correspondent_by_name(author.name)) {
        out.correspondent_named = one->name;
        out.correspondent_foreign_address =
            one->address != author.address && !out.known_correspondent &&
            registrable_domain(domain_of(one->address)) != out.from_domain;
    }
    if (const Supplier* supplier = history.supplier_of_domain(author.domain()))
        out.supplier = supplier->name;
}

void find_replies(const Message& message, const History& history, const LinkReader& reader,
                  Relations& out) {
    if (message.reply_to.empty()) return;
    out.reply_to = message.reply_to.front().address;
    const std::string domain = registrable_domain(domain_of(out.reply_to));
    if (domain.empty() || out.reply_to == out.from_address) return;
    out.reply_to_differs = domain != out.from_domain;
    out.reply_to_freemail = history.is_freemail(domain);
    if (out.reply_to_differs) out.reply_to_look_alike = reader.look_alike(domain_of(out.reply_to));
}

}  // namespace

Relations find_relations(const Message& message, const Envelope& envelope, const History& history,
                         const Authentication& auth, const LinkReader& reader) {
    Relations out;
    out.history_known = !history.empty();
    const Address& author = message.author();
    out.from_address = author.address;
    out.from_domain = registrable_domain(author.domain());
    out.from_freemail = history.is_freemail(out.from_domain);
    out.from_own_domain = history.is_own_domain(author.domain());
    out.from_own_authenticated = out.from_own_domain && auth.is_authentic;
    out.known_correspondent = history.correspondent(author.address) != nullptr ||
                              history.staff_by_email(author.address) != nullptr;
    out.known_domain = !out.from_freemail && history.is_known_domain(author.domain());
    out.first_contact =
        out.history_known && !out.known_correspondent && !out.known_domain && !out.from_own_domain;
    out.is_tenant = built_in_pack().is_tenant(author.domain()) && !out.known_correspondent &&
                    !history.is_own_domain(author.domain());
    out.sender_look_alike = reader.look_alike(author.domain());
    const std::string mail_from =
        lower(envelope.mail_from.empty() ? message.return_path : envelope.mail_from);
    const std::string path = registrable_domain(domain_of(mail_from));
    const bool is_elsewhere = !path.empty() && path != out.from_domain;
    // A letter without an author is at odds with nobody.
    out.mail_from_differs = is_elsewhere && !out.from_domain.empty();
    // Who passes mail on rewrites its envelope (SRS), and the author's proof is still inside.
    out.by_nameless_tenant = is_elsewhere && path.ends_with("onmicrosoft.com") &&
                             !contains(mail_from, "srs=") && !auth.is_authentic;
    const auto is_author = [&](std::string_view to) { return to == author.address; };
    out.is_recipient =
        !author.address.empty() && (std::ranges::any_of(envelope.rcpt_to, is_author) ||
                                    std::ranges::any_of(message.to, is_author, &Address::address));
    out.to_undisclosed = message.to.empty() && message.cc.empty();
    for (const std::string& recipient : envelope.rcpt_to)
        if (const Organisation* ours = history.organisation_of(recipient))
            out.organisation = ours->id;
    if (out.organisation.empty())
        for (const Address& recipient : message.to)
            if (const Organisation* ours = history.organisation_of(recipient.address))
                out.organisation = ours->id;
    find_names(message, history, out);
    find_replies(message, history, reader, out);
    find_thread(message, history, out);
    return out;
}

}  // namespace hygie::mail
