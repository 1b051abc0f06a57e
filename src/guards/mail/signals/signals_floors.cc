#include <algorithm>
#include <array>
#include <span>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// Facts that an honest letter hardly has together: a stranger who takes a name, a place or an
/// address that belongs to somebody else, and wants something.
class Borrowed {
  public:
    Borrowed(const Scene& scene, SignalList& out)
        : scene_(scene), seen_(scene.evidence), who_(scene.evidence.relations), out_(out) {
        known_ = who_.known_correspondent || who_.known_domain || who_.from_own_authenticated ||
                 out.has("thread.known");
        sender_brand_ = who_.from_freemail || who_.is_tenant
                            ? nullptr
                            : built_in_pack().brand_of_domain(scene.message.author().domain());
        for (const Link& link : seen_.links)
            if (!unknown_link_ && is_unknown(link)) unknown_link_ = &link;
        demands_ = says({Lure::Credential, Lure::Secret});
    }

    void draw() {
        house_imitated();
        partner_imitated();
        carried();
        account_announced();
        if (known_ || sender_brand_) return;
        house_named();
        house_desk();
        house_voice();
        nobodys_desk();
        carrier_named();
        brand_posing();
        initials_borrowed();
        disguised_link();
        stranger_account();
        stranger_wallet();
        bare_order();
        shortened_away();
        program_link();
    }

  private:
    /// A place that neither the house nor the world knows; a stranger's own is one too.
    bool is_unknown(const Link& link) const {
        return is_followed(link) && (link.brand.empty() || link.is_free_host) &&
               !scene_.history.is_known_domain(link.final_domain);
    }
    bool says(std::initializer_list<Lure> lures) const {
        return std::ranges::any_of(lures, [&](Lure one) { return seen_.has(one); });
    }
    bool wants_something() const {
        return unknown_link_ || !scene_.message.attachments.empty() || demands_ ||
               says({Lure::Identify, Lure::PaymentRequest, Lure::PaymentChange, Lure::DataRequest,
                     Lure::GiftCard, Lure::BecOpener, Lure::Secrecy, Lure::Call, Lure::Urgency});
    }
    bool alarms() const {
        return demands_ || says({Lure::Charge, Lure::SupportAlert, Lure::Threat, Lure::Urgency,
                                 Lure::Refund, Lure::Prize});
    }
    /// What is threatened is an account or a mailbox, not a card or a delivery.
    bool fears_for_account() const {
        static constexpr auto kAccounts = std::to_array<std::string_view>(
            {"acces",    "access",       "accesso",  "acceso",    "account", "boite",
             "buzon",    "casella",      "compte",   "connexion", "conta",   "conto",
             "cuenta",   "deactivation", "konto",    "log in",    "login",   "mailbox",
             "messages", "password",     "passwort", "postfach",  "postvak", "rekening",
             "session",  "sign in",      "storage",  "quota",     "zugang"});
        const std::string words = folded(seen_.lure(Lure::Threat).evidence);
        return std::ranges::any_of(kAccounts, [&](std::string_view one) {
            return contains(words, " " + std::string(one) + " ");
        });
    }
    void add_link(std::string_view id, double strength, const Link& link,
                  std::string_view detail = {}) {
        out_.add(id, strength, site_of(link), link.where, detail);
    }

    /// The house's own domain, spelled a little otherwise.
    void house_imitated() {
        const bool by_sender = who_.sender_look_alike.owner == "own" && !who_.from_freemail &&
                               !who_.known_correspondent && !who_.known_domain;
        const bool posing = out_.has("sender.names_us") || out_.has("sender.executive_name") ||
                            out_.has("sender.staff_foreign") ||
                            is_house_desk(folded(scene_.message.author().name));
        const bool holds = posing || demands_ || says({Lure::Identify});
        if (by_sender && wants_something()) {
            out_.add("scheme.house_imitated", holds ? kHolds : kWarns, who_.from_address,
                     "header:From", who_.sender_look_alike.honest);
            return;
        }
        for (const Link& link : seen_.links)
            if (is_unknown(link) && link.look_alike.owner == "own")
                add_link("scheme.house_imitated", demands_ && !known_ ? kHolds : kWarns, link,
                         link.look_alike.honest);
    }

