#include "app/house/user_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/lifecycle.h"
#include "access/decide/circle_words.h"
#include "app/house/vault_desk.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "app/line/columns.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using access::Account;

access::SealedFile::Doors doors_of(Context& context) {
    return {context.disk, context.clock, context.random};
}

/// The purposes beside care that hold now, with their ends.
nlohmann::json leave_of(const Account& account, WallTime now) {
    nlohmann::json leave = nlohmann::json::object();
    for (const access::PurposeGrant& one : account.grants)
        if (now < one.until) leave[std::string(name_of(one.purpose))] = to_rfc3339(one.until);
    return leave;
}

nlohmann::json json_of(const Account& account, WallTime now) {
    const bool was_used = account.last_used != WallTime{};
    return {{"login", account.login.str()},
            {"name", account.name},
            {"role", access::name_of(account.role)},
            {"profession", account.profession},
            {"person", account.person},
            {"organisation", account.organisation},
            {"sponsor", account.sponsor.str()},
            {"since", to_rfc3339(account.since)},
            {"end", to_rfc3339(account.end)},
            {"last_used", was_used ? to_rfc3339(account.last_used) : std::string()},
            {"open", account.open_at(now)},
            {"disabled", account.disabled},
            {"frozen", account.frozen_at(now) ? to_rfc3339(account.freeze->since) : std::string()},
            {"frozen_why", account.frozen_at(now) ? account.freeze->why : std::string()},
            {"privileged", access::is_privileged(account)},
            {"dormant", access::is_dormant(account, now)},
            {"second_factor", account.has_second_factor()},
            {"passkeys", account.passkeys.size()},
            {"recovery_codes", account.recovery.size()},
            {"identities", account.identities},
            {"leave", leave_of(account, now)},
            {"scopes", account.scopes},
            {"redirects", account.redirects}};
}

std::string dumped(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// What stands out in a list.
std::string marks_of(Context& context, const Account& account, WallTime now) {
    std::string marks;
    const auto mark = [&](bool holds, const Text& word) {
        if (holds) marks += (marks.empty() ? "" : ", ") + context.say(word);
    };
    mark(access::is_privileged(account), {"privilégié", "privileged"});
    mark(access::is_dormant(account, now), {"dormant", "dormant"});
    const auto leave = leave_of(account, now);
    for (const auto& [purpose, until] : leave.items()) {
        const access::Phrase words = phrase_of(access::purpose_named(purpose));
        mark(true,
             {"autorisé pour " + std::string(words.fr), "leave for " + std::string(words.en)});
    }
    return marks.empty() ? marks : "[" + marks + "]";
}

constexpr std::size_t kNameColumns = 22;
constexpr std::size_t kStateColumns = 9;

std::string minute_of(WallTime time) {
    return to_person(time, Fineness::Minute);
}

std::string state_of(Context& context, const Account& account, WallTime now) {
    if (account.frozen_at(now)) {
        const WallTime until = account.freeze->until;
        return context.say({"gelé depuis le ", "frozen since "}) +
               minute_of(account.freeze->since) +
               (until == WallTime{} ? ""
                                    : context.say({", jusqu'au ", ", until "}) + minute_of(until)) +
               context.say({" : ", ": "}) + account.freeze->why;
    }
    if (account.disabled)
        return context.say({"suspendu (« hygie user enable » le rouvre)",
                            "disabled ('hygie user enable' opens it again)"});
    if (!account.open_at(now)) return context.say({"fermé", "closed"});
    return context.say(access::is_dormant(account, now)
                           ? Text{"ouvert, mais personne ne s'en sert", "open, but nobody uses it"}
                           : Text{"ouvert", "open"});
}

/// What stands in for a password alone, and how much of it is left.
std::string factor_of(Context& context, const Account& account) {
    if (account.role == access::Role::Program) return "";
    if (!account.has_second_factor())
        return context.say({"aucun : le mot de passe seul", "none: the password alone"});
    return context.say({fmt::format("oui ; clés d'accès : {}, codes de secours : {}",
                                    account.passkeys.size(), account.recovery.size()),
                        fmt::format("yes; passkeys: {}, recovery codes: {}",
                                    account.passkeys.size(), account.recovery.size())});
}

/// Name and value of each line about an account; what is empty is not shown.
std::vector<std::pair<Text, std::string>> lines_of(Context& context, const Account& account,
                                                   WallTime now) {
    std::vector<std::pair<Text, std::string>> lines = {
        {{"identifiant", "login"}, account.login.str()},
        {{"nom", "name"}, account.name},
        {{"rôle", "role"}, std::string(access::name_of(account.role))},
        {{"profession", "profession"}, account.profession},
        {{"personne", "person"}, account.person},
        {{"organisation", "organisation"}, account.organisation},
        {{"état", "state"}, state_of(context, account, now)},
        {{"créé le", "made"}, minute_of(account.since)},
        {{"se ferme le", "closes"}, minute_of(account.end)},
        {{"dernière connexion", "last sign-in"},
         account.last_used == WallTime{} ? context.say({"jamais", "never"})
                                         : minute_of(account.last_used)},
        {{"second facteur", "second factor"}, factor_of(context, account)},
        {{"parrain", "sponsor"},
         account.sponsor.empty() ? context.say({"personne n'en répond", "nobody answers for it"})
                                 : account.sponsor.str()},
        {{"identités", "identities"}, fmt::format("{}", fmt::join(account.identities, ", "))},
        {{"portées", "scopes"}, fmt::format("{}", fmt::join(account.scopes, " "))},
        {{"retours", "redirects"}, fmt::format("{}", fmt::join(account.redirects, " "))}};
    for (const access::PurposeGrant& one : account.grants) {
        if (now >= one.until) continue;
        const access::Phrase words = phrase_of(one.purpose);
        lines.push_back({{"autorisé pour", "leave for"},
                         context.say({std::string(words.fr), std::string(words.en)}) +
                             context.say({", jusqu'au ", ", until "}) + minute_of(one.until)});
    }
    return lines;
}

}  // namespace

