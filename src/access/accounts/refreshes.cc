#include "access/accounts/refreshes.h"

#include <algorithm>
#include <mutex>

#include "access/accounts/account_codec.h"
#include "access/accounts/base64url.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"

namespace hygie::access {
namespace {

/// A token is the name of its chain, which stays, and a secret, which does not. Both are whole
/// groups of base64url.
constexpr std::size_t kChainBytes = 18, kChainChars = 24;
constexpr std::size_t kSecretBytes = 30, kTokenChars = 64;
constexpr std::uint64_t kVersion = 1, kEntryFields = 11;
constexpr std::size_t kScopesOfChainMax = 64;
/// Of one account at one time; a further sign-in ends the oldest.
constexpr std::size_t kChainsOfAccountMax = 32;

struct Entry {
    std::string chain;
    crypto::Hash token{};
    Refresh grant;
    WallTime since{};
    std::string session;
    WallTime session_end{};
    std::uint64_t epoch = 0;
};
using Entries = std::vector<Entry>;

std::unexpected<Error> corrupt() {
    return fail(
        Code::Corrupt,
        {"le fichier des renouvellements est illisible", "the refreshes file is unreadable"},
        {"supprimez-le : chacun se connectera à nouveau",
         "remove it: everybody will sign in again"});
}

std::unexpected<Error> no_token() {
    return fail(Code::Denied,
                {"ce jeton de renouvellement ne vaut rien ici ou plus rien",
                 "this refresh token is worth nothing here, or nothing any more"},
                {"connectez-vous à nouveau", "sign in again"});
}

void write_entry(cbor::Writer& out, const Entry& entry) {
    out.array(kEntryFields);
    out.text(entry.chain);
    out.bytes(entry.token);
    out.text(entry.grant.login.str());
    out.text(entry.grant.auth);
    out.text(entry.grant.client.str());
    write_texts(out, entry.grant.scopes);
    out.number(to_number(entry.since));
    out.number(to_number(entry.grant.end));
    out.text(entry.session);
    out.number(to_number(entry.session_end));
    out.number(entry.epoch);
}

Result<Entry> read_entry(cbor::Reader& in) {
    Entry entry;
    if (TRY(in.array()) != kEntryFields) return corrupt();
    entry.chain = std::string(TRY(in.text()));
    const ByteView token = TRY(in.bytes());
    if (token.size() != entry.token.size()) return corrupt();
    std::ranges::copy(token, entry.token.begin());
    entry.grant.login = ActorId(std::string(TRY(in.text())));
    entry.grant.auth = std::string(TRY(in.text()));
    entry.grant.client = ActorId(std::string(TRY(in.text())));
    entry.grant.scopes = TRY(read_texts(in, kScopesOfChainMax));
    entry.since = TRY(to_time(TRY(in.number())));
    entry.grant.end = TRY(to_time(TRY(in.number())));
    entry.session = std::string(TRY(in.text()));
    entry.session_end = TRY(to_time(TRY(in.number())));
    entry.epoch = TRY(in.number());
    return entry;
}

Result<Entries> decode(ByteView bytes) {
    return read_list(bytes, kVersion, kRefreshesMax, read_entry, corrupt);
}

crypto::Hash hash_of(std::string_view token) {
    return crypto::sha256(as_bytes(token));
}

Entries::iterator find_chain(Entries& entries, std::string_view token) {
    if (token.size() != kTokenChars) return entries.end();
    return std::ranges::find(entries, token.substr(0, kChainChars), &Entry::chain);
}

bool is_current(const Entry& entry, std::string_view token) {
    return equal_constant_time(entry.token, hash_of(token));
}

void make_room(Entries& entries, const ActorId& login, WallTime now) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.grant.end <= now; });
    const auto of_login = [&](const Entry& entry) { return entry.grant.login == login; };
    while (static_cast<std::size_t>(std::ranges::count_if(entries, of_login)) >=
           kChainsOfAccountMax)
        entries.erase(std::ranges::find_if(entries, of_login));  // they are in order of age
}

}  // namespace

struct Refreshes::State {
    Status change(const std::function<Status(Entries&)>& edit) {
        const std::scoped_lock lock(mutex);
        return file->change([&](ByteView current) -> Result<Bytes> {
            Entries entries = TRY(decode(current));
            TRY_STATUS(edit(entries));
            return write_list(kVersion, entries, write_entry);
        });
    }
    bool stands(const Entry& entry);
    std::string new_token(std::string_view chain) {
        return std::string(chain) + to_base64url(doors.random.bytes<kSecretBytes>());
    }
    /// Ends a chain, and what it gave last: also when it was used since we looked.
    Status end(std::string_view chain) {
        std::string last;
        TRY_STATUS(change([&](Entries& entries) -> Status {
            std::erase_if(entries, [&](const Entry& one) {
                if (one.chain == chain) last = one.session;
                return one.chain == chain;
            });
            return {};
        }));
        return last.empty() ? Status() : sessions.revoke_session(last);
    }

