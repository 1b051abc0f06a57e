#include "access/accounts/sessions.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "access/accounts/account_codec.h"
#include "access/accounts/base64url.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"

namespace hygie::access {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenChars = 43;
constexpr std::size_t kIdBytes = 12;
constexpr std::uint64_t kVersion = 1, kEntryFields = 9;
constexpr std::size_t kScopesOfSessionMax = 64;
/// Of one account at one time; a further sign-in ends the oldest.
constexpr std::size_t kSessionsOfAccountMax = 64;
/// An account remembers its last use to the day, so that not every sign-in writes it.
constexpr Micros kUsedPrecision = std::chrono::days(1);

struct Entry {
    crypto::Hash token{};
    std::string id;
    ActorId login;
    std::string auth;
    ActorId client;
    std::vector<std::string> scopes;
    WallTime since{};
    WallTime end{};
    std::uint64_t epoch = 0;
};

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"le fichier des sessions est illisible", "the sessions file is unreadable"},
                {"supprimez-le : chacun se connectera à nouveau",
                 "remove it: everybody will sign in again"});
}

void write_entry(cbor::Writer& out, const Entry& entry) {
    out.array(kEntryFields);
    out.bytes(entry.token);
    out.text(entry.id);
    out.text(entry.login.str());
    out.text(entry.auth);
    out.text(entry.client.str());
    write_texts(out, entry.scopes);
    out.number(to_number(entry.since));
    out.number(to_number(entry.end));
    out.number(entry.epoch);
}

Result<Entry> read_entry(cbor::Reader& in) {
    Entry entry;
    const std::uint64_t fields = TRY(in.array());
    const ByteView token = TRY(in.bytes());
    if (fields != kEntryFields || token.size() != entry.token.size()) return corrupt();
    std::ranges::copy(token, entry.token.begin());
    entry.id = std::string(TRY(in.text()));
    entry.login = ActorId(std::string(TRY(in.text())));
    entry.auth = std::string(TRY(in.text()));
    entry.client = ActorId(std::string(TRY(in.text())));
    entry.scopes = TRY(read_texts(in, kScopesOfSessionMax));
    entry.since = TRY(to_time(TRY(in.number())));
    entry.end = TRY(to_time(TRY(in.number())));
    entry.epoch = TRY(in.number());
    return entry;
}

Result<std::vector<Entry>> decode(ByteView bytes) {
    return read_list(bytes, kVersion, kSessionsMax, read_entry, corrupt);
}

crypto::Hash hash_of(std::string_view token) {
    return crypto::sha256(as_bytes(token));
}

struct HashOfHash {
    std::size_t operator()(const crypto::Hash& hash) const {
        std::size_t word = 0;  // the bytes are random already
        std::memcpy(&word, hash.data(), sizeof word);
        return word;
    }
};

/// What find() gives, as the account stood at `version`. Null when that account was closed.
struct Seen {
    Entry entry;
    std::uint64_t version = 0;
    std::shared_ptr<const Session> session;
    WallTime end{};  ///< of the session or of its account, whichever comes first
};

void make_room(std::vector<Entry>& entries, const ActorId& login, WallTime now) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.end <= now; });
    const auto of_login = [&](const Entry& entry) { return entry.login == login; };
    while (static_cast<std::size_t>(std::ranges::count_if(entries, of_login)) >=
           kSessionsOfAccountMax)
        entries.erase(std::ranges::find_if(entries, of_login));  // they are in order of age
}

}  // namespace

struct Sessions::State {
    State(const SealedFile::Doors& given, std::unique_ptr<SealedFile> sealed, Accounts& people)
        : doors(given), file(std::move(sealed)), accounts(people) {}

    void take(std::vector<Entry> entries);
    void refresh();
    void look(Seen& seen, std::uint64_t version);
    Status change(const std::function<Status(std::vector<Entry>&)>& edit);
    Status revoke_if(const std::function<bool(const Entry&)>& chosen);

    SealedFile::Doors doors;
    std::unique_ptr<SealedFile> file;
    Accounts& accounts;
    std::shared_mutex mutex;
    std::unordered_map<crypto::Hash, Seen, HashOfHash> live;
};

void Sessions::State::take(std::vector<Entry> entries) {
    live.clear();
    for (Entry& entry : entries) {
        const crypto::Hash token = entry.token;
        live[token].entry = std::move(entry);
    }
}

/// Sees what other processes changed. A file that cannot be read any more ends every session.
void Sessions::State::refresh() {
    const Result<Bytes> bytes = file->read();
    Result<std::vector<Entry>> entries = bytes ? decode(*bytes) : corrupt();
    take(entries ? std::move(*entries) : std::vector<Entry>{});
}

/// The session as its account stands now.
void Sessions::State::look(Seen& seen, std::uint64_t version) {
    const Entry& entry = seen.entry;
    const auto account = accounts.find(entry.login.str());
    const bool open =
        account && account->open_at(doors.clock.now()) && account->epoch == entry.epoch;
    seen.session = nullptr;
    if (open) {
        seen.end = std::min(entry.end, account->end);
        seen.session = std::make_shared<const Session>(Session{
            entry.id,
            std::make_shared<const Actor>(actor_of(*account, entry.auth, entry.id, entry.scopes)),
            entry.client, entry.since, seen.end, entry.epoch});
    }
    seen.version = version;
}

Status Sessions::State::change(const std::function<Status(std::vector<Entry>&)>& edit) {
    const std::unique_lock lock(mutex);
    std::vector<Entry> entries;
    TRY_STATUS(file->change([&](ByteView current) -> Result<Bytes> {
        entries = TRY(decode(current));
        TRY_STATUS(edit(entries));
        return write_list(kVersion, entries, write_entry);
    }));
    take(std::move(entries));
    return {};
}

