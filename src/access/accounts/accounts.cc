#include "access/accounts/accounts.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "access/accounts/account_codec.h"
#include "crypto/tokens.h"
#include "event/uuid.h"

namespace hygie::access {
namespace {

/// Changes that wait for their trace: beyond, the ledger must come back first.
constexpr std::size_t kUntracedMax = 50'000;

std::unexpected<Error> absent() {
    return fail(Code::NotFound, {"aucun compte de cet identifiant", "no account of this login"},
                {"voyez la liste : hygie user list", "see the list: hygie user list"});
}

auto place_of(std::vector<Account>& accounts, std::string_view login) {
    return std::ranges::lower_bound(
        accounts, login, {}, [](const Account& a) -> std::string_view { return a.login.str(); });
}

Account* find_in(std::vector<Account>& accounts, std::string_view login) {
    const auto place = place_of(accounts, login);
    return place != accounts.end() && place->login.str() == login ? &*place : nullptr;
}

/// Who answers for an account must be a person who may sign in. The first account of all has none.
Status check_sponsor(std::vector<Account>& accounts, const Account& account, WallTime now) {
    if (account.sponsor.empty() && accounts.empty()) return {};
    const Account* sponsor = find_in(accounts, account.sponsor.str());
    if (sponsor && sponsor->open_at(now) && sponsor->role != Role::Program &&
        sponsor->role != Role::Patient)
        return {};
    return fail(Code::BadInput,
                {"personne ne répond de ce compte", "nobody answers for this account"},
                {"donnez comme parrain un compte ouvert d'un membre de l'équipe",
                 "give as sponsor an open account of a member of the staff"});
}

bool holds_passkey(const Account& account, ByteView id) {
    return std::ranges::any_of(account.passkeys, [&](const Passkey& passkey) {
        return std::ranges::equal(passkey.id, id);
    });
}

/// Whether another account is this person: by login, resource, identity or passkey.
bool is_taken(const std::vector<Account>& accounts, const Account& account) {
    return std::ranges::any_of(accounts, [&](const Account& other) {
        const bool same_identity =
            std::ranges::find_first_of(other.identities, account.identities) !=
            other.identities.end();
        const bool same_passkey = std::ranges::any_of(
            account.passkeys, [&](const Passkey& one) { return holds_passkey(other, one.id); });
        return &other != &account &&
               (same_identity || same_passkey || other.login == account.login ||
                (!account.person.empty() && other.person == account.person));
    });
}

std::unexpected<Error> taken() {
    return fail(Code::AlreadyThere,
                {"cet identifiant ou cette personne a déjà un compte",
                 "this login or this person has an account already"},
                {"rouvrez ce compte : un identifiant ne sert qu'à une personne, pour toujours",
                 "open that account again: a login serves one person, for ever"});
}

Status insert(std::vector<Account>& accounts, const Account& account, WallTime now) {
    TRY_STATUS(check_account(account, now));
    TRY_STATUS(check_sponsor(accounts, account, now));
    if (accounts.size() >= kAccountsMax)
        return fail(Code::Full, {"trop de comptes", "too many accounts"},
                    {"le maximum est de 100 000", "the most is 100,000"});
    if (is_taken(accounts, account)) return taken();
    accounts.insert(place_of(accounts, account.login.str()), account);
    return {};
}

/// What was signed in under the old account must not go on under the new one.
bool ends_sessions(const Account& before, const Account& after) {
    return after.disabled || (after.freeze && after.freeze != before.freeze) ||
           after.end < before.end || after.password != before.password ||
           after.otp_secret != before.otp_secret || after.role != before.role ||
           after.person != before.person || after.jwks != before.jwks ||
           after.scopes != before.scopes ||
           !std::ranges::all_of(
               before.passkeys,
               [&](const Passkey& passkey) { return holds_passkey(after, passkey.id); });
}

}  // namespace

struct Accounts::State {
    State(const SealedFile::Doors& given, std::unique_ptr<SealedFile> sealed)
        : doors(given), file(std::move(sealed)) {}

