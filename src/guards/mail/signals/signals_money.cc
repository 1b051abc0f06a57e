#include <algorithm>

#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

void draw_iban(const Scene& scene, const IbanFacts& one, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    const std::string& claimed = !who.supplier.empty() ? who.supplier : who.supplier_named;
    const Iban& iban = one.iban;
    if (!iban.is_valid) out.add("money.bad_iban", 1, iban.evidence, iban.where);
    if (one.known_to_sender || (!one.supplier.empty() && claimed.empty())) {
        out.add("money.known_iban", 1, iban.evidence, iban.where, one.supplier);
        return;
    }
    if (one.new_for_supplier) {
        out.add("money.new_iban", 1, iban.evidence, iban.where, claimed);
        const auto known = std::ranges::find(scene.history.suppliers, claimed, &Supplier::name);
        if (known != scene.history.suppliers.end() &&
            std::ranges::none_of(known->ibans, [&](const std::string& old) {
                return old.starts_with(iban.country);
            }))
            out.add("money.other_country", 1, iban.evidence, iban.where);
        return;
    }
    if (scene.evidence.relations.history_known && one.supplier.empty())
        out.add("money.unknown_iban", 1, iban.evidence, iban.where);
}

}  // namespace

void draw_money(const Scene& scene, SignalList& out) {
    for (const IbanFacts& one : scene.evidence.ibans) draw_iban(scene, one, out);
    // The shape alone is also that of keys and hashes: it counts where coins are spoken of.
    const bool coins = scene.evidence.has(Lure::SpamInvest) || scene.evidence.has(Lure::Extortion);
    for (const CryptoAddress& wallet : scene.evidence.wallets)
        if (wallet.is_valid || coins)
            out.add("money.wallet", wallet.is_valid ? 1 : 0.7, wallet.value, wallet.where);
    for (const Phone& phone : scene.evidence.phones)
        if (phone.call_asked) out.add("phone.call_asked", 1, phone.evidence, phone.where);
}

}  // namespace hygie::mail
