#include <algorithm>
#include <array>
#include <set>

#include "guards/mail/facts/asks.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/disguise.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// What is asked of the reader, weighed by who asks: data of patients, and secrets.
class Demands {
  public:
    Demands(const Scene& scene, SignalList& out)
        : scene_(scene),
          seen_(scene.evidence),
          who_(scene.evidence.relations),
          out_(out),
          asks_(find_asks(scene.message, seen_.quoted.any ? seen_.quoted.at : std::string::npos)),
          where_(scene.message.html.empty() ? "text" : "html") {
        const bool forged = seen_.auth.is_forged || out.has("auth.own_forged");
        known_ = !forged && (who_.known_correspondent || who_.known_domain ||
                             who_.from_own_authenticated || out.has("thread.known"));
        const Brand* brand = who_.from_freemail || who_.is_tenant
                                 ? nullptr
                                 : built_in_pack().brand_of_domain(scene.message.author().domain());
        official_ = brand && seen_.auth.is_authentic && !forged && !who_.is_carrier &&
                    (brand->category == "health" || brand->category == "public");
        // Without a memory nobody is strange but who shows it.
        stranger_ = !known_ && !official_ && (who_.history_known || is_posing());
    }

    void draw() {
        secret();
        typed_elsewhere();
        data();
        specimen();
        name_borrowed();
        leak();
        story();
        untraced();
        card_and_papers();
        opened_by_hand();
        locked_away();
        payers();
        hushed_account();
        hushed_channel();
        papers_in_a_name();
        if (!seen_.attachments.text.empty()) in_files_ = find_asks(seen_.attachments.text);
        access();
        from_afar();
        bank_by_phone();
        document_sign_in();
        fine_to_pay();
        code_alone();
    }

  private:
    bool is_posing() const {
        return who_.from_freemail || out_.has("sender.look_alike") || out_.has("sender.embeds") ||
               out_.has("sender.brand_foreign") || out_.has("sender.staff_foreign") ||
               out_.has("sender.correspondent_foreign") || out_.has("sender.supplier_foreign") ||
               out_.has("sender.reply_freemail") || out_.has("sender.reply_look_alike") ||
               out_.has("auth.forged") || out_.has("auth.own_forged");
    }
    bool says(std::initializer_list<Lure> lures) const {
        return std::ranges::any_of(lures, [&](Lure one) { return seen_.has(one); });
    }
    void add(std::string_view id, double strength, const std::string& evidence) {
        out_.add(id, strength, evidence, where_);
    }

    /// Nobody who may have a secret asks for it by mail; who is known least of all: then their
    /// mailbox is in other hands.
    void secret() {
        if (!asks_.secret.any()) return;
        if (known_ || official_)
            add("scheme.secret_of_known", kWarns, asks_.secret.evidence);
        else
            add("scheme.secret_asked", who_.history_known || is_posing() ? kHolds : kWarns,
                asks_.secret.evidence);
    }

    /// The known have nobody type a password in at a place that is neither theirs nor the house's.
    void typed_elsewhere() {
        constexpr double kMailboxInOtherHands = 0.8;
        const bool opens = asks_.sign_mail.any() && asks_.view;
        if (!known_ || !(asks_.enter.any() || opens)) return;
        for (const Link& link : seen_.links)
            if (is_followed(link) && link.brand.empty() && !is_related(scene_, link))
                out_.add("scheme.taken_over", kMailboxInOtherHands, site_of(link), link.where);
    }

    /// What makes a prescription valid is not shown to strangers for comparison.
    void specimen() {
        if (stranger_ && asks_.specimen.any())
            add("scheme.data_asked", kWarns, asks_.specimen.evidence);
    }

    /// Who may approve a payment, and who stands in: what a fraud is prepared with.
    void payers() {
        if (stranger_ && asks_.payers.any() && !says({Lure::Mailing}))
            add("scheme.payers_asked", kWarns, asks_.payers.evidence);
    }

