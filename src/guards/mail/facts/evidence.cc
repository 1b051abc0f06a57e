#include "guards/mail/facts/evidence.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "guards/mail/facts/authenticate.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/facts/links.h"
#include "guards/mail/facts/numbers.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/facts/quoted.h"
#include "guards/mail/facts/relations.h"
#include "guards/mail/message/disguise.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

/// What is searched of a body: a lure that stands behind this is not read.
constexpr std::size_t kSearchedBytesMax = 64U << 10;
/// Disguises stand where they are read first.
constexpr std::size_t kUndisguisedBytesMax = 8U << 10;
constexpr std::size_t kNoiseBytesMax = 32U << 10;
constexpr std::size_t kDialledDigitsMin = 8;
/// A name of so few letters before the @ is somebody's initials.
constexpr std::size_t kInitialsMax = 4;

std::size_t count_words(std::string_view folded) {
    return static_cast<std::size_t>(std::ranges::count(folded, ' ')) - 1;
}

/// Words without the signs and blanks that stand around them.
std::string_view without_edges(std::string_view words) {
    static constexpr std::string_view kEdges = " \t\r\n.,;:!?()[]{}<>|*\"-_/";
    const std::size_t begin = words.find_first_not_of(kEdges);
    if (begin == std::string_view::npos) return words;
    return words.substr(begin, words.find_last_not_of(kEdges) - begin + 1);
}

/// One searched text and what was found in it.
struct Searched {
    std::string_view source;
    Folded folded;
    std::vector<PhraseSet::Hit> hits;
    std::string_view where;

    Searched(const Pack& pack, std::string_view text, std::string_view place)
        : source(cut(text, kSearchedBytesMax)),
          folded(fold(source)),
          hits(pack.phrases.find(folded.text)),
          where(place) {}
    std::string words(const PhraseSet::Hit& hit) const {
        return std::string(
            cut(without_edges(folded.source(source, hit.at, hit.size)), kEvidenceBytesMax));
    }
};

class Extractor {
  public:
    Extractor(const Message& message, const Envelope& envelope, const History& history)
        : message_(message),
          envelope_(envelope),
          history_(history),
          pack_(built_in_pack()),
          reader_(pack_, history, recipients()) {}

    Evidence run(AttachmentFacts attachments) {
        out_.attachments = std::move(attachments);
        out_.auth = authenticate(message_, envelope_);
        if (out_.auth.is_forged && is_believed_relay()) out_.auth.is_forged = false;
        if (!is_known_path() && out_.auth.spf == AuthResult::Pass) out_.auth.spf = AuthResult::None;
        out_.relations = find_relations(message_, envelope_, history_, out_.auth, reader_);
        out_.quoted = find_quoted(message_, history_, out_.relations);
        read_links();
        const Searched sender(pack_, message_.author().name, "header:From");
        const std::string local = local_part();  // a Searched looks at its text, it keeps none
        const Searched mailbox(pack_, local, "header:From");
        const Searched subject(pack_, message_.subject, "header:Subject");
        const Searched body(pack_, message_.text, message_.html.empty() ? "text" : "html");
        const Searched files(pack_, out_.attachments.text, "attachment");
        out_.words = count_words(body.folded.text);
        for (const Searched* one : {&sender, &mailbox, &subject, &body, &files}) search(*one);
        products(sender);
        disguises(sender, subject, body);
        for (const Searched* one : {&sender, &subject, &body}) unmask(*one);
        noise(local);
        settle_carrier();
        numbers(subject);
        numbers(body);
        numbers(files);
        excuse_carrier();
        name_supplier({&sender, &subject, &body, &files});
        settle_ibans();
        believe_unchanged(body.folded.text);
        believe_debited(body.folded.text);
        settle_mailing();
        return std::move(out_);
    }

  private:
    std::vector<std::string> recipients() const {
        std::vector<std::string> all = envelope_.rcpt_to;
        for (const Address& one : message_.to)
            if (all.size() < 10 && contains(one.address, "@")) all.push_back(one.address);
        return all;
    }

    /// A list passes on what somebody wrote to it, under its own envelope: their proof breaks by
    /// that, and nobody forged them. Of whom the house knows, and of brands, only a list that the
    /// house knows too is believed: the headers of one are soon written.
    bool is_believed_relay() const {
        const std::string list = relaying_list(message_, envelope_, out_.auth);
        if (list.empty() || history_.is_known_domain(list)) return !list.empty();
        const std::string_view from = message_.author().domain();
        const bool freemail = history_.is_freemail(registrable_domain(from));
        return !history_.is_own_domain(from) &&
               !history_.correspondent(message_.author().address) &&
               (freemail || (!history_.is_known_domain(from) && !pack_.brand_of_domain(from)));
    }