    Status load();
    void refresh();
    void take(AccountBook read);
    event::Event trace(const ActorId& login, const ActorId& by, std::string_view what,
                       event::Action action);
    Status change(const std::function<Status(AccountBook&)>& edit);

    SealedFile::Doors doors;
    std::unique_ptr<SealedFile> file;
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const Account>, std::less<>> by_login;
    std::vector<event::Event> untraced;
    std::shared_ptr<const std::vector<UnitHold>> holds;
    std::uint64_t version = 0;
};

void Accounts::State::take(AccountBook read) {
    std::map<std::string, std::shared_ptr<const Account>, std::less<>> fresh;
    for (Account& account : read.accounts) {
        std::string login = account.login.str();
        fresh.emplace(std::move(login), std::make_shared<const Account>(std::move(account)));
    }
    by_login = std::move(fresh);
    untraced = std::move(read.untraced);
    holds = std::make_shared<const std::vector<UnitHold>>(std::move(read.holds));
    ++version;
}

Status Accounts::State::load() {
    take(TRY(decode_book(TRY(file->read()))));
    return {};
}

/// Sees what other processes changed. A file that cannot be read any more closes every account:
/// nobody is let in on old knowledge.
void Accounts::State::refresh() {
    if (!file->stale()) return;
    if (!load()) take({});
}

Status Accounts::State::change(const std::function<Status(AccountBook&)>& edit) {
    AccountBook book;
    TRY_STATUS(file->change([&](ByteView current) -> Result<Bytes> {
        book = TRY(decode_book(current));
        TRY_STATUS(edit(book));
        return encode_book(book);
    }));
    take(std::move(book));
    return {};
}

event::Event Accounts::State::trace(const ActorId& login, const ActorId& by, std::string_view what,
                                    event::Action action) {
    event::Event event;
    event.time = doors.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, doors.random));
    event.type = event::Type::AccountChanged;
    event.action = action;
    event.actor.id = by;
    event.subject.object = ObjectId("account/" + login.str());
    event.detail["change"] = std::string(what);
    return event;
}

Accounts::Accounts(std::unique_ptr<State> state) : state_(std::move(state)) {}
Accounts::~Accounts() = default;

Result<std::unique_ptr<Accounts>> Accounts::open(const SealedFile::Doors& doors,
                                                 const std::string& dir,
                                                 const crypto::Secret32& key) {
    auto state = std::make_unique<State>(
        doors, TRY(SealedFile::open(doors, dir, "accounts", crypto::derive(key, "accounts"))));
    TRY_STATUS(state->load());
    return std::unique_ptr<Accounts>(new Accounts(std::move(state)));
}

std::shared_ptr<const Account> Accounts::find(std::string_view login) {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    const auto found = state_->by_login.find(login);
    return found == state_->by_login.end() ? nullptr : found->second;
}

std::shared_ptr<const Account> Accounts::find_identity(std::string_view identity) {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    for (const auto& [login, account] : state_->by_login)
        if (std::ranges::find(account->identities, identity) != account->identities.end())
            return account;
    return nullptr;
}

std::shared_ptr<const Account> Accounts::find_passkey(ByteView id) {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    for (const auto& [login, account] : state_->by_login)
        if (holds_passkey(*account, id)) return account;
    return nullptr;
}

std::vector<Account> Accounts::list() {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    std::vector<Account> all;
    for (const auto& [login, account] : state_->by_login) all.push_back(*account);
    return all;
}

std::uint64_t Accounts::version() {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    return state_->version;
}

Status Accounts::add(const Account& account, const ActorId& by) {
    return add_all({account}, by);
}