Status Sessions::State::revoke_if(const std::function<bool(const Entry&)>& chosen) {
    return change([&](std::vector<Entry>& entries) -> Status {
        std::erase_if(entries, chosen);
        return {};
    });
}

Sessions::Sessions(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sessions::~Sessions() = default;

Result<std::unique_ptr<Sessions>> Sessions::open(const SealedFile::Doors& doors,
                                                 const std::string& dir,
                                                 const crypto::Secret32& key, Accounts& accounts) {
    auto state = std::make_unique<State>(
        doors, TRY(SealedFile::open(doors, dir, "sessions", crypto::derive(key, "sessions"))),
        accounts);
    state->take(TRY(decode(TRY(state->file->read()))));
    return std::unique_ptr<Sessions>(new Sessions(std::move(state)));
}

Result<Sessions::Opened> Sessions::prepare(const Wish& wish) {
    const WallTime now = state_->doors.clock.now();
    const auto account = state_->accounts.find(wish.login.str());
    if (!account || !account->open_at(now))
        return fail(Code::Denied, {"ce compte est fermé", "this account is closed"},
                    {"demandez à son parrain de le rouvrir", "ask its sponsor to open it again"});
    if (wish.lasts <= Micros::zero() || wish.lasts > kSessionMax ||
        wish.scopes.size() > kScopesOfSessionMax)
        return fail(
            Code::BadInput,
            {"durée ou portées de session incorrectes", "bad lifetime or scopes of a session"},
            {"90 jours et 64 portées au plus", "at most 90 days and 64 scopes"});
    Opened opened;
    opened.token = Sensitive<std::string>(to_base64url(state_->doors.random.bytes<kTokenBytes>()));
    opened.session.id = to_base64url(state_->doors.random.bytes<kIdBytes>());
    opened.session.actor = std::make_shared<const Actor>(
        actor_of(*account, wish.auth, opened.session.id, wish.scopes));
    opened.session.client = wish.client;
    opened.session.since = now;
    opened.session.epoch = account->epoch;
    opened.session.end = std::min(now + wish.lasts, account->end);
    return opened;
}

Status Sessions::confirm(const Opened& opened) {
    const Session& session = opened.session;
    const WallTime now = state_->doors.clock.now();
    const auto account = state_->accounts.find(session.actor->id.str());
    if (!account || !account->open_at(now) || account->epoch != session.epoch)
        return fail(Code::Denied,
                    {"ce compte vient d'être fermé", "this account has just been closed"},
                    {"demandez à son parrain de le rouvrir", "ask its sponsor to open it again"});
    TRY_STATUS(state_->change([&](std::vector<Entry>& entries) -> Status {
        make_room(entries, session.actor->id, now);
        if (entries.size() >= kSessionsMax)
            return fail(Code::Full, {"trop de sessions ouvertes", "too many open sessions"},
                        {"attendez que des sessions finissent", "wait for sessions to end"});
        entries.push_back({hash_of(opened.token.reveal()), session.id, session.actor->id,
                           session.actor->auth, session.client, session.actor->scopes,
                           session.since, session.end, session.epoch});
        return {};
    }));
    if (account->last_used + kUsedPrecision > now) return {};
    return state_->accounts.consume(account->login.str(), [&](Account& stored) -> Status {
        stored.last_used = std::max(stored.last_used, now);
        return {};
    });
}

std::shared_ptr<const Session> Sessions::find(std::string_view token) {
    if (token.size() != kTokenChars) return nullptr;
    const crypto::Hash hash = hash_of(token);
    const std::uint64_t version = state_->accounts.version();
    const WallTime now = state_->doors.clock.now();
    const auto answer = [&](const Seen& seen) { return now < seen.end ? seen.session : nullptr; };
    const bool stale = state_->file->stale();
    if (!stale) {
        const std::shared_lock lock(state_->mutex);
        const auto found = state_->live.find(hash);
        if (found == state_->live.end()) return nullptr;
        if (found->second.version == version) return answer(found->second);
    }
    const std::unique_lock lock(state_->mutex);
    if (stale) state_->refresh();
    const auto found = state_->live.find(hash);
    if (found == state_->live.end()) return nullptr;
    state_->look(found->second, version);
    return answer(found->second);
}

std::shared_ptr<const Session> Sessions::find_id(std::string_view id) {
    const std::uint64_t version = state_->accounts.version();
    const std::unique_lock lock(state_->mutex);
    if (state_->file->stale()) state_->refresh();
    const auto found = std::ranges::find_if(
        state_->live, [&](const auto& one) { return one.second.entry.id == id; });
    if (found == state_->live.end()) return nullptr;
    state_->look(found->second, version);
    return state_->doors.clock.now() < found->second.end ? found->second.session : nullptr;
}

Status Sessions::revoke(std::string_view token) {
    const crypto::Hash hash = hash_of(token);
    return state_->revoke_if([&](const Entry& entry) { return entry.token == hash; });
}

Status Sessions::revoke_session(std::string_view id) {
    return state_->revoke_if([&](const Entry& entry) { return entry.id == id; });
}

Status Sessions::revoke_account(const ActorId& login) {
    return state_->revoke_if([&](const Entry& entry) { return entry.login == login; });
}

std::size_t Sessions::size() {
    const std::unique_lock lock(state_->mutex);
    if (state_->file->stale()) state_->refresh();
    return state_->live.size();
}

}  // namespace hygie::access