    /// Data of patients go to those who care for them, by a way made for that. What speaks against
    /// the asker adds up.
    void data() {
        if (!asks_.data.any() || asks_.is_anonymous) return;
        if (!stranger_) return led_away();
        if (asks_.is_mine && !asks_.mass) return;
        const bool much = asks_.mass || asks_.identity;
        int doubts = asks_.mass ? 2 : 1;
        doubts += asks_.several ? 1 : 0;
        doubts += asks_.identity ? 1 : 0;
        doubts += asks_.by_mail ? 1 : 0;
        doubts += asks_.hush.any() ? 1 : 0;
        doubts += who_.from_freemail && much ? 1 : 0;
        doubts += is_posing() && !who_.from_freemail ? 2 : 0;
        doubts += out_.has("sender.correspondent_foreign") ? 1 : 0;
        doubts += says({Lure::Urgency, Lure::Threat}) && much ? 1 : 0;
        if (asks_.is_protected && !asks_.by_mail) doubts -= 3;
        constexpr int kTooMany = 3;
        constexpr int kFarTooMany = 5;
        if (doubts >= kTooMany)
            add("scheme.data_asked", doubts >= kFarTooMany ? kHolds : kWarns, asks_.data.evidence);
    }

    /// An address of a free mailbox, other than the writer's, that the text names.
    std::string address_at_home() const {
        const std::string_view text = scene_.message.text;
        const auto part = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                   c == '_' || c == '+';
        };
        const std::size_t end =
            std::min(seen_.quoted.any ? seen_.quoted.at : text.size(), text.size());
        for (std::size_t at = text.find('@'); at < end; at = text.find('@', at + 1)) {
            std::size_t from = at;
            std::size_t to = at + 1;
            while (from > 0 && part(text[from - 1])) --from;
            while (to < text.size() && part(text[to])) ++to;
            while (to > at && text[to - 1] == '.') --to;
            const std::string address = lower(text.substr(from, to - from));
            if (scene_.history.is_freemail(registrable_domain(domain_of(address))) &&
                address != who_.from_address)
                return std::string(text.substr(from, to - from));
        }
        return {};
    }

    /// Somebody in copy whom nobody here knows, and who is not of the writer's own house.
    std::string stranger_in_copy() const {
        if (!who_.history_known) return {};
        for (const Address& one : scene_.message.cc) {
            const std::string_view domain = one.domain();
            if (!domain.empty() && registrable_domain(domain) != who_.from_domain &&
                !scene_.history.is_known_domain(domain) && !scene_.history.is_own_domain(domain) &&
                !scene_.history.correspondent(one.address))
                return one.address;
        }
        return {};
    }

    /// Whoever is known, or of the house, has the data sent out of it, to a mailbox at home or to
    /// somebody unknown who reads along.
    void led_away() {
        if (official_) return;
        const std::string home = address_at_home();
        const bool replies_home = who_.reply_to_freemail && !who_.from_freemail;
        if (!asks_.mass && !replies_home) return;
        if (replies_home)
            out_.add("scheme.data_led_away", kWarns, who_.reply_to, "header:Reply-To");
        else if (!home.empty())
            add("scheme.data_led_away", kWarns, home);
        else if (asks_.at_home.any())
            add("scheme.data_led_away", kWarns, asks_.at_home.evidence);
        else if (const std::string copied = stranger_in_copy();
                 !copied.empty() && (asks_.several || asks_.identity))
            out_.add("scheme.data_led_away", kWarns, copied, "header:Cc");
    }

    /// The name of a partner, or of a brand, as a part of somebody else's domain: resellers and
    /// user groups have such names too, and want neither secrets nor data.
    void name_borrowed() {
        if (known_ || official_ || seen_.auth.is_forged) return;
        const bool wants = asks_.secret.any() || asks_.account.any() ||
                           (asks_.data.any() && !asks_.is_anonymous) ||
                           says({Lure::Credential, Lure::Secret, Lure::PaymentChange});
        const LookAlike& like = who_.sender_look_alike;
        const bool by_sender = like.how != LookAlike::How::None && !who_.from_freemail;
        if (by_sender && wants && !is_brand(like))
            out_.add("scheme.name_borrowed", asks_.secret.any() || asks_.mass ? kHolds : kWarns,
                     who_.from_address, "header:From",
                     like.owner == "own" ? like.honest : like.owner);
        for (const Link& link : seen_.links) {
            if (!is_followed(link) || !link.brand.empty() || is_brand(link.look_alike) ||
                link.look_alike.how == LookAlike::How::None ||
                scene_.history.is_known_domain(link.final_domain))
                continue;
            const bool by_name = link.look_alike.how != LookAlike::How::OtherTld &&
                                 link.look_alike.how != LookAlike::How::Edit;
            if (wants || (by_name && says({Lure::Identify})))
                out_.add("scheme.name_borrowed", kWarns, site_of(link), link.where,
                         link.look_alike.owner == "own" ? link.look_alike.honest
                                                        : link.look_alike.owner);
        }
    }
    static bool is_brand(const LookAlike& like) {
        return built_in_pack().brand(like.owner) != nullptr;
    }

    /// "We have your data and will publish them unless": the wallet may come later.
    void leak() {
        if (!asks_.leak.any() || known_ || official_ || says({Lure::Mailing})) return;
        constexpr std::ptrdiff_t kNewsLinks = 4;
        if (std::ranges::count_if(seen_.links, is_followed) >= kNewsLinks) return;
        const bool sure = asks_.leak.phrases >= 2 && asks_.stolen >= 2 && asks_.ransom >= 2;
        add("scheme.leak_threat", sure ? kHolds : kWarns, asks_.leak.evidence);
    }

    /// Who has something on the house, will publish it, and names an account. Whoever asks for a
    /// comment only names none.
    void story() {
        const bool account = std::ranges::any_of(
            seen_.ibans, [](const IbanFacts& one) { return one.supplier.empty(); });
        if (asks_.story.any() && asks_.stolen > 0 && !known_ && !official_ &&
            (account || !seen_.wallets.empty()))
            add("scheme.leak_threat", kWarns, asks_.story.evidence);
    }

    /// Who wants nothing that can be traced, for what is about to be made public, or for sale.
    /// Whoever takes cards and transfers too can be found.
    void untraced() {
        if (known_ || official_ || !asks_.untraced.any() || asks_.usual_way ||
            says({Lure::Mailing}) || !seen_.ibans.empty())
            return;
        if (asks_.story.any())
            add("scheme.hush_money", kWarns, asks_.story.evidence);
        else if (says({Lure::SpamGoods, Lure::AdvanceFee, Lure::Prize}))
            add("scheme.untraced_pay", kWarns, asks_.untraced.evidence);
    }

    /// A card's numbers and a passport, in one breath, at a place of somebody unknown.
    void card_and_papers() {
        if (stranger_ && asks_.card.any() && strange_link(false) && !says({Lure::Mailing}))
            add("scheme.card_asked", kWarns, asks_.card.evidence);
    }

    static bool is_archive(std::string_view name) {
        static constexpr auto kArchives = std::to_array<std::string_view>({".zip", ".7z", ".rar"});
        return ends_in(name, kArchives);
    }
    bool brings_archive() const {
        return std::ranges::any_of(scene_.message.attachments, [](const Attachment& file) {
            return is_archive(lower(file.name));
        });
    }

    /// Whoever must be told how to open a file, and on what machine, is not to look at it first: a
    /// script or a disk image at a stranger's place, from a mailbox in other hands (installers come
    /// so too); an archive with its password from somebody unknown, or under a threat.
    void opened_by_hand() {
        if (!asks_.opening.any()) return;
        const bool doubtful =
            !known_ && !official_ && (stranger_ || says({Lure::Threat, Lure::Urgency}));
        if (doubtful && !seen_.attachments.password_in_text.empty() && brings_archive())
            add("scheme.locked_bait", kWarns, asks_.opening.evidence);
        if (!known_) return;
        for (const Link& link : seen_.links)
            if (is_followed(link) && (link.brand.empty() || link.is_free_host) &&
                !is_related(scene_, link) && is_wrapped_program(file_of(link)))
                out_.add("scheme.program_link", kWarns, link.target, link.where);
    }

    /// An archive at another place, and its password beside it: no filter sees what is in it. Who
    /// speaks of programs at length names archives and passwords as well.
    void locked_away() {
        constexpr std::size_t kWordsMax = 150;
        constexpr std::size_t kPlacesMax = 2;
        if (!stranger_ || seen_.attachments.password_in_text.empty() || seen_.words > kWordsMax ||
            says({Lure::Mailing}))
            return;
        std::set<std::string_view> places;
        const Link* archive = nullptr;
        for (const Link& link : seen_.links) {
            if (!is_followed(link)) continue;
            places.insert(link.final_domain);
            if (!scene_.history.is_known_domain(link.final_domain) &&
                (is_archive(file_of(link)) || is_archive(lower(link.shown))))
                archive = &link;
        }
        if (archive && places.size() <= kPlacesMax)
            out_.add("scheme.locked_bait", kWarns, archive->target, archive->where);
    }

    /// An account that nobody knows, and nobody is to be asked about it: a stranger wants it kept
    /// quiet, or those who must agree come after the money.
    void hushed_account() {
        if (!out_.has("money.unknown_iban") || known_ || official_) return;
        if (asks_.later.any())
            add("scheme.hushed_account", kWarns, asks_.later.evidence);
        else if (stranger_ && asks_.hush.any())
            add("scheme.hushed_account", kWarns, asks_.hush.evidence);
    }

    /// Bank details and papers of identity, for somebody who takes the name of a brand.
    void papers_in_a_name() {
        const Signal* brand = out_.find("sender.brand_foreign");
        const bool leads = strange_link(false) || who_.from_freemail;
        if (stranger_ && brand && leads && asks_.papers.phrases >= 2 && !says({Lure::Mailing}))
            out_.add("scheme.name_borrowed", kWarns, brand->evidence, brand->where, brand->detail);
    }

    /// Somebody who writes for the first time wants to go on where nobody else listens, and that
    /// nobody be told.
    void hushed_channel() {
        const bool hushed = asks_.hush.any() || says({Lure::Secrecy});
        if (stranger_ && asks_.channel.any() && hushed)
            add("scheme.hushed_channel", kWarns, asks_.channel.evidence);
    }

    /// A link to a place that nobody here knows.
    const Link* strange_link(bool in_file_only) const {
        for (const Link& link : seen_.links)
            if (is_followed(link) && (link.brand.empty() || link.is_free_host) &&
                !scene_.history.is_known_domain(link.final_domain) &&
                (!in_file_only || link.where.starts_with("attachment")))
                return &link;
        return nullptr;
    }

    /// A way into the systems of the house, for somebody whom it does not know.
    void access() {
        if (!stranger_ || says({Lure::Mailing})) return;
        const bool poses = is_posing() && !who_.from_freemail;
        const int doubts = (asks_.account.any() ? 1 : 0) + (asks_.logs.any() ? 1 : 0) +
                           (asks_.hush.any() ? 1 : 0) + (poses ? 1 : 0);
        constexpr int kTooMany = 2;
        if (doubts < kTooMany || !(asks_.account.any() || asks_.logs.any())) return;
        add("scheme.access_asked", kWarns,
            asks_.account.any() ? asks_.account.evidence : asks_.logs.evidence);
    }

    /// The word that a partner is known by, in the name or the domain of somebody else: both the
    /// partner's name and its domain have it, and it is no word of the trade or of this house.
    std::string partner_borrowed() const {
        if (who_.known_domain || who_.known_correspondent) return {};
        std::string label(main_label(who_.from_domain));
        std::ranges::replace(label, '-', ' ');
        const std::string shown = folded(label) + folded(scene_.message.author().name);
        std::string ours;
        for (const Organisation& house : scene_.history.organisations) {
            ours += folded(house.name);
            for (const std::string& domain : house.own_domains)
                ours += folded(main_label(registrable_domain(domain)));
        }
        const auto borrows = [&](const std::string& name, const std::vector<std::string>& domains) {
            const std::string said = folded(name);
            for (const std::string& domain : domains) {
                std::string words = folded(main_label(registrable_domain(domain)));
                for (std::size_t at = 1; at < words.size();) {
                    const std::size_t end = words.find(' ', at);
                    const std::string word = words.substr(at - 1, end - at + 2);
                    at = end + 1;
                    if (is_telling(word) && contains(said, word) && contains(shown, word) &&
                        !contains(ours, word))
                        return true;
                }
            }
            return false;
        };
        for (const Supplier& one : scene_.history.suppliers)
            if (borrows(one.name, one.domains)) return one.name;
        for (const KnownService& one : scene_.history.known_services)
            if (borrows(one.name, one.domains)) return one.name;
        return {};
    }
    /// With a blank at both ends.
    static bool is_telling(std::string_view word) {
        constexpr std::size_t kTellingLetters = 5;
        return word.size() >= kTellingLetters + 2 &&
               !built_in_pack().is_trade_word(word.substr(1, word.size() - 2));
    }

    /// Somebody unknown wants the reader's machine or account, in the name of a partner, with a
    /// password, or by a number that is not the usual one.
    void from_afar() {
        const bool signs_in = asks_.admin.any() && strange_link(false);
        const bool wants = asks_.remote.any() || asks_.usual_line.any() || asks_.secret.any() ||
                           asks_.account.any() || signs_in;
        if (!stranger_ || !wants) return;
        const std::string partner = partner_borrowed();
        const bool alarmed =
            says({Lure::SupportAlert, Lure::Threat}) && out_.has("phone.call_asked");
        if (!partner.empty())
            out_.add("scheme.partner_voice",
                     asks_.remote.any() || asks_.secret.any() ? kHolds : kWarns,
                     author_text(scene_.message), "header:From", partner);
        if (asks_.remote.any() &&
            (asks_.usual_line.any() || asks_.shown.any() || asks_.secret.any() || alarmed))
            add("scheme.remote_asked", asks_.secret.any() ? kHolds : kWarns, asks_.remote.evidence);
    }

    /// A refund needs nobody's bank open while they are on the telephone.
    void bank_by_phone() {
        if (stranger_ && asks_.bank_open.any() && out_.has("phone.call_asked"))
            add("scheme.remote_asked", kWarns, asks_.bank_open.evidence);
    }

    /// A document that somebody unknown sends opens with no password of the reader's mailbox: the
    /// page behind it is there to take that. At a place of their own an address may be what an
    /// account there goes by; the mailbox of this house is not.
    void document_sign_in() {
        if (!stranger_) return;
        const AsksFacts& says_so = asks_.sign_mail.any() ? asks_ : in_files_;
        const Asked& said = says_so.sign_mail;
        if (!said.any()) return;
        const Link* inside = strange_link(true);
        const Link* any = strange_link(false);
        const bool elsewhere = any && any->final_domain != who_.from_domain;
        const bool opens =
            elsewhere ? says_so.work_mail || says_so.view : says_so.work_mail && says_so.view;
        if (inside && out_.has("file.pdf_link"))
            out_.add("scheme.document_sign_in", kWarns, said.evidence,
                     asks_.sign_mail.any() ? where_ : inside->where);
        else if (any && opens && !says({Lure::Mailing, Lure::Opened}))
            out_.add("scheme.document_sign_in", kWarns, said.evidence,
                     asks_.sign_mail.any() || !inside ? where_ : inside->where);
    }

    /// A fine or a toll to be paid at once, at a place that is not the state's, in the name of an
    /// authority.
    void fine_to_pay() {
        if (!stranger_ || !built_in_pack().names_authority(folded(scene_.message.author().name)))
            return;
        const bool fined = asks_.fine.any() || in_files_.fine.any() ||
                           find_asks(scene_.message.subject).fine.any();
        const bool pays = asks_.pay_now.any() || in_files_.pay_now.any();
        const Link* link = strange_link(false);
        if (fined && pays && link)
            out_.add("scheme.fine_to_pay", kWarns, author_text(scene_.message), "header:From",
                     link->final_domain);
    }

    /// The only way that is offered is a code for a telephone, where no filter reads along, to the
    /// place of somebody unknown who wants money, a sign-in or haste.
    void code_alone() {
        const bool scans = asks_.scan.any() || in_files_.scan.any();
        // To scan is a way to pay as well, and says nothing of money by itself.
        const bool pays = asks_.pay_now.phrases >= 2 || in_files_.pay_now.phrases >= 2;
        const bool wants =
            pays || asks_.sign_mail.any() ||
            says({Lure::Credential, Lure::Delivery, Lure::Document, Lure::Identify,
                  Lure::PaymentRequest, Lure::Refund, Lure::Secret, Lure::Threat, Lure::Urgency});
        if (!stranger_ || !scans) return;
        // Drawn with letters, no reader of pictures sees it: what honest mail has no use for.
        constexpr std::size_t kLookedAt = 64U << 10;
        const std::string_view drawn = drawn_code_in(cut(scene_.message.text, kLookedAt));
        if (!drawn.empty()) return add("scheme.code_alone", kWarns, std::string(drawn));
        if (!wants) return;
        const Link* code = nullptr;
        for (const Link& link : seen_.links) {
            if (!is_followed(link)) continue;
            if (!link.from_qr) return;
            if (link.brand.empty() && !scene_.history.is_known_domain(link.final_domain))
                code = &link;
        }
        if (code) out_.add("scheme.code_alone", kWarns, code->target, code->where);
    }

    const Scene& scene_;
    const Evidence& seen_;
    const Relations& who_;
    SignalList& out_;
    AsksFacts asks_;
    AsksFacts in_files_;
    std::string_view where_;
    bool known_ = false;
    bool official_ = false;
    bool stranger_ = false;
};

}  // namespace

void draw_asks(const Scene& scene, SignalList& out) {
    Demands(scene, out).draw();
}

}  // namespace hygie::mail
