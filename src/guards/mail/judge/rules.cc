#include "guards/mail/judge/rules.h"

#include <algorithm>

namespace hygie::mail {

std::span<const Rule> rules() {
    using enum Class;
    static const Rule kRules[] = {
        // Whoever proves to be known or to be the brand takes much away, and never all of it.
        {"auth.authentic", Phishing, -0.6},
        {"auth.authentic", Spam, -0.4},
        {"auth.authentic", TechSupport, -0.4},
        {"auth.forged", Phishing, 1.0},
        {"auth.forged", PaymentFraud, 1.0},
        {"auth.forged", SpearPhishing, 1.0},
        {"auth.own_forged", SpearPhishing, 3.0},
        {"auth.own_forged", Phishing, 3.0},
        {"auth.own_forged", PaymentFraud, 2.5},
        {"auth.own_forged", DataTheft, 2.0},
        {"brand.authentic", Phishing, -5.0},
        {"brand.authentic", Spam, -3.0},
        {"brand.authentic", TechSupport, -4.0},
        {"brand.authentic", PaymentFraud, -2.0},
        {"brand.authentic", Extortion, -2.0},
        {"brand.in_subject", Phishing, 0.5},
        {"sender.known", Phishing, -3.0},
        {"sender.known", Spam, -3.0},
        {"sender.known", TechSupport, -3.0},
        {"sender.known", SpearPhishing, -2.0},
        {"sender.known", DataTheft, -2.0},
        {"sender.own", Phishing, -2.5},
        {"sender.own", Spam, -3.0},
        {"sender.own", SpearPhishing, -1.5},
        {"thread.known", Phishing, -1.5},
        {"thread.known", Spam, -2.0},
        {"thread.known", SpearPhishing, -1.0},
        {"thread.false", Phishing, 0.5},
        {"thread.false", PaymentFraud, 0.8},
        // Phishing.
        {"sender.brand_foreign", Phishing, 3.2},
        {"sender.brand_foreign", TechSupport, 0.8},
        {"sender.embeds", Phishing, 1.8},
        {"sender.look_alike", Phishing, 6.0},
        {"sender.look_alike", PaymentFraud, 3.0},
        {"sender.look_alike", SpearPhishing, 3.0},
        {"sender.name_is_address", Phishing, 1.5},
        {"sender.name_is_address", SpearPhishing, 2.0},
        {"sender.carrier", Phishing, 0.5},
        {"sender.decorated", Phishing, 0.6},
        {"sender.random", Phishing, 0.4},
        {"sender.yourself", Phishing, 1.5},
        {"sender.names_us", Phishing, 2.5},
        {"sender.name_is_domain", Phishing, 1.5},
        {"sender.no_domain", Phishing, 1.0},
        {"text.names_us", Phishing, 1.2},
        {"sender.first_contact", Phishing, 0.3},
        {"sender.freemail", Phishing, 0.2},
        {"sender.reply_elsewhere", Phishing, 0.3},
        {"link.brand_elsewhere", Phishing, 1.6},
        {"link.brand_in_host", Phishing, 2.6},
        {"link.data", Phishing, 3.0},
        {"link.embeds", Phishing, 1.6},
        {"link.detour", Phishing, 1.5},
        {"link.free_host", Phishing, 1.2},
        {"link.ip", Phishing, 2.5},
        {"link.look_alike", Phishing, 4.0},
        {"link.many", Phishing, -0.5},
        {"link.punycode", Phishing, 1.5},
        {"link.qr", Phishing, 2.0},
        {"link.recipient_after_hash", Phishing, 2.0},
        {"link.recipient_inside", Phishing, 1.2},
        {"link.redirector", Phishing, 1.0},
        {"link.shortener", Phishing, 0.8},
        {"link.shown_other_domain", Phishing, 2.6},
        {"link.strange_host", Phishing, 4.0},
        {"link.unrelated", Phishing, 0.4},
        {"link.user_info", Phishing, 2.5},
        {"form.asks_secret", Phishing, 4.0},
        {"form.present", Phishing, 0.8},
        {"html.script", Phishing, 1.0},
        {"html.hidden_text", Phishing, 0.2},
        {"html.pushed_away", Phishing, 2.5},
        {"file.html", Phishing, 1.5},
        {"file.html_form", Phishing, 8.0},
        {"file.html_script", Phishing, 6.0},
        {"file.pdf_link", Phishing, 1.5},
        {"file.calendar", Phishing, 0.3},
        {"file.page_is_link", Phishing, 2.5},
        {"file.picture_text", Phishing, 0.6},
        {"mime.duplicate_from", Phishing, 1.5},
        {"mime.malformed", Phishing, 1.0},
        {"text.disguised", Phishing, 2.0},
        {"text.greets_address", Phishing, 0.8},
        {"text.image_only", Phishing, 1.2},
        {"text.masked", Phishing, 2.0},
        {"text.random", Phishing, 0.6},
        {"text.wall", Phishing, 0.8},
        {"text.invisible", Phishing, 0.8},
        {"lure.credential", Phishing, 1.3},
        {"lure.threat", Phishing, 1.0},
        {"lure.urgency", Phishing, 0.5},
        {"lure.click", Phishing, 0.5},
        {"lure.document", Phishing, 0.6},
        {"lure.refund", Phishing, 0.6},
        {"lure.delivery", Phishing, 0.6},
        {"lure.generic_greeting", Phishing, 0.6},
        {"lure.health", Phishing, 0.2},
        {"lure.prize", Phishing, 0.5},
        {"lure.mailing", Phishing, -0.3},
        {"scheme.brand_credential", Phishing, 2.5},
        {"scheme.care_brand", Phishing, 6.0},
        {"scheme.delivery_fee", Phishing, 3.0},
        {"scheme.document", Phishing, 2.5},
        {"scheme.health", Phishing, 3.5},
        {"scheme.mailbox", Phishing, 2.8},
        {"scheme.prize", Phishing, 1.5},
        {"scheme.qr", Phishing, 3.0},
        // One person in view.
        {"scheme.executive", SpearPhishing, 4.0},
        {"scheme.taken_over", SpearPhishing, 9.5},
        {"scheme.gift_card", PaymentFraud, 6.5},
        {"scheme.gift_card", SpearPhishing, 1.5},
        {"sender.correspondent_foreign", SpearPhishing, 3.5},
        {"sender.correspondent_foreign", PaymentFraud, 2.0},
        {"sender.executive_name", SpearPhishing, 1.0},
        {"sender.reply_freemail", SpearPhishing, 1.0},
        {"sender.reply_look_alike", SpearPhishing, 3.0},
        {"sender.staff_foreign", SpearPhishing, 3.6},
        {"lure.bec_opener", SpearPhishing, 1.5},
        {"lure.gift_card", SpearPhishing, 0.8},
        {"lure.secrecy", SpearPhishing, 0.8},
        {"lure.urgency", SpearPhishing, 0.4},
        {"text.short", SpearPhishing, 0.4},
        // Money.
        {"money.bad_iban", PaymentFraud, 1.0},
        {"money.known_iban", PaymentFraud, -4.0},
        {"money.new_iban", PaymentFraud, 4.5},
        {"money.other_country", PaymentFraud, 1.0},
        {"money.unknown_iban", PaymentFraud, 0.8},
        {"money.quote_differs", PaymentFraud, 3.0},
        {"thread.imitated", PaymentFraud, 3.0},
        {"thread.imitated", SpearPhishing, 3.0},
        {"thread.imitated", Phishing, 2.0},
        {"thread.other_voice", PaymentFraud, 1.5},
        {"thread.other_voice", SpearPhishing, 1.0},
        {"scheme.bank_change", PaymentFraud, 4.4},
        {"scheme.payment_order", PaymentFraud, 4.5},
        {"scheme.stray_iban", PaymentFraud, 4.4},
        {"scheme.payroll", PaymentFraud, 5.0},
        {"sender.reply_freemail", PaymentFraud, 1.2},
        {"sender.reply_look_alike", PaymentFraud, 3.0},
        {"sender.staff_foreign", PaymentFraud, 2.0},
        {"sender.supplier_foreign", PaymentFraud, 1.5},
        {"sender.first_contact", PaymentFraud, 0.5},
        {"sender.freemail", PaymentFraud, 0.5},
        {"lure.payment_change", PaymentFraud, 1.5},
        {"lure.payment_request", PaymentFraud, 0.6},
        {"lure.secrecy", PaymentFraud, 0.8},
        {"lure.urgency", PaymentFraud, 0.4},
        {"scheme.advance_fee", PaymentFraud, 2.0},
        // A call to make.
        {"phone.call_asked", TechSupport, 0.8},
        {"scheme.callback", TechSupport, 5.2},
        {"lure.call", TechSupport, 0.6},
        {"lure.charge", TechSupport, 0.8},
        {"lure.support_alert", TechSupport, 1.2},
        {"lure.urgency", TechSupport, 0.3},
        {"sender.freemail", TechSupport, 0.8},
        // Threats.
        {"sender.yourself", Extortion, 1.5},
        {"money.wallet", Extortion, 1.0},
        {"scheme.extortion", Extortion, 6.0},
        {"lure.extortion", Extortion, 1.5},
        // Data.
        {"scheme.data_request", DataTheft, 5.2},
        {"sender.staff_foreign", DataTheft, 2.0},
        {"lure.data_request", DataTheft, 1.0},
        {"lure.urgency", DataTheft, 0.3},
        // What a file can do.
        {"file.archive_bomb", Malware, 7.5},
        {"file.archive_encrypted", Malware, 3.2},
        {"file.archive_nested", Malware, 1.0},
        {"file.archive_odd", Malware, 7.5},
        {"file.chm_help", Malware, 8.5},
        {"file.config_profile", Malware, 8.5},
        {"file.dde", Malware, 8.0},
        {"file.disk_image", Malware, 8.0},
        {"file.double_extension", Malware, 8.0},
        {"file.embedded_object", Malware, 6.5},
        {"file.executable", Malware, 8.5},
        {"file.exploit_shape", Malware, 8.5},
        {"file.external_template", Malware, 8.0},
        {"html.share", Malware, 8.0},
        {"file.html_smuggling", Malware, 8.5},
        {"file.macro", Malware, 6.2},
        {"file.macro_auto_run", Malware, 8.0},
        {"file.onenote_file", Malware, 8.5},
        {"file.password_given", Malware, 4.5},
        {"file.pdf_embedded", Malware, 2.0},
        {"file.pdf_javascript", Malware, 5.8},
        {"file.pdf_launch", Malware, 8.0},
        {"file.rtf_object", Malware, 8.0},
        {"file.script", Malware, 8.5},
        {"file.shortcut", Malware, 8.5},
        {"file.svg_script", Malware, 8.0},
        {"file.type_mismatch", Malware, 2.5},
        {"file.unreadable", Malware, 1.0},
        {"lure.attachment", Malware, 0.8},
        {"lure.urgency", Malware, 0.3},
        {"lure.payment_request", Malware, 0.4},
        {"lure.delivery", Malware, 0.3},
        {"sender.first_contact", Malware, 0.4},
        {"sender.known", Malware, -1.2},
        {"sender.brand_foreign", Malware, 1.0},
        {"auth.forged", Malware, 0.8},
        // Nuisance.
        {"scheme.advance_fee", Spam, 4.4},
        {"scheme.prize", Spam, 2.5},
        {"sender.freemail", Spam, 0.5},
        {"sender.reply_freemail", Spam, 0.8},
        {"sender.undisclosed", Spam, 0.6},
        {"link.shortener", Spam, 0.5},
        {"link.free_host", Spam, 0.8},
        {"sender.decorated", Spam, 1.0},
        {"sender.random", Spam, 0.6},
        {"text.masked", Spam, 1.5},
        {"text.random", Spam, 1.2},
        {"text.wall", Spam, 1.2},
        {"text.invisible", Spam, 0.8},
        {"text.disguised", Spam, 1.5},
        {"lure.advance_fee", Spam, 1.4},
        {"lure.prize", Spam, 1.2},
        {"lure.spam_goods", Spam, 2.0},
        {"lure.spam_invest", Spam, 1.2},
        {"lure.generic_greeting", Spam, 0.5},
    };
    return kRules;
}

std::span<const Floor> floors() {
    using enum Class;
    constexpr double kNever = 2;
    static const Floor kFloors[] = {
        {"html.pushed_away", Phishing, 0.5, kNever},
        {"link.detour", Phishing, 0.9, kNever},
        {"link.recipient_after_hash", Phishing, 0.5, kNever},
        {"link.strange_host", Phishing, 0.5, kNever},
        {"scheme.access_asked", DataTheft},
        {"scheme.account_announced", PaymentFraud},
        {"scheme.bare_order", PaymentFraud},
        {"scheme.brand_by_phone", TechSupport},
        {"scheme.brand_posing", Phishing},
        {"scheme.card_asked", Phishing},
        {"scheme.carried", TechSupport},
        {"scheme.carried_bait", Phishing},
        {"scheme.carried_lure", Phishing},
        {"scheme.carrier_named", Phishing},
        {"scheme.code_alone", Phishing},
        {"scheme.data_asked", DataTheft},
        {"scheme.data_led_away", DataTheft},
        {"scheme.disguised_link", Phishing},
        {"scheme.document_sign_in", Phishing},
        {"scheme.fine_to_pay", Phishing},
        {"scheme.grafted", Phishing},
        {"scheme.house_desk", Phishing},
        {"scheme.house_imitated", Phishing},
        {"scheme.house_named", Phishing},
        {"scheme.house_voice", Phishing},
        {"scheme.hush_money", Extortion},
        {"scheme.hushed_account", PaymentFraud},
        {"scheme.hushed_channel", SpearPhishing},
        {"scheme.leak_threat", Extortion},
        {"scheme.locked_bait", Malware},
        {"scheme.name_borrowed", SpearPhishing},
        {"scheme.nameless_tenant", Phishing},
        {"scheme.nobodys_desk", Phishing},
        {"scheme.page_lure", Phishing},
        {"scheme.partner_imitated", SpearPhishing},
        {"scheme.partner_voice", TechSupport},
        {"scheme.payers_asked", DataTheft},
        {"scheme.program_link", Malware},
        {"scheme.remote_asked", TechSupport},
        {"scheme.runs_command", Malware},
        {"scheme.secret_asked", Phishing},
        {"scheme.secret_of_known", SpearPhishing},
        {"scheme.shortened_away", Phishing},
        {"scheme.smuggled_name", Phishing},
        {"scheme.stranger_account", Phishing},
        {"scheme.stranger_wallet", Phishing},
        {"scheme.taken_over", SpearPhishing, 0.8, kNever},
        {"scheme.thread_hijack", PaymentFraud},
        {"scheme.untraced_pay", Spam},
    };
    return kFloors;
}

double Floor::at(double strength) const {
    constexpr double kNone = -20;
    constexpr double kWarned = 0.62;  // probability 0.65
    constexpr double kHeld = 2.45;    // probability 0.92
    return strength >= holds_from ? kHeld : strength >= warns_from ? kWarned : kNone;
}

namespace {

bool has(std::span<const Signal> signals, std::initializer_list<std::string_view> ids) {
    return std::ranges::any_of(signals, [&](const Signal& signal) {
        return std::ranges::find(ids, signal.id) != ids.end();
    });
}

/// Money that somebody of the house would want, or a bill of somebody unknown: whom to call
/// differs.
Text advice_about_money(std::span<const Signal> signals) {
    if (has(signals, {"scheme.payroll"}))
        return {"Ne changez rien ; appelez la personne au numéro que vous connaissez.",
                "Change nothing; call the person on the number that you know."};
    if (has(signals, {"scheme.gift_card"}))
        return {"N'achetez rien ; appelez la personne au numéro que vous connaissez.",
                "Buy nothing; call the person on the number that you know."};
    if (has(signals, {"scheme.executive", "sender.staff_foreign", "sender.executive_name",
                      "auth.own_forged"}))
        return {"Ne payez pas ; appelez la personne au numéro que vous connaissez.",
                "Do not pay; call the person on the number that you know."};
    if (has(signals, {"scheme.advance_fee"}))
        return {"Ne payez pas et ne répondez pas.", "Do not pay and do not answer."};
    return {"Ne payez pas ; appelez le fournisseur au numéro que vous connaissez.",
            "Do not pay; call the supplier on the number that you know."};
}

Text advice_when_clean(double score, std::span<const Signal> signals) {
    constexpr double kDoubtful = 0.3;
    if (score >= kDoubtful && has(signals, {"sender.first_contact", "sender.freemail"}))
        return {"Vérifiez qui écrit avant de répondre, de cliquer ou de payer.",
                "Check who writes before you answer, click or pay."};
    return {"Rien à faire.", "Nothing to do."};
}

}  // namespace

Text advice_for(Class kind, event::Level level, double score, std::span<const Signal> signals) {
    if (level == event::Level::Clean) return advice_when_clean(score, signals);
    switch (kind) {
        case Class::None:
        case Class::Spam:
            return {"Supprimez-le sans répondre ni cliquer.",
                    "Delete it without answering or clicking."};
        case Class::Phishing:
            return {"Ne cliquez pas ; allez vous-même sur le site que vous connaissez.",
                    "Do not click; go yourself to the site that you know."};
        case Class::SpearPhishing:
            return {"Ne répondez pas ; appelez la personne au numéro que vous connaissez.",
                    "Do not answer; call the person on the number that you know."};
        case Class::Malware:
            return {"N'ouvrez pas la pièce jointe ; prévenez votre référent informatique.",
                    "Do not open the attachment; tell your IT contact."};
        case Class::TechSupport:
            return {
                "N'appelez pas ce numéro et ne laissez personne prendre la main sur votre poste.",
                "Do not call this number, and let nobody take over your computer."};
        case Class::PaymentFraud:
            return advice_about_money(signals);
        case Class::Extortion:
            return {"Ne payez pas et ne répondez pas ; prévenez votre référent et portez plainte.",
                    "Do not pay and do not answer; tell your contact and go to the police."};
        case Class::DataTheft:
            return {
                "N'envoyez rien ; appelez le demandeur au numéro que vous connaissez, et "
                "jamais de données de patients par simple mail : MSSanté.",
                "Send nothing; call the asker on the number that you know, and never send "
                "patient data by plain mail: use secure health mail (MSSanté)."};
    }
    return {};
}

}  // namespace hygie::mail