    /// SPF proves the envelope's domain, which anybody has: in the house's own name only one that
    /// the house knows counts.
    bool is_known_path() const {
        const std::string_view path =
            domain_of(envelope_.mail_from.empty() ? message_.return_path : envelope_.mail_from);
        return !history_.is_own_domain(message_.author().domain()) ||
               history_.is_known_domain(path);
    }

    std::string local_part() const {
        const std::string& address = message_.author().address;
        return address.substr(0, address.rfind('@'));
    }

    void read_links() {
        const std::string_view where = message_.html.empty() ? "text" : "html";
        for (const RawLink& raw : message_.links) {
            out_.links.push_back(reader_.read(raw, where));
            if (out_.links.back().scheme == "tel") phone_link(raw, where);
        }
        const AttachmentFacts& files = out_.attachments;
        for (std::size_t i = 0; i < files.links.size(); ++i)
            out_.links.push_back(reader_.read(files.links[i], files.link_where[i]));
        for (const QrCode& code : files.qr) {
            Link link = reader_.read({LinkKind::Image, code.payload, {}}, code.where);
            link.from_qr = true;
            out_.links.push_back(std::move(link));
        }
    }

    /// A number made to be tapped is a number to call.
    void phone_link(const RawLink& raw, std::string_view where) {
        Phone phone{
            .value = {}, .evidence = raw.target, .call_asked = true, .where = std::string(where)};
        for (const char c : raw.target)
            if (c == '+' || (c >= '0' && c <= '9')) phone.value.push_back(c);
        if (phone.value.size() >= kDialledDigitsMin) out_.phones.push_back(std::move(phone));
    }

    void search(const Searched& text) {
        std::vector<std::uint32_t> known;
        for (const PhraseSet::Hit& hit : text.hits) {
            if (hit.id >= Pack::kBrandIds) {
                mention(text, hit);
                continue;
            }
            if (std::ranges::find(known, hit.phrase) != known.end()) continue;
            known.push_back(hit.phrase);
            LureFacts& lure = out_.lures[hit.id];
            if (lure.phrases++ == 0) {
                lure.evidence = text.words(hit);
                lure.where = text.where;
            }
            if (text.where == "header:Subject") lure.in_subject = true;
        }
    }

    void mention(const Searched& text, const PhraseSet::Hit& hit) {
        const bool weak = hit.id >= Pack::kWeakIds;
        if (weak && !(text.where == "header:From" && is_whole_name(text.folded.text, hit, false)))
            return;
        const bool in_mailbox =
            text.where == "header:From" && text.source != message_.author().name;
        if (in_mailbox && text.words(hit).size() <= kInitialsMax) return;
        BrandMention& made = mention(
            text.where, hit.id - (weak ? Pack::kWeakIds - Pack::kBrandIds : 0), text.words(hit));
        if (text.where == "header:From" && text.source == message_.author().name &&
            is_whole_name(text.folded.text, hit, !weak))
            made.is_whole_sender = true;
    }

    /// A sender's name that goes on where the brand's ends: "amelipro".
    void products(const Searched& sender) {
        const std::string apart = with_products_apart(sender.folded.text);
        if (apart == sender.folded.text) return;
        for (const PhraseSet::Hit& hit : pack_.phrases.find(apart)) {
            if (hit.id < Pack::kBrandIds || hit.id >= Pack::kWeakIds) continue;
            BrandMention& made = mention(sender.where, hit.id, message_.author().name);
            made.is_whole_sender = made.is_whole_sender || is_whole_name(apart, hit, true);
        }
    }

    /// `id` is that of a strong name.
    BrandMention& mention(std::string_view where, std::uint32_t id, std::string words) {
        const Brand& brand = pack_.brands[id - Pack::kBrandIds];
        auto it = std::ranges::find(out_.brands, brand.id, &BrandMention::id);
        if (it == out_.brands.end()) {
            BrandMention made;
            made.id = brand.id;
            made.name = brand.name;
            made.category = brand.category;
            made.evidence = std::move(words);
            // A mailbox at a provider is its user, not the provider.
            made.sender_is_brand = !out_.relations.from_freemail && !out_.relations.is_tenant &&
                                   pack_.writes_from(brand, message_.author().domain());
            it = out_.brands.insert(out_.brands.end(), std::move(made));
        }
        it->in_sender = it->in_sender || where == "header:From";
        it->in_subject = it->in_subject || where == "header:Subject";
        it->in_text = it->in_text || where == "html" || where == "text" || where == "attachment";
        return *it;
    }