Status Accounts::add_all(std::vector<Account> accounts, const ActorId& by) {
    const std::scoped_lock lock(state_->mutex);
    return state_->change([&](AccountBook& book) -> Status {
        for (const Account& account : accounts) {
            TRY_STATUS(insert(book.accounts, account, state_->doors.clock.now()));
            book.untraced.push_back(
                state_->trace(account.login, by, "added", event::Action::Create));
        }
        if (book.untraced.size() > kUntracedMax)
            return fail(Code::Full,
                        {"trop de changements attendent leur trace",
                         "too many changes wait for their trace"},
                        {"relancez le registre, puis recommencez",
                         "bring the ledger back, then try again"});
        return {};
    });
}

std::vector<Status> Accounts::judge_all(const std::vector<Account>& accounts) {
    std::vector<Account> all = list();
    std::vector<Status> told;
    for (const Account& account : accounts)
        told.push_back(insert(all, account, state_->doors.clock.now()));
    return told;
}

Status Accounts::change(std::string_view login, const ActorId& by, std::string_view what,
                        const std::function<Status(Account&)>& edit, std::string_view why) {
    const std::scoped_lock lock(state_->mutex);
    return state_->change([&](AccountBook& book) -> Status {
        Account* account = find_in(book.accounts, login);
        if (!account) return absent();
        const Account before = *account;
        TRY_STATUS(edit(*account));
        account->login = before.login;
        const event::Event trace = state_->trace(before.login, by, what, event::Action::Update);
        for (PurposeGrant& grant : account->grants)
            if (grant.evidence.empty()) grant.evidence = "event/" + trace.id;
        if (ends_sessions(before, *account)) account->epoch = before.epoch + 1;
        const WallTime now = state_->doors.clock.now();
        // A closed account may be changed as it is; one that opens needs a term and a sponsor.
        const bool opens =
            account->open_at(now) && (!before.open_at(now) || account->end != before.end);
        TRY_STATUS(opens ? check_account(*account, now) : check_form(*account));
        if (account->sponsor != before.sponsor)
            TRY_STATUS(check_sponsor(book.accounts, *account, now));
        const bool other_person = account->identities != before.identities ||
                                  account->person != before.person ||
                                  account->passkeys != before.passkeys;
        if (other_person && is_taken(book.accounts, *account)) return taken();
        book.untraced.push_back(trace);
        if (!why.empty()) book.untraced.back().detail["why"] = std::string(why);
        return {};
    });
}

Status Accounts::consume(std::string_view login, const std::function<Status(Account&)>& edit) {
    const std::scoped_lock lock(state_->mutex);
    return state_->change([&](AccountBook& book) -> Status {
        Account* account = find_in(book.accounts, login);
        return account ? edit(*account) : absent();
    });
}

std::shared_ptr<const std::vector<UnitHold>> Accounts::holds() {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    return state_->holds;
}

Status Accounts::change_holds(
    const std::string& unit, const ActorId& by, std::string_view what, std::string_view why,
    const std::function<Status(std::vector<UnitHold>&, const std::string& trace)>& edit) {
    const std::scoped_lock lock(state_->mutex);
    return state_->change([&](AccountBook& book) -> Status {
        event::Event trace = state_->trace({}, by, what, event::Action::Update);
        trace.type = event::Type::OrderDone;
        trace.subject.object = ObjectId(unit);
        trace.detail["why"] = std::string(why);
        TRY_STATUS(edit(book.holds, trace.id));
        book.untraced.push_back(std::move(trace));
        return {};
    });
}

std::vector<event::Event> Accounts::untraced() {
    const std::scoped_lock lock(state_->mutex);
    state_->refresh();
    return state_->untraced;
}

Status Accounts::settle(const std::vector<event::Event>& traced) {
    if (traced.empty()) return {};
    std::set<std::string> ids;
    for (const event::Event& event : traced) ids.insert(event.id);
    const std::scoped_lock lock(state_->mutex);
    return state_->change([&](AccountBook& book) -> Status {
        std::erase_if(book.untraced, [&](const event::Event& e) { return ids.contains(e.id); });
        return {};
    });
}

}  // namespace hygie::access