    /// The whole domain of a partner, in front of somebody else's, or in letters that look the
    /// same.
    void partner_imitated() {
        const auto whole = [](const LookAlike& like) {
            return like.how == LookAlike::How::Within && like.owner != "own";
        };
        // Letters that look the same ("rn" for "m") are no chance.
        const LookAlike& like = who_.sender_look_alike;
        const bool same_letters = like.how == LookAlike::How::Confusable && like.owner != "own" &&
                                  !built_in_pack().brand(like.owner) && !who_.from_freemail;
        if (!known_ && (whole(like) || same_letters) && wants_something())
            out_.add("scheme.partner_imitated",
                     demands_ || says({Lure::DataRequest}) ? kHolds : kWarns, who_.from_address,
                     "header:From", who_.sender_look_alike.honest);
        for (const Link& link : seen_.links)
            if (is_unknown(link) && whole(link.look_alike))
                add_link("scheme.partner_imitated", kWarns, link, link.look_alike.honest);
    }

    /// What a proven service carries, and answers that go to a place which costs nothing.
    void carried() {
        if (!sender_brand_ || known_) return;
        const std::string answer = registrable_domain(domain_of(who_.reply_to));
        if (who_.is_carrier && built_in_pack().is_cheap_zone(answer) && wants_something())
            out_.add("scheme.carried_bait", kWarns, who_.reply_to, "header:Reply-To",
                     sender_brand_->name);
    }

    /// The words carry it alone where no memory says whose account it is.
    void account_announced() {
        const LureFacts& change = seen_.lure(Lure::PaymentChange);
        const bool strange = std::ranges::any_of(
            seen_.ibans, [](const IbanFacts& one) { return one.supplier.empty(); });
        if (strange && (change.phrases >= 2 || change.in_subject))
            out_.add("scheme.account_announced", kWarns, change.evidence, change.where);
    }

    /// "Assignation.exe": what the letter says is in the archive.
    bool names_program() const {
        const std::string text = lower(scene_.message.text);
        constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-";
        for (std::size_t at = text.find('.'); at != std::string::npos; at = text.find('.', at)) {
            const std::size_t from = text.find_last_not_of(kNameLetters, at) + 1;
            const std::size_t to = std::min(text.find_first_not_of(kNameLetters, at), text.size());
            std::string_view name = std::string_view(text).substr(from, to - from);
            while (name.ends_with('.')) name.remove_suffix(1);
            const bool in_address = from > 0 && (text[from - 1] == '/' || text[from - 1] == '@');
            if (!in_address && !name.starts_with('.') && is_program_name(name)) return true;
            at = to;
        }
        return false;
    }

    /// A program behind a stranger's link, or in an archive there. Held when it comes in haste or
    /// in somebody's name.
    void program_link() {
        // Handed to a program of the reader's machine, which fetches and starts what it is told.
        static constexpr auto kHandlers = std::to_array<std::string_view>(
            {"ms-appinstaller", "ms-msdt", "ms-officecmd", "ms-search", "search", "search-ms",
             "shell", "vbscript"});
        static constexpr auto kArchives =
            std::to_array<std::string_view>({".zip", ".7z", ".rar", ".ace", ".cab", ".img"});
        for (const Link& link : seen_.links) {
            if (std::ranges::find(kHandlers, link.scheme) != kHandlers.end())
                out_.add("scheme.program_link", kHolds, link.target, link.where);
            if (!is_unknown(link)) continue;
            const std::string file = file_of(link);
            if (!is_program_name(file) && !(ends_in(file, kArchives) && names_program())) continue;
            const bool pressed =
                says({Lure::Urgency, Lure::Threat}) || out_.has("sender.brand_foreign");
            add_link("scheme.program_link", pressed ? kHolds : kWarns, link);
        }
    }

    void house_named() {
        if (who_.from_own_domain || !unknown_link_) return;
        const std::string name = folded(scene_.message.author().name);
        for (const Organisation& house : scene_.history.organisations) {
            const std::string ours = folded(house.name);
            if (ours.size() > kHouseNameMin && contains(name, ours))
                out_.add("scheme.house_named", kWarns, author_text(scene_.message), "header:From",
                         house.name);
        }
    }

    /// The house's own name, from elsewhere, wants a password: by a link, or by return.
    void house_desk() {
        const Signal* posing = out_.find("sender.names_us");
        if (posing && posing->strength >= 1 && demands_ && !who_.from_own_domain)
            out_.add("scheme.house_desk", kWarns, posing->evidence, posing->where);
    }

