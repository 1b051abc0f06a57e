#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/otp.h"
#include "access/accounts/password.h"
#include "app/house/user_desk.h"
#include "app/line/qr.h"
#include "host/wall_time.h"

/// What proves who somebody is: passwords, second factors, recovery codes.
namespace hygie::app {
namespace {

using access::Account;

std::vector<std::string> hashes_of(const std::vector<std::string>& codes) {
    std::vector<std::string> hashes;
    for (const std::string& code : codes) hashes.push_back(access::recovery_hash(code));
    return hashes;
}

void print_codes(Context& context, const std::vector<std::string>& codes) {
    context.out << context.say({"codes de secours, montrés une seule fois, chacun bon une fois :\n",
                                "recovery codes, shown this once, each good once:\n"});
    for (const std::string& code : codes) context.out << "  " << code << "\n";
}

Result<int> set_password(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const Sensitive<std::string> password = access::make_password(context.random);
    const std::string hash = TRY(access::hash_password(password, crypto::kInteractiveCost));
    TRY_STATUS(desk.change("password", [&](Account& account) -> Status {
        account.password = hash;
        return {};
    }));
    print_password(context, context.values.text("LOGIN"), password);
    return kExitOk;
}

Result<int> remove_otp(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(desk.change("second factor removed", [](Account& account) -> Status {
        account.otp_secret.clear();
        account.recovery.clear();
        return {};
    }));
    print_account(context, *TRY(desk.named()));
    return kExitOk;
}

Result<int> enrol_otp(Context& context) {
    if (context.values.flag("--remove")) return remove_otp(context);
    UserDesk desk = TRY(UserDesk::open(context));
    Bytes secret(access::kOtpSecretBytes);
    context.random.fill(secret);
    const std::vector<std::string> codes = access::make_recovery_codes(context.random);
    TRY_STATUS(desk.change("second factor", [&](Account& account) -> Status {
        account.otp_secret = secret;
        account.otp_last = 0;
        account.recovery = hashes_of(codes);
        return {};
    }));
    const std::string& login = context.values.text("LOGIN");
    const std::string address = access::otp_address(secret, context.values.text("--issuer"), login);
    if (context.json) {
        context.out << nlohmann::json{{"login", login},
                                      {"otpauth", address},
                                      {"recovery_codes", codes}}
                           .dump()
                    << "\n";
        return kExitOk;
    }
    context.out << context.say({"à lire avec l'application de codes de la personne, une seule "
                                "fois :\n",
                                "for the person's code application to read, this once:\n"})
                << qr_of(address) << address << "\n";
    print_codes(context, codes);
    return kExitOk;
}

Result<int> renew_codes(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const std::vector<std::string> codes = access::make_recovery_codes(context.random);
    TRY_STATUS(desk.change("recovery codes", [&](Account& account) -> Status {
        account.recovery = hashes_of(codes);
        return {};
    }));
    if (context.json)
        context.out << nlohmann::json{{"login", context.values.text("LOGIN")},
                                      {"recovery_codes", codes}}
                           .dump()
                    << "\n";
    else
        print_codes(context, codes);
    return kExitOk;
}

Result<int> passkeys(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    if (context.values.has("--remove")) {
        const auto id = access::from_base64url(context.values.text("--remove"));
        TRY_STATUS(desk.change("passkey removed", [&](Account& account) -> Status {
            if (id && std::erase_if(account.passkeys,
                                    [&](const access::Passkey& one) { return one.id == *id; }) > 0)
                return {};
            return fail(Code::NotFound, {"aucune clé de ce numéro", "no passkey of this id"},
                        {"voyez la liste, sans --remove", "see the list, without --remove"});
        }));
    }
    const auto account = TRY(desk.named());
    nlohmann::json all = nlohmann::json::array();
    for (const access::Passkey& one : account->passkeys) {
        const std::string id = access::to_base64url(one.id), since = to_rfc3339(one.since);
        all.push_back({{"id", id}, {"since", since}});
        if (!context.json) context.out << to_person(one.since) << "  " << id << "\n";
    }
    if (context.json)
        context.out << nlohmann::json{{"login", account->login.str()}, {"passkeys", all}}.dump()
                    << "\n";
    else if (all.empty())
        context.out << context.say({"aucune clé d'accès\n", "no passkey\n"});
    return kExitOk;
}

}  // namespace

std::vector<Command> user_factor_commands() {
    return {
        user_command("password", {"donne un nouveau mot de passe", "gives a new password"},
                     {"Tiré au hasard, montré une seule fois ; les sessions finissent.",
                      "Drawn at random, shown this once; the sessions end."},
                     {"Quand il est oublié ou a fui :", "When it is forgotten or leaked:"},
                     set_password),
        user_command(
            "otp",
            {"donne un second facteur : codes d'application et de secours",
             "gives a second factor: codes of an application, and recovery codes"},
            {"Montre une seule fois un code QR (otpauth, RFC 6238) que lit toute application de "
             "codes, et dix codes de secours. Le facteur d'avant ne vaut plus ; les sessions "
             "finissent. --remove défait, pour un téléphone perdu.",
             "Shows this once a QR code (otpauth, RFC 6238) that every code application reads, "
             "and ten recovery codes. The factor before it no longer counts; the sessions end. "
             "--remove undoes it, for a lost telephone."},
            {"Devant la personne :", "With the person:"}, enrol_otp,
            {{.name = "--issuer",
              .placeholder = "NAME",
              .help = {"le nom que l'application montre", "the name that the application shows"},
              .by_default = "Hygie"},
             {.name = "--remove",
              .kind = Kind::Flag,
              .help = {"retirer le facteur et ses codes de secours",
                       "take the factor and its recovery codes away"}}}),
        user_command("recovery",
                     {"donne dix nouveaux codes de secours", "gives ten new recovery codes"},
                     {"Montrés une seule fois ; ceux d'avant ne valent plus.",
                      "Shown this once; those before no longer count."},
                     {"Quand il en reste peu :", "When few are left:"}, renew_codes),
        user_command("passkeys",
                     {"liste ou retire les clés d'accès d'un compte",
                      "lists or takes away an account's passkeys"},
                     {"La personne les enregistre elle-même, à /oauth/passkeys. Retirer une clé "
                      "finit les sessions.",
                      "The person registers them, at /oauth/passkeys. Taking one away ends the "
                      "sessions."},
                     {"Un appareil est perdu :", "A device is lost:"}, passkeys,
                     {{.name = "--remove",
                       .placeholder = "ID",
                       .help = {"retirer celle-ci", "take this one away"}}})};
}

}  // namespace hygie::app
