#include <algorithm>

#include "guards/mail/facts/asks.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kShortOrderWords = 40;
constexpr std::size_t kLetterWords = 120;

/// How the known attacks are built: a pretext in words, and a fact that gives it away.
class Schemes {
  public:
    Schemes(const Scene& scene, SignalList& out)
        : scene_(scene), seen_(scene.evidence), who_(scene.evidence.relations), out_(out) {
        // Who is known, or a brand that proves to be itself, needs more than words to be doubted.
        const bool proven_brand = out.has("brand.authentic") && !who_.is_carrier;
        trusted_ = (proven_brand || who_.from_own_authenticated ||
                    ((who_.known_correspondent || who_.known_domain) && !seen_.auth.is_forged)) &&
                   !out.has("auth.own_forged");
        // Who poses as another has no domain of its own to be trusted.
        posing_ = out.has("sender.brand_foreign") || out.has("sender.look_alike") ||
                  out.has("sender.names_us") || out.has("text.names_us") ||
                  out.has("sender.staff_foreign");
        for (const Link& link : seen_.links) find_foreign(link);
        poses_ = out.has("sender.staff_foreign") || out.has("sender.correspondent_foreign") ||
                 out.has("sender.look_alike") ||
                 (out.has("auth.own_forged") && scene.evidence.auth.is_forged) ||
                 out.has("sender.reply_freemail") || out.has("sender.reply_look_alike") ||
                 out.has("sender.executive_name") || out.has("sender.name_is_address") ||
                 out.has("sender.supplier_foreign") ||
                 (who_.known_correspondent && out.has("sender.reply_elsewhere") &&
                  scene.history.correspondent(who_.reply_to) == nullptr);
        odd_sender_ = poses_ || out.has("auth.forged");
        outsider_ = who_.from_freemail || who_.first_contact || odd_sender_;
    }

    void draw() {
        credential();
        taken_over();
        callback();
        pretexts();
        requests();
        bank_change();
        orders();
    }

  private:
    void find_foreign(const Link& link) {
        if (!is_followed(link) || (!link.brand.empty() && !link.is_free_host)) return;
        const bool own = link.final_domain == who_.from_domain && !who_.from_freemail &&
                         !scene_.history.is_known_domain(link.final_domain);
        if (own && !own_link_) own_link_ = &link;
        if (own ? !posing_ : is_related(scene_, link)) return;
        if (!foreign_link_) foreign_link_ = &link;
        const bool dubious = link.is_free_host || link.is_shortener || link.is_ip ||
                             link.is_redirector || link.from_qr || link.has_recipient ||
                             link.look_alike.how != LookAlike::How::None;
        if (dubious && !dubious_link_) dubious_link_ = &link;
    }

    std::size_t said(Lure lure) const { return seen_.lure(lure).phrases; }
    void add(std::string_view id, double strength, Lure lure, std::string_view detail = {}) {
        const LureFacts& words = seen_.lure(lure);
        out_.add(id, strength, words.evidence, words.where, detail);
    }

    /// Brands that have no business with links to strangers: care, the state, banks.
    bool is_strict(std::string_view name) const {
        return std::ranges::any_of(seen_.brands, [&](const BrandMention& brand) {
            return brand.name == name && brand.in_sender &&
                   (brand.category == "health" || brand.category == "public" ||
                    brand.category == "bank" || brand.category == "payment" ||
                    brand.category == "delivery" || brand.category == "tech");
        });
    }

    bool is_care(std::string_view name) const {
        return std::ranges::any_of(seen_.brands, [&](const BrandMention& brand) {
            return brand.name == name && brand.in_sender && brand.category == "health";
        });
    }

    /// A brand's name inside an address that is not its own.
    bool borrows_address() const {
        return out_.has("link.brand_in_host") || out_.has("link.embeds") ||
               out_.has("link.look_alike") || out_.has("sender.embeds") ||
               out_.has("sender.look_alike");
    }

    /// A stranger asks in the name of care, the state or a bank, on its own pages.
    void borrowed_subject(bool asks) {
        if (!asks || !own_link_ || foreign_link_) return;
        for (const BrandMention& brand : seen_.brands)
            if (brand.in_subject && !brand.sender_is_brand &&
                (brand.category == "health" || brand.category == "public" ||
                 brand.category == "bank"))
                out_.add("scheme.brand_credential", 0.7, site_of(*own_link_), own_link_->where,
                         brand.name);
    }