    /// "The IT department has …, click here": the house's own desks write from its own domain, so
    /// this needs no memory. Newsletters speak of desks too, and lead to many places.
    void house_voice() {
        if (scene_.message.to.empty() || !unknown_link_ || out_.has("link.many")) return;
        const std::string ours = registrable_domain(scene_.message.to.front().domain());
        if (ours.empty() || ours == who_.from_domain || scene_.history.is_freemail(ours)) return;
        const LureFacts& voice = seen_.lure(Lure::House);
        const bool asks = demands_ || out_.has("link.unrelated") ||
                          says({Lure::Click, Lure::Identify, Lure::Document, Lure::Urgency,
                                Lure::Threat, Lure::DataRequest});
        if (voice.phrases > 0 && asks && !says({Lure::Mailing}))
            out_.add("scheme.house_voice", kWarns, voice.evidence, voice.where);
    }

    /// "Help Desk", of nobody: whoever writes to a house for the first time says whose desk it is.
    void nobodys_desk() {
        const bool asks = demands_ || says({Lure::Identify, Lure::Click, Lure::Document,
                                            Lure::Urgency, Lure::Threat, Lure::DataRequest});
        if (!who_.first_contact || !unknown_link_ || !asks || out_.has("link.many") ||
            says({Lure::Mailing}) || scene_.message.is_report)
            return;
        if (is_desk_alone(folded(scene_.message.author().name)))
            out_.add("scheme.nobodys_desk", kWarns, author_text(scene_.message), "header:From");
    }

    /// "A document was shared with you on Dropbox", and nothing to click leads there: who carries
    /// for others has what it carries at its own place.
    void carrier_named() {
        if (!unknown_link_ || !says({Lure::Document}) || out_.has("link.many") ||
            says({Lure::Mailing}))
            return;
        const Pack& pack = built_in_pack();
        for (const BrandMention& named : seen_.brands) {
            const Brand& brand = *pack.brand(named.id);
            const bool leads_there = std::ranges::any_of(seen_.links, [&](const Link& link) {
                return is_followed(link) && pack.writes_from(brand, link.final_domain);
            });
            if (brand.carries && !named.sender_is_brand && !leads_there &&
                (named.in_subject || named.in_sender))
                add_link("scheme.carrier_named", kWarns, *unknown_link_, brand.name);
        }
    }

    /// Nothing but a brand's name for a sender, and an address that is not the brand's.
    void brand_posing() {
        for (const BrandMention& brand : seen_.brands) {
            if (!brand.is_whole_sender || brand.sender_is_brand) continue;
            const bool number = !seen_.phones.empty() && who_.from_freemail && alarms();
            if (!unknown_link_ && !number) continue;
            const bool borrows = out_.has("link.brand_in_host") || out_.has("link.embeds") ||
                                 out_.has("link.look_alike") || out_.has("sender.embeds") ||
                                 out_.has("sender.look_alike") ||
                                 out_.has("link.shown_other_domain");
            const bool shows_brand = std::ranges::any_of(seen_.links, [&](const Link& link) {
                return is_unknown(link) && built_in_pack().same_house(link.shown_brand, brand.id);
            });
            const bool holds = (borrows && demands_) || shows_brand;
            out_.add(unknown_link_ ? "scheme.brand_posing" : "scheme.brand_by_phone",
                     unknown_link_ && holds ? kHolds : kWarns, author_text(scene_.message),
                     "header:From", brand.name);
        }
    }

    /// "cnam-indus.example", "ars-alertes.example": initials of a house of care or of the state
    /// stand in the stranger's own domain, and the letter alarms in that name and leads back there.
    void initials_borrowed() {
        const bool leads_home = std::ranges::any_of(seen_.links, [&](const Link& link) {
            return is_unknown(link) && link.final_domain == who_.from_domain;
        });
        if (!leads_home || who_.from_freemail || !alarms()) return;
        for (const Brand& brand : built_in_pack().brands)
            if ((brand.category == "health" || brand.category == "public") && goes_by(brand))
                out_.add("scheme.brand_posing", kWarns, who_.from_address, "header:From",
                         brand.name);
    }

    /// Initials that are a word too ("ars") have to stand in the sender's name as well.
    bool goes_by(const Brand& brand) const {
        std::string label(main_label(who_.from_domain));
        std::ranges::replace(label, '-', ' ');
        const std::string parts = folded(label);
        const auto holds = [&](const std::string& initials) {
            constexpr std::size_t kInitialsMin = 3;
            constexpr std::size_t kInitialsMax = 5;
            const std::string word = " " + initials + " ";
            return initials.size() >= kInitialsMin && initials.size() <= kInitialsMax &&
                   parts.size() > word.size() && contains(parts, word);
        };
        if (std::ranges::any_of(brand.names, holds)) return speaks_of(brand, parts);
        const std::string name = folded(scene_.message.author().name);
        const bool of_care = seen_.has(Lure::Health) ||
                             std::ranges::any_of(seen_.brands, [](const BrandMention& one) {
                                 return one.category == "health";
                             });
        return of_care && std::ranges::any_of(brand.weak_names, [&](const std::string& word) {
                   return holds(word) && contains(name, " " + word + " ");
               });
    }