    /// "CPAM 53": the office of a department.
    static bool is_number(std::string_view word) {
        return word.find_first_not_of("0123456789") == std::string_view::npos;
    }

    /// "Apple", "Orange Support": the name is the brand's and nothing of its own. What houses call
    /// their desks goes beside a name of its own ("Xero Billing"), not beside a common word.
    static bool is_whole_name(std::string_view rest, const PhraseSet::Hit& hit, bool own_name) {
        static constexpr auto kFillers = std::to_array<std::string_view>(
            {"account",  "admin",   "alert",        "alerte",        "assistance", "billing",
             "center",   "centre",  "client",       "clients",       "compte",     "contact",
             "customer", "equipe",  "help",         "info",          "mail",       "message",
             "no",       "noreply", "notification", "notifications", "reply",      "security",
             "securite", "service", "services",     "support",       "team",       "update"});
        static constexpr auto kDesks = std::to_array<std::string_view>(
            {"accounts",     "alerts",        "bank",          "banque",    "business", "care",
             "certif",       "commande",      "commandes",     "connect",   "delivery", "depart",
             "deutschland",  "direct",        "document",      "documents", "espace",   "et",
             "factures",     "facturation",   "france",        "fraud",     "fraude",   "invoice",
             "invoices",     "invoicing",     "kundenservice", "l",         "la",       "le",
             "les",          "livraison",     "login",         "mailbox",   "notice",   "notices",
             "of",           "online",        "order",         "orders",    "par",      "payments",
             "portail",      "portal",        "pro",           "recovery",  "refund",   "refunds",
             "relation",     "remboursement", "renewal",       "secure",    "signin",   "storage",
             "subscription", "suisse",        "tax",           "the",       "transfer", "uk",
             "verification", "via",           "workspace"});
        const std::string_view name = rest.substr(hit.at, hit.size);
        for (std::size_t at = 0; at < rest.size();) {
            const std::size_t end = std::min(rest.find(' ', at), rest.size());
            const std::string_view word = rest.substr(at, end - at);
            const bool fills =
                std::ranges::binary_search(kFillers, word) ||
                (own_name && (std::ranges::find(kDesks, word) != kDesks.end() || is_number(word)));
            if (!word.empty() && !contains(name, word) && !fills) return false;
            at = end + 1;
        }
        return true;
    }

    void disguises(const Searched& sender, const Searched& subject, const Searched& body) {
        for (const Searched* one : {&sender, &subject, &body}) {
            out_.invisible += one->folded.invisible;
            if (one != &body) out_.invisible_in_head += one->folded.invisible;
            out_.disguised += one->folded.disguised;
            if (one->folded.disguised > 0 && out_.disguised_evidence.empty())
                out_.disguised_evidence = cut(one->source, 80);
        }
    }

    /// What only the hurried reading says: a brand or a lure in disguise.
    void unmask(const Searched& text) {
        const std::string_view shown = cut(text.source, kUndisguisedBytesMax);
        const Undisguised plain = undisguise(shown);
        if (plain.text.empty()) return;
        const Folded read = fold(plain.text);
        for (const PhraseSet::Hit& hit : pack_.phrases.find(read.text)) {
            const bool known = std::ranges::any_of(
                text.hits, [&](const PhraseSet::Hit& seen) { return seen.phrase == hit.phrase; });
            if (known || hit.id >= Pack::kWeakIds) continue;
            const std::string_view words = read.source(plain.text, hit.at, hit.size);
            const auto at = static_cast<std::size_t>(words.data() - plain.text.data());
            const std::string_view stands = plain.source(shown, at, words.size());
            if (stands.empty() || stands == words) continue;
            if (out_.masked++ == 0) {
                out_.masked_evidence = cut(stands, kEvidenceBytesMax);
                out_.masked_where = text.where;
            }
            if (hit.id >= Pack::kBrandIds)
                mention(text.where, hit.id, std::string(cut(stands, kEvidenceBytesMax)));
        }
    }

    void noise(std::string_view mailbox) {
        const Noise body = noise_of(cut(message_.text, kNoiseBytesMax));
        out_.random_words = body.random;
        out_.random_evidence = cut(body.random_evidence, kEvidenceBytesMax);
        out_.wall = body.wall;
        out_.wall_evidence = body.wall_evidence;
        const auto look = [this](std::string_view text, std::string_view where) {
            if (!out_.random_in_head.empty()) return;
            out_.random_in_head = noise_of(text).random_evidence;
            if (!out_.random_in_head.empty()) out_.random_in_head_where = where;
        };
        look(message_.subject, "header:Subject");
        look(message_.author().name, "header:From");
        for (std::size_t at = 0; at < mailbox.size();) {
            const std::size_t end = std::min(mailbox.find_first_of(".-_+=", at), mailbox.size());
            look(mailbox.substr(at, end - at), "header:From");
            at = end + 1;
        }
    }

