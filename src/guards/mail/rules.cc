#include "guards/mail/rules.h"

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
        {"auth.own_forged", SpearPhishing, 4.0},
        {"auth.own_forged", Phishing, 3.5},
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
        {"sender.look_alike", Phishing, 4.5},
        {"sender.look_alike", PaymentFraud, 3.0},
        {"sender.look_alike", SpearPhishing, 3.0},
        {"sender.name_is_address", Phishing, 1.5},
        {"sender.name_is_address", SpearPhishing, 2.0},
        {"sender.names_us", Phishing, 2.5},
        {"sender.first_contact", Phishing, 0.3},
        {"sender.freemail", Phishing, 0.2},
        {"sender.reply_elsewhere", Phishing, 0.3},
        {"link.brand_elsewhere", Phishing, 1.6},
        {"link.brand_in_host", Phishing, 2.6},
        {"link.data", Phishing, 3.0},
        {"link.embeds", Phishing, 1.6},
        {"link.free_host", Phishing, 1.2},
        {"link.ip", Phishing, 2.5},
        {"link.look_alike", Phishing, 4.0},
        {"link.many", Phishing, -0.5},
        {"link.punycode", Phishing, 1.5},
        {"link.qr", Phishing, 2.0},
        {"link.recipient_inside", Phishing, 1.2},
        {"link.redirector", Phishing, 1.0},
        {"link.shortener", Phishing, 0.8},
        {"link.shown_other_domain", Phishing, 2.6},
        {"link.unrelated", Phishing, 0.4},
        {"link.user_info", Phishing, 2.5},
        {"form.asks_secret", Phishing, 4.0},
        {"form.present", Phishing, 0.8},
        {"html.script", Phishing, 1.0},
        {"html.hidden_text", Phishing, 0.2},
        {"file.html", Phishing, 1.5},
        {"file.html_form", Phishing, 6.0},
        {"file.html_script", Phishing, 4.5},
        {"file.pdf_link", Phishing, 1.5},
        {"file.calendar", Phishing, 0.3},
        {"mime.duplicate_from", Phishing, 1.5},
        {"mime.malformed", Phishing, 1.0},
        {"text.disguised", Phishing, 2.0},
        {"text.image_only", Phishing, 1.2},
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
        {"scheme.delivery_fee", Phishing, 3.0},
        {"scheme.document", Phishing, 2.5},
        {"scheme.health", Phishing, 3.5},
        {"scheme.mailbox", Phishing, 2.8},
        {"scheme.prize", Phishing, 1.5},
        // One person in view.
        {"scheme.executive", SpearPhishing, 4.0},
        {"scheme.gift_card", SpearPhishing, 5.0},
        {"sender.correspondent_foreign", SpearPhishing, 3.5},
        {"sender.correspondent_foreign", PaymentFraud, 2.0},
        {"sender.executive_name", SpearPhishing, 1.0},
        {"sender.reply_freemail", SpearPhishing, 1.0},
        {"sender.reply_look_alike", SpearPhishing, 3.0},
        {"sender.staff_foreign", SpearPhishing, 4.0},
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
        {"scheme.bank_change", PaymentFraud, 4.4},
        {"scheme.payment_order", PaymentFraud, 4.5},
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
        {"money.wallet", Extortion, 1.0},
        {"scheme.extortion", Extortion, 6.0},
        {"lure.extortion", Extortion, 1.5},
        // Data.
        {"scheme.data_request", DataTheft, 5.2},
        {"sender.staff_foreign", DataTheft, 2.0},
        {"lure.data_request", DataTheft, 1.0},
        {"lure.urgency", DataTheft, 0.3},
        // What a file can do.
        {"file.archive_bomb", Malware, 5.5},
        {"file.archive_encrypted", Malware, 2.8},
        {"file.archive_nested", Malware, 1.0},
        {"file.chm_help", Malware, 7.0},
        {"file.dde", Malware, 6.0},
        {"file.disk_image", Malware, 6.5},
        {"file.double_extension", Malware, 6.0},
        {"file.embedded_object", Malware, 4.5},
        {"file.executable", Malware, 7.0},
        {"file.exploit_shape", Malware, 7.0},
        {"file.external_template", Malware, 5.2},
        {"file.html_smuggling", Malware, 7.0},
        {"file.macro", Malware, 4.0},
        {"file.macro_auto_run", Malware, 6.5},
        {"file.onenote_file", Malware, 7.0},
        {"file.password_given", Malware, 3.5},
        {"file.pdf_embedded", Malware, 2.0},
        {"file.pdf_javascript", Malware, 4.0},
        {"file.pdf_launch", Malware, 6.5},
        {"file.rtf_object", Malware, 5.5},
        {"file.script", Malware, 7.0},
        {"file.shortcut", Malware, 7.0},
        {"file.svg_script", Malware, 6.0},
        {"file.type_mismatch", Malware, 2.5},
        {"file.unreadable", Malware, 1.0},
        {"lure.attachment", Malware, 0.8},
        {"lure.urgency", Malware, 0.3},
        {"lure.payment_request", Malware, 0.4},
        {"lure.delivery", Malware, 0.3},
        {"sender.first_contact", Malware, 0.4},
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

Text advice_for(Class kind, event::Level level) {
    if (level == event::Level::Clean) return {"Rien à faire.", "Nothing to do."};
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
            return {"Ne payez pas ; appelez le fournisseur au numéro que vous connaissez.",
                    "Do not pay; call the supplier on the number that you know."};
        case Class::Extortion:
            return {"Ne payez pas et ne répondez pas ; prévenez votre référent et portez plainte.",
                    "Do not pay and do not answer; tell your contact and go to the police."};
        case Class::DataTheft:
            return {"N'envoyez rien ; vérifiez la demande de vive voix avec son auteur.",
                    "Send nothing; check the request by voice with its author."};
    }
    return {};
}

}  // namespace hygie::mail