    /// By a name of its house, beside the sender's own domain.
    bool speaks_of(const Brand& brand, const std::string& own) const {
        std::string said = folded(scene_.message.subject) + folded(scene_.message.text);
        for (std::size_t at = said.find(own); at != std::string::npos; at = said.find(own, at))
            said.erase(at, own.size() - 1);
        const Pack& pack = built_in_pack();
        return std::ranges::any_of(pack.brands, [&](const Brand& one) {
            return pack.same_house(one.id, brand.id) &&
                   std::ranges::any_of(one.names, [&](const std::string& name) {
                       return contains(said, " " + name + " ");
                   });
        });
    }

    /// The address of a person, not of a place: unless it is the house's, whose mailbox it would
    /// be.
    bool shows_somebody(const Link& link) const {
        return contains(link.shown, "@") && !contains(link.shown, "://") &&
               std::ranges::none_of(scene_.message.to, [&](const auto& reader) {
                   return registrable_domain(reader.domain()) == link.shown_domain;
               });
    }

    /// What the letter is about: its sender's place, or where most of its many links lead.
    bool is_home(const Link& link) const {
        if (link.final_domain == who_.from_domain) return !who_.from_freemail;
        if (!out_.has("link.many")) return false;
        const auto there = std::ranges::count(seen_.links, link.final_domain, &Link::final_domain);
        return there * 2 > std::ranges::count_if(seen_.links, is_followed);
    }

    /// A name that somebody here would trust.
    bool shows_the_trusted(const Link& link) const {
        return !link.shown_brand.empty() || scene_.history.is_known_domain(link.shown_domain) ||
               std::ranges::any_of(scene_.message.to, [&](const auto& reader) {
                   return registrable_domain(reader.domain()) == link.shown_domain;
               });
    }
    /// Many links to many places: who writes so reports what others wrote.
    bool is_roundup() const {
        constexpr std::size_t kManyPlaces = 6;
        std::vector<std::string_view> places;
        for (const Link& link : seen_.links)
            if (is_followed(link) && std::ranges::find(places, link.final_domain) == places.end())
                places.push_back(link.final_domain);
        return out_.has("link.many") && places.size() >= kManyPlaces;
    }
    bool is_newsletter() const { return out_.has("link.many") && says({Lure::Mailing}); }

    /// The reader sees one place and is sent to another. Mailings count their clicks so, and want
    /// nothing of an account; a name that nobody knows, over the sender's own place or in a report
    /// of what many wrote, hides nothing.
    void disguised_link() {
        if (!who_.first_contact) return;
        const bool roundup = is_roundup();
        const bool wants = demands_ || says({Lure::Identify, Lure::PaymentRequest, Lure::Threat});
        for (const Link& link : seen_.links) {
            if (!is_unknown(link) || link.shown_domain.empty() ||
                link.shown_domain == link.domain || link.shown_domain == link.final_domain ||
                link.shown_domain == who_.from_domain || shows_somebody(link) ||
                (roundup && !shows_the_trusted(link)))
                continue;
            const bool hides = !is_home(link) || shows_the_trusted(link);
            if (wants ? hides || !is_newsletter() : hides && !says({Lure::Mailing}))
                out_.add("scheme.disguised_link", kWarns, link.shown, link.where,
                         link.final_domain);
        }
    }

    /// The name shown is that of its own domain.
    bool bears_its_domain() const {
        return shares_word(folded(scene_.message.author().name), folded(who_.from_domain));
    }
    /// "Your account on Medistore", from Medistore, which is in no hurry: it says whose account it
    /// is.
    bool says_whose() const {
        const std::string name = folded(scene_.message.author().name);
        return bears_its_domain() && !says({Lure::Urgency}) &&
               contains(folded(without_addresses(scene_.message.text)), name);
    }

    /// From a proven domain and with its own places: written to many, who quote what frightens, or
    /// in nobody else's name, as a service does that unlocks its own accounts.
    bool proven_at_home() const {
        const bool speaks_for_itself =
            seen_.brands.empty() && !out_.has("sender.names_us") && !out_.has("text.names_us") &&
            (!out_.has("text.short") || says_whose()) && !who_.is_tenant && !who_.from_freemail;
        return seen_.auth.is_authentic && !out_.has("link.unrelated") &&
               (says({Lure::Mailing}) || speaks_for_itself);
    }