    SealedFile::Doors doors;
    std::unique_ptr<SealedFile> file;
    Accounts& accounts;
    Sessions& sessions;
    std::mutex mutex;
};

/// Its account is as it was, and the session that it gave last ended by its time alone, if at all.
bool Refreshes::State::stands(const Entry& entry) {
    const WallTime now = doors.clock.now();
    const auto account = accounts.find(entry.grant.login.str());
    if (!account || !account->open_at(now) || account->epoch != entry.epoch) return false;
    if (entry.grant.end <= now) return false;
    return entry.session_end <= now || sessions.is_open(entry.session);
}

Refreshes::Refreshes(std::unique_ptr<State> state) : state_(std::move(state)) {}
Refreshes::~Refreshes() = default;

Result<std::unique_ptr<Refreshes>> Refreshes::open(const SealedFile::Doors& doors,
                                                   const std::string& dir,
                                                   const crypto::Secret32& key, Accounts& accounts,
                                                   Sessions& sessions) {
    auto file = TRY(SealedFile::open(doors, dir, "refreshes", crypto::derive(key, "refreshes")));
    TRY(decode(TRY(file->read())));
    return std::unique_ptr<Refreshes>(new Refreshes(
        std::unique_ptr<State>(new State{doors, std::move(file), accounts, sessions, {}})));
}

Result<Sensitive<std::string>> Refreshes::begin(const Refresh& grant, const Session& session) {
    const WallTime now = state_->doors.clock.now();
    const std::string chain = to_base64url(state_->doors.random.bytes<kChainBytes>());
    std::string token = state_->new_token(chain);
    TRY_STATUS(state_->change([&](Entries& entries) -> Status {
        make_room(entries, grant.login, now);
        if (entries.size() >= kRefreshesMax || grant.scopes.size() > kScopesOfChainMax)
            return fail(Code::Full,
                        {"trop de logiciels se renouvellent", "too many programs are refreshed"},
                        {"attendez que certains finissent", "wait for some to end"});
        entries.push_back(
            {chain, hash_of(token), grant, now, session.id, session.end, session.epoch});
        return {};
    }));
    return Sensitive<std::string>(std::move(token));
}

Result<Refreshes::Look> Refreshes::look(std::string_view token, const ActorId& client) {
    Entries entries = TRY(decode(TRY(state_->file->read())));
    const auto found = find_chain(entries, token);
    if (found == entries.end()) return no_token();
    if (!is_current(*found, token) || found->grant.client != client) {
        TRY_STATUS(state_->end(found->chain));
        return Look{{}, found->session, found->grant.login};
    }
    if (!state_->stands(*found)) {
        TRY_STATUS(state_->end(found->chain));
        return no_token();
    }
    return Look{found->grant, {}, found->grant.login};
}

Result<Sensitive<std::string>> Refreshes::turn(std::string_view token, const Session& session) {
    std::string next;
    Entry before;
    TRY_STATUS(state_->change([&](Entries& entries) -> Status {
        const auto found = find_chain(entries, token);
        if (found == entries.end()) return no_token();
        before = *found;
        if (!is_current(*found, token)) {
            entries.erase(found);
            return {};
        }
        next = state_->new_token(found->chain);
        found->token = hash_of(next);
        found->session = session.id;
        found->session_end = session.end;
        return {};
    }));
    TRY_STATUS(state_->sessions.revoke_session(before.session));
    if (next.empty()) return no_token();
    return Sensitive<std::string>(std::move(next));
}

std::string Refreshes::chain_of(std::string_view token) {
    return std::string(token.substr(0, kChainChars));
}

Status Refreshes::end(std::string_view chain) {
    return state_->end(chain);
}

Result<Refreshes::Ended> Refreshes::revoke(std::string_view token) {
    Entries entries = TRY(decode(TRY(state_->file->read())));
    const auto found = find_chain(entries, token);
    if (found == entries.end()) return Ended{};
    TRY_STATUS(state_->end(found->chain));
    return Ended{found->grant.login, found->session};
}

std::size_t Refreshes::size() {
    const auto bytes = state_->file->read();
    const auto entries = bytes ? decode(*bytes) : Result<Entries>(Entries{});
    return entries ? entries->size() : 0;
}

}  // namespace hygie::access