    void credential() {
        const bool asks = said(Lure::Credential) + said(Lure::Threat) > 0;
        if (!trusted_) borrowed_subject(asks);
        if (trusted_ || !foreign_link_) return;
        for (const std::string_view id :
             {"sender.brand_foreign", "link.brand_elsewhere", "link.look_alike",
              "link.brand_in_host", "sender.look_alike", "link.embeds", "sender.embeds"}) {
            const Signal* brand = out_.find(id);
            if (!brand) continue;
            const bool posing = id == "sender.brand_foreign" && is_strict(brand->detail);
            if (asks || posing)
                out_.add("scheme.brand_credential", asks ? brand->strength : 0.8,
                         site_of(*foreign_link_), foreign_link_->where, brand->detail);
            if (posing && is_care(brand->detail) && (asks || borrows_address()))
                out_.add("scheme.care_brand", 1, brand->evidence, brand->where, brand->detail);
        }
        if ((out_.has("sender.names_us") || out_.has("text.names_us")) &&
            (asks || said(Lure::Document) > 0))
            out_.add("scheme.mailbox", 1, site_of(*foreign_link_), foreign_link_->where);
        else if (asks && mentions_mailbox())
            out_.add("scheme.mailbox", dubious_link_ ? 1 : 0.6, site_of(*foreign_link_),
                     foreign_link_->where);
    }

    /// Words of a mailbox that would be full, blocked or upgraded.
    bool mentions_mailbox() const {
        const LureFacts& threat = seen_.lure(Lure::Threat);
        const std::string words = folded(threat.evidence) + folded(scene_.message.subject);
        return contains(words, " mailbox ") || contains(words, " boite ") ||
               contains(words, " webmail ") || contains(words, " quota ") ||
               contains(words, " storage ") || contains(words, " password ") ||
               contains(words, " mot de passe ") || contains(words, " messages ") ||
               contains(words, " messagerie ") || contains(words, " e mail ");
    }

    /// The foreign place has the sender's name in it without being the sender's.
    bool borrows_sender() const {
        constexpr std::size_t kTellingLetters = 5;
        std::string host = foreign_link_->host;
        std::erase(host, '-');
        std::string name(main_label(who_.from_domain));
        std::erase(name, '-');
        return name.size() >= kTellingLetters && contains(host, name);
    }

    /// The mailbox of somebody known, in other hands: it sends the house to sign in on a stranger's
    /// page, where it has no business.
    void taken_over() {
        const bool known = who_.from_own_authenticated || who_.known_correspondent ||
                           (who_.known_domain && !who_.from_own_domain);
        if (!known || seen_.auth.is_forged || out_.has("brand.authentic") || !foreign_link_) return;
        const bool pretext = said(Lure::Document) + said(Lure::Click) + said(Lure::Urgency) > 0;
        const bool as_whom = said(Lure::Credential) + said(Lure::Secret) > 0;
        const bool signs_in = said(Lure::Identify) > 0 && (dubious_link_ || borrows_sender());
        const double strength = as_whom ? 1 : signs_in ? 0.8 : dubious_link_ && pretext ? 0.6 : 0;
        const Link* link = dubious_link_ ? dubious_link_ : foreign_link_;
        if (strength > 0) out_.add("scheme.taken_over", strength, site_of(*link), link->where);
    }

    void callback() {
        const Signal* call = out_.find("phone.call_asked");
        if (!call || trusted_) return;
        const std::size_t alarm = said(Lure::SupportAlert) + said(Lure::Charge);
        if (alarm == 0 && said(Lure::Threat) == 0) return;
        bool support_brand = false;
        for (const BrandMention& brand : seen_.brands)
            support_brand = support_brand || brand.category == "tech" ||
                            brand.category == "security" || brand.category == "payment" ||
                            brand.category == "shop" || brand.category == "bank" ||
                            brand.category == "crypto";
        const bool loose = who_.from_freemail || odd_sender_ || !seen_.auth.is_authentic;
        double strength = support_brand && loose ? 1 : support_brand ? 0.7 : loose ? 0.5 : 0.3;
        if (!support_brand && said(Lure::SupportAlert) >= 2) strength += 0.3;
        if (alarm == 0) strength *= 0.5;
        out_.add("scheme.callback", strength, call->evidence, call->where);
    }