    /// A shop tells how to sign in to the account that was just opened with it, in its own name;
    /// among the many links of a newsletter somebody speaks of passwords.
    bool merely_tells() const {
        return is_newsletter() ||
               (says({Lure::Opened}) && leads_home() && !seen_.auth.is_forged &&
                seen_.brands.empty() && !out_.has("sender.names_us") &&
                !out_.has("text.names_us") && !who_.is_tenant && !who_.from_freemail);
    }
    bool leads_home() const {
        return std::ranges::all_of(seen_.links, [&](const Link& link) {
            return !is_unknown(link) || link.final_domain == who_.from_domain;
        });
    }
    /// Proven, in the name that its own domain bears, and with nothing to follow but its own
    /// places: a service tells how one signs in there.
    bool tells_of_itself() const { return proven_at_home() && leads_home() && bears_its_domain(); }

    /// In the name of no brand: somebody never seen says that an account is lost, and wants it.
    void stranger_account() {
        if (!who_.first_contact || !unknown_link_) return;
        // A report of many things speaks of accounts too; its subject says what it is about.
        const auto heads = [&](Lure one) { return seen_.lure(one).in_subject; };
        if (is_roundup() && !heads(Lure::Threat) && !heads(Lure::Credential) &&
            !heads(Lure::Secret))
            return;
        const bool alarm = fears_for_account();
        const bool presses = alarm || says({Lure::Urgency, Lure::Credential});
        if (seen_.has(Lure::Secret) && (presses || !(merely_tells() || tells_of_itself())))
            add_link("scheme.stranger_account", presses ? kHolds : kWarns, *unknown_link_);
        else if (alarm && !proven_at_home() &&
                 (says({Lure::Identify, Lure::Credential}) || out_.has("text.greets_address")))
            add_link("scheme.stranger_account", kWarns, *unknown_link_);
    }

    /// Coins are not asked back: who gives an address for them, and nothing else, wants them.
    void stranger_wallet() {
        const Signal* wallet = out_.find("money.wallet");
        if (wallet && who_.first_contact && out_.has("link.none"))
            out_.add("scheme.stranger_wallet", kWarns, wallet->evidence, wallet->where);
    }

    /// "Can you process a wire urgently?": an order to pay, from a free mailbox, with nothing to
    /// pay to. Who sends a bill sends it with its account, its file or its page.
    void bare_order() {
        constexpr std::size_t kOrderWords = 80;
        const LureFacts& pay = seen_.lure(Lure::PaymentRequest);
        const bool presses = says({Lure::Urgency, Lure::Secrecy, Lure::BecOpener});
        if (!who_.from_freemail || pay.phrases == 0 || !presses || seen_.words >= kOrderWords ||
            !out_.has("link.none") || !scene_.message.attachments.empty() || !seen_.ibans.empty() ||
            seen_.quoted.any)
            return;
        out_.add("scheme.bare_order", kWarns, pay.evidence, pay.where);
    }

    /// All that there is to click is one shortened address: where it leads, somebody never seen
    /// does not say. Newsletters shorten too, but lead to places of their own as well; and below a
    /// letter that sends nobody there it is the writer's own place.
    void shortened_away() {
        const Link* only = nullptr;
        for (const Link& link : seen_.links) {
            if (!is_followed(link)) continue;
            if (!link.is_shortener || (only && only->final_domain != link.final_domain)) return;
            only = &link;
        }
        if (only && who_.first_contact && !is_signed_with(*only))
            out_.add("scheme.shortened_away", kWarns, only->target, only->where);
    }

    /// Below the line that mail programs put above a signature, in a letter that speaks of no
    /// place to go to.
    bool is_signed_with(const Link& link) const {
        const std::string_view text = scene_.message.text;
        const std::size_t at = text.find(link.target);
        return at != std::string_view::npos && contains(text.substr(0, at), "\n-- ") && !demands_ &&
               !says({Lure::Click, Lure::Identify, Lure::Document, Lure::PaymentRequest,
                      Lure::Delivery, Lure::Refund, Lure::Prize, Lure::Threat});
    }

    static constexpr std::size_t kHouseNameMin = 8;
    const Scene& scene_;
    const Evidence& seen_;
    const Relations& who_;
    SignalList& out_;
    const Brand* sender_brand_ = nullptr;
    const Link* unknown_link_ = nullptr;
    bool known_ = false;
    bool demands_ = false;
};

}  // namespace

void draw_floors(const Scene& scene, SignalList& out) {
    Borrowed(scene, out).draw();
}

}  // namespace hygie::mail
