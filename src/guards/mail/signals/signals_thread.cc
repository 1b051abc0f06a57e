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

/// How sure it is that somebody else took up an exchange: by who writes, and by what is wanted.
struct Hijack {
    bool is_imitated = false;     ///< who writes has an address like that of who was quoted
    bool is_sure = false;         ///< … and not merely the same name under another top-level domain
    bool is_other_voice = false;  ///< … the same person by name, at another domain
    bool gives_account = false;   ///< an account of no known supplier
    bool says_change = false;     ///< … and that it is a new one
    bool wants_money = false;
    bool wants_access = false;
    bool differs_from_quote = false;  ///< another account than the quoted letters gave
};

double strength_of(const Hijack& seen) {
    const double by_words = seen.says_change ? 1 : kWarns;
    if (seen.is_imitated && (seen.wants_money || seen.wants_access))
        return seen.is_sure || seen.gives_account ? 1 : kWarns;
    if (seen.is_other_voice && (seen.gives_account || seen.says_change)) return by_words;
    return seen.differs_from_quote ? by_words : 0;
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
    const IbanFacts* changed = changed_iban(seen);
    Hijack hijack{.is_imitated = !known && quoted.imitated != LookAlike::How::None,
                  .is_sure = quoted.imitated != LookAlike::How::OtherTld,
                  .says_change = seen.has(Lure::PaymentChange),
                  .wants_access = seen.has(Lure::Credential) || seen.has(Lure::Secret) ||
                                  seen.has(Lure::DataRequest),
                  .differs_from_quote = changed != nullptr};
    hijack.is_other_voice = !known && !hijack.is_imitated && quoted.other_domain;
    hijack.gives_account = changed || std::ranges::any_of(seen.ibans, [](const IbanFacts& one) {
                               return !one.in_quote && one.supplier.empty();
                           });
    hijack.wants_money =
        hijack.gives_account || hijack.says_change || seen.has(Lure::PaymentRequest);
    const std::string author = author_text(scene.message);
    if (hijack.is_imitated)
        out.add("thread.imitated", hijack.is_sure ? 1 : kWarns, author, from, whose);
    if (hijack.is_other_voice) out.add("thread.other_voice", 1, author, from, whose);
    if (changed) out.add("money.quote_differs", 1, changed->iban.evidence, changed->iban.where);
    if (changed && !hijack.is_imitated && !hijack.is_other_voice)
        out.add("scheme.thread_hijack", strength_of(hijack), changed->iban.evidence,
                changed->iban.where);
    else
        out.add("scheme.thread_hijack", strength_of(hijack), author, from);
}

}  // namespace hygie::mail
