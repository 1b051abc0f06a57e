#include <algorithm>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// Above the quoted history one account, in it another: who took up the exchange changed it.
const IbanFacts* changed_iban(const Evidence& seen) {
    const auto quoted = std::ranges::find(seen.ibans, true, &IbanFacts::in_quote);
    if (quoted == seen.ibans.end()) return nullptr;
    const auto fresh = std::ranges::find_if(seen.ibans, [&](const IbanFacts& one) {
        return !one.in_quote && one.supplier.empty() && one.iban.value != quoted->iban.value;
    });
    return fresh == seen.ibans.end() ? nullptr : &*fresh;
}

}  // namespace

void draw_thread(const Scene& scene, SignalList& out) {
    const Evidence& seen = scene.evidence;
    const QuotedFacts& quoted = seen.quoted;
    const Relations& who = seen.relations;
    if (!quoted.any || who.from_own_authenticated) return;
    const bool known = who.known_correspondent || who.known_domain;
    const std::string_view from = "header:From";
    const std::string_view whose = domain_of(quoted.author);
    const bool imitated = !known && quoted.imitated != LookAlike::How::None;
    const bool sure = quoted.imitated != LookAlike::How::OtherTld;
    const bool voice = !known && !imitated && quoted.other_domain;
    if (imitated)
        out.add("thread.imitated", sure ? 1 : kWarns, author_text(scene.message), from, whose);
    if (voice) out.add("thread.other_voice", 1, author_text(scene.message), from, whose);
    const IbanFacts* changed = changed_iban(seen);
    if (changed) out.add("money.quote_differs", 1, changed->iban.evidence, changed->iban.where);
    const bool account = changed || std::ranges::any_of(seen.ibans, [](const IbanFacts& one) {
                             return !one.in_quote && one.supplier.empty();
                         });
    const bool change = seen.has(Lure::PaymentChange);
    const bool money = account || change || seen.has(Lure::PaymentRequest);
    const bool access =
        seen.has(Lure::Credential) || seen.has(Lure::Secret) || seen.has(Lure::DataRequest);
    const double strength = imitated && (money || access)  ? (sure || account ? 1 : kWarns)
                            : voice && (account || change) ? (change ? 1 : kWarns)
                            : changed                      ? (change ? 1 : kWarns)
                                                           : 0;
    if (changed && !imitated && !voice)
        out.add("scheme.thread_hijack", strength, changed->iban.evidence, changed->iban.where);
    else
        out.add("scheme.thread_hijack", strength, author_text(scene.message), from);
}

}  // namespace hygie::mail