UserDesk::UserDesk(Context& context, CoreDirs dirs, crypto::RootKey root)
    : context_(&context), dirs_(std::move(dirs)), root_(std::move(root)), by_(reader_of(context)) {}

Result<UserDesk> UserDesk::open(Context& context) {
    const CoreDirs dirs = core_dirs(context);
    UserDesk desk(context, dirs, TRY(unlock_core(context, dirs)));
    TRY_STATUS(context.disk.make_dirs(dirs.access()));
    desk.accounts_ =
        TRY(access::Accounts::open(doors_of(context), dirs.access(), access_key(desk.root_)));
    return desk;
}

Result<std::shared_ptr<const Account>> UserDesk::named() {
    if (auto account = accounts_->find(context_->values.text("LOGIN"))) return account;
    return fail(Code::NotFound, {"ce compte n'existe pas", "there is no such account"},
                {"voyez « hygie user list »", "see 'hygie user list'"});
}

Result<std::unique_ptr<access::Sessions>> UserDesk::sessions() {
    return access::Sessions::open(doors_of(*context_), dirs_.access(), access_key(root_),
                                  *accounts_);
}

Result<bool> UserDesk::knows_unit(const std::string& unit) {
    return read_vault_knows(
        TRY(carry_out(*context_, root_,
                      {.kind = VaultAct::Kind::Knows, .by = by_, .patient = unit, .reason = {}})));
}

Status UserDesk::change(std::string_view what, const std::function<Status(Account&)>& edit) {
    TRY_STATUS(accounts_->change(context_->values.text("LOGIN"), by_, what, edit));
    trace();
    return {};
}

Status UserDesk::write(const std::vector<event::Event>& events) {
    const auto clerk = TRY(open_clerk(*context_, dirs_.ledger(), root_, std::nullopt));
    for (std::size_t from = 0; from < events.size(); from += kAppendDraftsMax) {
        const std::size_t until = std::min(events.size(), from + kAppendDraftsMax);
        std::vector<ledger::Draft> drafts;
        for (std::size_t i = from; i < until; ++i)
            drafts.push_back(TRY(ledger::draft_of(events[i])));
        TRY(clerk->append(std::move(drafts)));
    }
    return clerk->close();
}