    bool names_category(std::string_view category) const {
        return std::ranges::any_of(seen_.brands, [&](const BrandMention& brand) {
            return brand.category == category && !brand.sender_is_brand;
        });
    }

    void pretexts() {
        if (trusted_) return;
        if (said(Lure::AdvanceFee) >= 3)
            add("scheme.advance_fee", said(Lure::AdvanceFee) >= 5 ? 1 : 0.6, Lure::AdvanceFee);
        if (!foreign_link_) return;
        const bool pushes =
            said(Lure::Click) + said(Lure::Credential) + said(Lure::Urgency) + said(Lure::Refund) >
            0;
        const bool health = names_category("health");
        if ((health || said(Lure::Health) >= 2) && pushes)
            out_.add("scheme.health",
                     health          ? 1
                     : dubious_link_ ? 0.6
                                     : 0.3,
                     site_of(*foreign_link_), foreign_link_->where);
        if (said(Lure::Delivery) > 0 && (names_category("delivery") || said(Lure::Delivery) >= 2) &&
            (pushes || said(Lure::PaymentRequest) > 0))
            out_.add("scheme.delivery_fee", names_category("delivery") ? 1 : 0.6,
                     site_of(*foreign_link_), foreign_link_->where);
        const LureFacts& document = seen_.lure(Lure::Document);
        if (document.phrases > 0 && (dubious_link_ || out_.has("sender.names_us")))
            out_.add("scheme.document",
                     document.in_subject || document.phrases >= 2 ? 1
                     : out_.has("link.many")                      ? 0.2
                                                                  : 0.6,
                     site_of(*(dubious_link_ ? dubious_link_ : foreign_link_)),
                     (dubious_link_ ? dubious_link_ : foreign_link_)->where);
        const std::size_t pretexts = said(Lure::Document) + said(Lure::Credential) +
                                     said(Lure::Threat) + said(Lure::Refund) +
                                     said(Lure::Delivery) + said(Lure::Health);
        if (const Signal* code = out_.find("link.qr"))
            out_.add("scheme.qr",
                     pretexts > 0       ? 1
                     : seen_.words < 60 ? 0.6
                                        : 0.3,
                     code->evidence, code->where);
        if (const Signal* file = out_.find("file.pdf_link");
            file && (pretexts + said(Lure::Attachment) + said(Lure::Urgency) > 0))
            out_.add("scheme.document", dubious_link_ ? 1 : 0.7, file->evidence, file->where);
        if (said(Lure::Prize) >= 2 && (dubious_link_ || pushes))
            out_.add("scheme.prize", said(Lure::Prize) >= 3 ? 1 : 0.6, site_of(*foreign_link_),
                     foreign_link_->where);
    }

    void requests() {
        const std::size_t threats = said(Lure::Extortion);
        if ((out_.has("money.wallet") && threats >= 1) || threats >= 4)
            out_.add("scheme.extortion", threats >= 2 ? 1 : 0.6,
                     out_.has("money.wallet") ? out_.find("money.wallet")->evidence
                                              : seen_.lure(Lure::Extortion).evidence,
                     seen_.lure(Lure::Extortion).where);
        if (said(Lure::GiftCard) > 0 && outsider_ &&
            said(Lure::BecOpener) + said(Lure::Urgency) + said(Lure::Secrecy) > 0)
            add("scheme.gift_card", 1, Lure::GiftCard);
        if (said(Lure::DataRequest) > 0 && outsider_ && !trusted_)
            add("scheme.data_request",
                odd_sender_                    ? 1
                : said(Lure::DataRequest) >= 2 ? 0.7
                                               : 0.4,
                Lure::DataRequest);
    }

    /// An account number from somebody who has no business to give one.
    double stray_iban() const {
        const bool unknown = out_.has("money.unknown_iban") || out_.has("money.bad_iban");
        if (!unknown || trusted_) return 0;
        if (out_.has("thread.known") && who_.first_contact) return 1;
        // A first bill whose signature broke on its way is no fraud by that alone.
        if (poses_ || out_.has("sender.embeds")) return 0.9;
        if (out_.has("thread.false")) return 0.9;
        return 0;
    }

