#include <algorithm>

#include "guards/mail/facts/asks.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// A proven service that carries what strangers write: invoices, invitations, notes, mentions. Its
/// proof says who carried and not who speaks, and a house that knows the service knows nothing of
/// those who speak through it.
class Carried {
  public:
    Carried(const Scene& scene, SignalList& out, const Brand& carrier)
        : scene_(scene), seen_(scene.evidence), out_(out), carrier_(carrier) {}

    void draw() {
        number_to_call();
        imitated_place();
        house_passwords();
        if (!speaks_for_itself()) money_elsewhere();
    }

  private:
    bool says(std::initializer_list<Lure> lures) const {
        return std::ranges::any_of(lures, [&](Lure one) { return seen_.has(one); });
    }
    bool is_own(const Link& link) const {
        return is_followed(link) && built_in_pack().writes_from(carrier_, link.final_domain);
    }
    /// A place that neither the house nor the world knows.
    bool leads_away(const Link& link) const {
        return is_followed(link) && !is_own(link) && (link.brand.empty() || link.is_free_host) &&
               !scene_.history.is_known_domain(link.final_domain);
    }
    /// "PayPal", "Ana via DocuSign", "TurboTax" of Intuit: else a customer's own name stands there.
    bool speaks_for_itself() const {
        const std::string name = folded(scene_.message.author().name);
        const auto says_it = [&](const std::string& own) {
            return contains(name, " " + own + " ");
        };
        const Pack& pack = built_in_pack();
        return std::ranges::any_of(pack.brands, [&](const Brand& one) {
            return (pack.same_house(one.id, carrier_.id) ||
                    pack.writes_from(one, scene_.message.author().domain())) &&
                   (std::ranges::any_of(one.names, says_it) ||
                    std::ranges::any_of(one.weak_names, says_it));
        });
    }

    /// A charge that nobody made, and a number to ring.
    void number_to_call() {
        const Signal* call = out_.find("phone.call_asked");
        if (call && says({Lure::Charge, Lure::SupportAlert}))
            out_.add("scheme.carried", kWarns, call->evidence, call->where, carrier_.name);
    }

    /// "https://github-scanner.example", carried by GitHub: the service knows its own places.
    void imitated_place() {
        for (const Link& link : seen_.links)
            if (leads_away(link) && built_in_pack().same_house(link.look_alike.owner, carrier_.id))
                out_.add("scheme.carried_lure", kWarns, site_of(link), link.where, carrier_.name);
    }

    /// What the service shows opens at the service; whoever wants the passwords of the reader's
    /// house for it has a page behind it that takes them. Some services keep these passwords, and
    /// in their own name speak of the sign-in that the house itself set up.
    void house_passwords() {
        const bool keeps = carrier_.id == "microsoft" || carrier_.id == "google";
        if (keeps && !scene_.evidence.relations.reply_to_differs) return;
        const bool carries = !speaks_for_itself() || says({Lure::Document}) ||
                             scene_.evidence.relations.reply_to_differs;
        if (!carries || std::ranges::none_of(seen_.links, is_followed)) return;
        const AsksFacts asks = find_asks(scene_.message, std::string::npos);
        if (asks.work_mail)
            out_.add("scheme.carried_lure", kWarns, asks.sign_mail.evidence,
                     scene_.message.html.empty() ? "text" : "html", carrier_.name);
    }

    /// A gain or a refund at another place, or money by a brand whose name the customer took. Who
    /// sends a campaign through a service leads home; a notice of the service leads to it as well.
    void money_elsewhere() {
        const auto away =
            std::ranges::find_if(seen_.links, [&](const Link& link) { return leads_away(link); });
        const bool gain = says({Lure::Prize, Lure::Refund, Lure::AdvanceFee});
        const bool notice =
            std::ranges::any_of(seen_.links, [&](const Link& link) { return is_own(link); });
        if (away != seen_.links.end() && gain && notice)
            out_.add("scheme.carried_lure", kWarns, site_of(*away), away->where, carrier_.name);
        const Signal* posing = out_.find("sender.brand_foreign");
        if (posing && !seen_.phones.empty() &&
            (gain || says({Lure::Charge, Lure::SupportAlert, Lure::Threat})))
            out_.add("scheme.carried_lure", kWarns, posing->evidence, posing->where, carrier_.name);
    }

    const Scene& scene_;
    const Evidence& seen_;
    SignalList& out_;
    const Brand& carrier_;
};

}  // namespace

void draw_carried(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    const Brand* carrier = built_in_pack().brand_of_domain(scene.message.author().domain());
    if (!carrier || !carrier->carries || who.from_freemail || who.is_tenant ||
        out.has("thread.known"))
        return;
    Carried(scene, out, *carrier).draw();
}

}  // namespace hygie::mail