Status UserDesk::hand_over() {
    std::vector<event::Event> events = accounts_->untraced();
    if (events.empty()) return {};
    for (event::Event& event : events) {
        event.source = SourceId("user");
        event.node = NodeId(context_->process.host_name());
    }
    TRY_STATUS(write(events));
    return accounts_->settle(events);
}

void UserDesk::trace() {
    const Status written = hand_over();
    if (written) return;
    context_->err << context_->say({"fait ; sa trace attend le journal : ",
                                    "done; its trace waits for the ledger: "})
                  << context_->say(written.error().what) << "\n";
}

Result<int> UserDesk::trace_and_show() {
    trace();
    print_account(*context_, *TRY(named()));
    return kExitOk;
}

Micros time_given(Context& context) {
    return context.values.has("--for") ? context.values.duration("--for") : Micros::zero();
}

Parameter login_argument() {
    return {.name = "LOGIN",
            .help = {"le nom de connexion d'une personne ou d'un logiciel",
                     "the login of one person or one program"},
            .required = true};
}

Parameter for_option() {
    return {.name = "--for",
            .placeholder = "DURATION",
            .kind = Kind::Duration,
            .help = {"dans combien de temps le compte se ferme, un an au plus",
                     "how soon the account closes, a year at most"},
            .by_default = "365d"};
}

std::vector<Parameter> user_options(std::vector<Parameter> more) {
    more.insert(more.begin(), state_option());
    more.push_back(reader_option());
    more.push_back(passphrase_file_option());
    return more;
}

Command user_command(std::string verb, Text summary, Text description, Text example,
                     std::function<Result<int>(Context&)> run, std::vector<Parameter> more) {
    return {.path = {"user", verb},
            .summary = std::move(summary),
            .description = std::move(description),
            .options = user_options(std::move(more)),
            .arguments = {login_argument()},
            .examples = {{fmt::format("hygie user {} anne.martin --state /var/lib/hygie", verb),
                          std::move(example)}},
            .run = std::move(run)};
}

void print_password(Context& context, const std::string& login,
                    const Sensitive<std::string>& password) {
    if (context.json) {
        context.out << dumped({{"login", login}, {"password", password.reveal()}}) << "\n";
        return;
    }
    context.out << context.say({"compte : ", "account: "}) << login << "\n"
                << context.say(
                       {"mot de passe, montré une seule fois : ", "password, shown this once: "})
                << password.reveal() << "\n";
}

void print_account(Context& context, const Account& account) {
    if (context.json) {
        context.out << dumped(json_of(account, context.clock.now())) << "\n";
        return;
    }
    for (const auto& [name, value] : lines_of(context, account, context.clock.now()))
        if (!value.empty()) context.out << padded(context.say(name), kNameColumns) << value << "\n";
}

void print_accounts(Context& context, const std::vector<Account>& accounts) {
    const WallTime now = context.clock.now();
    nlohmann::json all = nlohmann::json::array();
    for (const Account& account : accounts) {
        if (context.json) {
            all.push_back(json_of(account, now));
            continue;
        }
        const Text state = account.open_at(now)     ? Text{"ouvert", "open"}
                           : account.frozen_at(now) ? Text{"gelé", "frozen"}
                           : account.disabled       ? Text{"suspendu", "disabled"}
                                                    : Text{"fermé", "closed"};
        const std::string marks = marks_of(context, account, now);
        context.out << fmt::format("{:<28} {:<11} {}{}{}{}\n", account.login.str(),
                                   access::name_of(account.role),
                                   padded(context.say(state), kStateColumns), account.name,
                                   marks.empty() ? "" : " ", marks);
    }
    if (context.json) context.out << dumped({{"accounts", all}}) << "\n";
}

}  // namespace hygie::app