    /// Who writes to many says how to leave, and so does who wants to pass for it: that speaks for
    /// those who prove their domain, who are known, or whose letter leads home.
    void settle_mailing() {
        const Relations& who = out_.relations;
        const bool leads_home = std::ranges::any_of(out_.links, [&](const Link& link) {
            return !who.from_freemail && link.final_domain == who.from_domain;
        });
        if (!leads_home && !out_.auth.is_authentic && !who.known_domain && !who.known_correspondent)
            out_.lures[static_cast<std::size_t>(Lure::Mailing)] = {};
    }

    /// Replies to a service's mail that go to somebody unknown: it carries a stranger's words.
    void settle_carrier() {
        Relations& who = out_.relations;
        const Brand* carrier = pack_.brand_of_domain(message_.author().domain());
        if (!carrier || who.from_freemail || !who.reply_to_differs) return;
        const std::string_view answer = domain_of(who.reply_to);
        const auto is_ours = [&](const Address& to) { return to.domain() == answer; };
        who.is_carrier = pack_.brand_of_domain(answer) != carrier &&
                         !history_.is_known_domain(answer) && !history_.is_own_domain(answer) &&
                         std::ranges::none_of(message_.to, is_ours) &&
                         history_.correspondent(who.reply_to) == nullptr;
    }

    /// Words that a plain notice of something shared has no use for.
    bool presses() const {
        return std::ranges::any_of(
            std::to_array({Lure::AdvanceFee, Lure::Charge, Lure::Credential, Lure::DataRequest,
                           Lure::GiftCard, Lure::Identify, Lure::PaymentChange,
                           Lure::PaymentRequest, Lure::Prize, Lure::Refund, Lure::Secret,
                           Lure::SupportAlert, Lure::Threat, Lure::Urgency}),
            [&](Lure one) { return out_.has(one); });
    }

    /// A service that always has its customer answered, where all leads to the service itself and
    /// no number is to be called: this is how it works. What anybody may publish there is believed
    /// where the words want nothing.
    void excuse_carrier() {
        const Brand* carrier = pack_.brand_of_domain(message_.author().domain());
        if (!out_.relations.is_carrier || !carrier->carries || !out_.phones.empty()) return;
        const bool quiet = !out_.relations.reply_to_freemail && !presses();
        out_.relations.is_carrier = std::ranges::any_of(out_.links, [&](const Link& link) {
            return !link.host.empty() && ((link.is_free_host && !quiet) ||
                                          !pack_.writes_from(*carrier, link.final_domain));
        });
    }

    void numbers(const Searched& text) {
        std::vector<std::size_t> calls;
        for (const PhraseSet::Hit& hit : text.hits)
            if (hit.id == static_cast<std::uint32_t>(Lure::Call)) calls.push_back(hit.at);
        for (Phone& phone : find_phones(text.source, text.folded, calls, text.where))
            out_.phones.push_back(std::move(phone));
        for (CryptoAddress& one : find_wallets(text.source, text.where))
            out_.wallets.push_back(std::move(one));
        for (Iban& iban : find_ibans(text.source, text.where)) {
            const auto same = [&](const IbanFacts& known) {
                return known.iban.value == iban.value;
            };
            if (std::ranges::any_of(out_.ibans, same)) continue;
            const bool quoted = out_.quoted.any && text.source.data() == message_.text.data() &&
                                text.source.find(iban.evidence) >= out_.quoted.at;
            out_.ibans.push_back({.iban = std::move(iban), .supplier = {}, .in_quote = quoted});
        }
    }

    void name_supplier(std::initializer_list<const Searched*> texts) {
        for (const Searched* text : texts) {
            const History::Named named = history_.supplier_named(text->folded.text);
            if (!named.supplier || !out_.relations.supplier_named.empty()) continue;
            out_.relations.supplier_named = named.supplier->name;
            out_.relations.supplier_named_evidence =
                text->folded.source(text->source, named.at, named.size);
        }
    }