    /// A warning of such frauds, or a mailing that tells of one: it names no account itself, and a
    /// mailing wants nothing. The word of it alone excuses no stranger.
    bool only_warns() const {
        const LureFacts& words = seen_.lure(Lure::PaymentChange);
        if (!seen_.ibans.empty()) return false;
        const bool listed = !outsider_ || !scene_.message.header("List-Unsubscribe").empty();
        const bool tells = said(Lure::Mailing) > 0 && listed && !who_.from_freemail &&
                           !words.in_subject && !odd_sender_ &&
                           scene_.message.attachments.empty() &&
                           !find_asks(scene_.message, std::string::npos).requests;
        return tells || (words.phrases == 1 && says_unchanged(scene_.message.text, words.evidence));
    }

    void bank_change() {
        if (only_warns()) return;
        const bool new_iban = out_.has("money.new_iban");
        const bool unknown = out_.has("money.unknown_iban") || out_.has("money.bad_iban") ||
                             (seen_.ibans.size() == 1 && !out_.has("money.known_iban"));
        if (said(Lure::PaymentChange) == 0) {
            const double stray = new_iban ? 0.7 : stray_iban();
            const Signal* iban = new_iban                         ? out_.find("money.new_iban")
                                 : out_.has("money.unknown_iban") ? out_.find("money.unknown_iban")
                                                                  : out_.find("money.bad_iban");
            if (stray > 0 && iban)
                out_.add(new_iban ? "scheme.bank_change" : "scheme.stray_iban", stray,
                         iban->evidence, iban->where);
            return;
        }
        if (out_.has("money.known_iban") && !new_iban && !out_.has("money.unknown_iban")) return;
        const bool salary = contains(folded(scene_.message.text), " salaire ") ||
                            contains(folded(scene_.message.text), " payroll ") ||
                            contains(folded(scene_.message.text), " paie ") ||
                            contains(folded(scene_.message.text), " salary ") ||
                            contains(folded(scene_.message.text), " direct deposit ");
        const double strength = new_iban || odd_sender_ ? 1
                                : unknown || outsider_  ? 0.8
                                : who_.history_known    ? 0.5
                                                        : 0.6;
        add(salary ? "scheme.payroll" : "scheme.bank_change", strength, Lure::PaymentChange);
    }

    void orders() {
        // To an account that is known, money goes where it should.
        const bool safe = out_.has("money.known_iban") && !out_.has("money.new_iban") &&
                          !out_.has("money.unknown_iban");
        const bool pay = said(Lure::PaymentRequest) > 0 && !safe;
        if (pay && !trusted_ && odd_sender_ &&
            (said(Lure::Urgency) + said(Lure::Secrecy) > 0 || !seen_.ibans.empty()))
            add("scheme.payment_order", 1, Lure::PaymentRequest);
        else if (pay && !trusted_ && outsider_ && said(Lure::Secrecy) > 0)
            add("scheme.payment_order", 0.7, Lure::PaymentRequest);
        else if (pay && !trusted_ && who_.from_freemail && said(Lure::Urgency) > 0 &&
                 seen_.words < kLetterWords && !foreign_link_)
            add("scheme.payment_order", 0.6, Lure::PaymentRequest);
        const bool posing = out_.has("sender.staff_foreign") || out_.has("sender.executive_name") ||
                            (out_.has("auth.own_forged") && seen_.auth.is_forged);
        const bool opens = said(Lure::BecOpener) + said(Lure::Secrecy) > 0;
        if (posing && (opens || pay))
            out_.add("scheme.executive", 1, author_text(scene_.message), "header:From");
        else if (posing && !who_.from_own_domain && seen_.words < kShortOrderWords)
            out_.add("scheme.executive", 0.2, author_text(scene_.message), "header:From");
        else if (said(Lure::BecOpener) > 0 && outsider_ && seen_.words < kLetterWords &&
                 !foreign_link_)
            add("scheme.executive", said(Lure::BecOpener) >= 2 ? 0.7 : 0.4, Lure::BecOpener);
    }

    const Scene& scene_;
    const Evidence& seen_;
    const Relations& who_;
    SignalList& out_;
    bool trusted_ = false;
    bool poses_ = false;
    bool odd_sender_ = false;  ///< poses as somebody, or proves not to be itself
    bool outsider_ = false;
    bool posing_ = false;
    const Link* own_link_ = nullptr;
    const Link* foreign_link_ = nullptr;
    const Link* dubious_link_ = nullptr;
};

}  // namespace

void draw_schemes(const Scene& scene, SignalList& out) {
    Schemes(scene, out).draw();
}

}  // namespace hygie::mail