    /// Whose each IBAN is, and whether it is new for the supplier that writes or is named.
    void settle_ibans() {
        const Relations& who = out_.relations;
        const std::string& claimed = !who.supplier.empty() ? who.supplier : who.supplier_named;
        const auto known = std::ranges::find(history_.suppliers, claimed, &Supplier::name);
        for (IbanFacts& one : out_.ibans) {
            if (const Supplier* owner = history_.supplier_of_iban(one.iban.value))
                one.supplier = owner->name;
            one.known_to_sender = !one.supplier.empty() && one.supplier == claimed;
            one.new_for_supplier = !claimed.empty() && known != history_.suppliers.end() &&
                                   !known->ibans.empty() && !one.known_to_sender;
        }
    }

    /// "Our bank details have not changed", and no other account to pay to: no change is announced.
    void believe_unchanged(std::string_view folded) {
        static constexpr auto kUnchanged = std::to_array<std::string_view>(
            {" n ont pas change ", " n a pas change ", " inchange", " ne vous demanderons jamais ",
             " ne changeons pas ", " unchanged ", " not changed ", " never ask you to change ",
             " will never change ", " unverandert ", " nicht geandert ", " no han cambiado ",
             " non sono cambiat", " niet gewijzigd ", " nao mudaram "});
        const auto strange = [](const IbanFacts& one) { return one.supplier.empty(); };
        if (std::ranges::any_of(out_.ibans, strange)) return;
        if (std::ranges::any_of(kUnchanged,
                                [&](std::string_view said) { return contains(folded, said); }))
            out_.lures[static_cast<std::size_t>(Lure::PaymentChange)] = {};
    }

    /// Who changes their own bank to be debited, or asks where to pay, is the one who pays: nothing
    /// is to be paid elsewhere. Wages and accounts that are given are another matter.
    void believe_debited(std::string_view folded) {
        static constexpr auto kDebited = std::to_array<std::string_view>(
            {" prelevement", " preleve", " mandat sepa ", " direct debit ", " lastschrift",
             " abbuch", " einzugsermachtigung ", " domiciliacion ", " recibos ", " debito direto ",
             " debito automatico ", " addebito ", " domiciliazione ", " incasso ", " machtiging "});
        static constexpr auto kYours = std::to_array<std::string_view>(
            {" votre iban ", " votre rib ", " de vos factures ", " sur vos factures ",
             " your iban ", " on your invoices ", " ihre iban ", " auf ihren rechnungen ",
             " su iban ", " en sus facturas ", " o vosso iban ", " nas vossas faturas ",
             " il vostro iban ", " sulle vostre fatture ", " uw iban ", " op uw facturen "});
        static constexpr auto kPaysUs = std::to_array<std::string_view>({" salaire ",
                                                                         " paie ",
                                                                         " salary ",
                                                                         " payroll ",
                                                                         " gehalt ",
                                                                         " nomina ",
                                                                         " stipendio ",
                                                                         " salaris ",
                                                                         " vos virements ",
                                                                         " vos reglements ",
                                                                         " vos paiements ",
                                                                         " nos factures ",
                                                                         " votre reglement ",
                                                                         " votre virement ",
                                                                         " prochain reglement ",
                                                                         " prochains ",
                                                                         " your payment",
                                                                         " our invoice",
                                                                         " ihre zahlung",
                                                                         " unsere rechnung",
                                                                         " sus pagos ",
                                                                         " nuestras facturas ",
                                                                         " seus pagamentos ",
                                                                         " vossos pagamentos ",
                                                                         " nossas faturas ",
                                                                         " vostri pagamenti ",
                                                                         " nostre fatture ",
                                                                         " uw betaling",
                                                                         " onze factu"});
        const auto any = [&](auto& words) {
            return std::ranges::any_of(
                words, [&](std::string_view word) { return contains(folded, word); });
        };
        const auto strange = [](const IbanFacts& one) { return one.supplier.empty(); };
        if (std::ranges::any_of(out_.ibans, strange) || !out_.relations.supplier_named.empty())
            return;
        if ((any(kDebited) || any(kYours)) && !any(kPaysUs))
            out_.lures[static_cast<std::size_t>(Lure::PaymentChange)] = {};
    }

    const Message& message_;
    const Envelope& envelope_;
    const History& history_;
    const Pack& pack_;
    LinkReader reader_;
    Evidence out_;
};

}  // namespace

bool FileFacts::has(Capability capability) const {
    return std::ranges::find(findings, capability, &Finding::capability) != findings.end();
}

Evidence extract_evidence(const Message& message, const Envelope& envelope, const History& history,
                          AttachmentFacts attachments) {
    return Extractor(message, envelope, history).run(std::move(attachments));
}

}  // namespace hygie::mail
