#include "access/accounts/sign_in.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "access/accounts/base64url.h"
#include "access/accounts/otp.h"
#include "access/accounts/password.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"

namespace hygie::access {
namespace {

using Why = SignInRefusal::Why;

constexpr std::size_t kLoginBytesMax = 64;
/// How long a device stays known.
constexpr Micros kDeviceLife = std::chrono::days(180);
constexpr std::size_t kPeopleOfDeviceMax = 12;
constexpr std::size_t kDeviceIdBytes = 12, kDeviceTimeBytes = 8;
constexpr std::size_t kDeviceBytes = kDeviceIdBytes + kDeviceTimeBytes + sizeof(crypto::Hash);

std::string normal_login(std::string_view typed) {
    while (typed.starts_with(' ')) typed.remove_prefix(1);
    while (typed.ends_with(' ')) typed.remove_suffix(1);
    std::string login(typed.substr(0, kLoginBytesMax));
    for (char& c : login)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return login;
}

std::vector<std::string> split(std::string_view devices) {
    std::vector<std::string> out;
    while (!devices.empty() && out.size() < kPeopleOfDeviceMax) {
        const std::size_t dot = std::min(devices.find('.'), devices.size());
        if (dot > 0) out.emplace_back(devices.substr(0, dot));
        devices.remove_prefix(std::min(dot + 1, devices.size()));
    }
    return out;
}

/// The newest first; the one it replaces goes.
std::string with_device(std::string fresh, std::string_view devices, std::string_view replaced) {
    std::size_t people = 1;
    for (const std::string& device : split(devices))
        if (device != replaced && ++people <= kPeopleOfDeviceMax) fresh += "." + device;
    return fresh;
}

}  // namespace

struct SignIn::State {
    State(const SealedFile::Doors& given, Accounts& people, const crypto::Secret32& secret,
          crypto::PassphraseCost cost)
        : doors(given),
          accounts(people),
          device_key(crypto::derive(secret, "sign-in/device")),
          handle_key(crypto::derive(secret, "sign-in/passkey")),
          challenges(given.clock, given.random) {
        nobody = unfitting_hash(doors.random, cost);
    }

    std::string make_device(const std::string& login);
    bool is_device_of(std::string_view device, const std::string& login);
    std::string find_device(std::string_view devices, const std::string& login);
    std::optional<std::string> prove(const Account& account, const Credentials& given);
    bool use_code(const Account& account, const std::string& code);
    SignInRefusal slow_down(const std::vector<std::string>& names, Micros wait, ActorId account);
    std::expected<SignedIn, SignInRefusal> judge_password(const Credentials& given,
                                                          bool with_passkey);
    std::expected<SignedIn, SignInRefusal> judge_passkey(const Credentials& given);
    std::expected<Asserted, SignInRefusal> use_passkey(const Account& account,
                                                       const Credentials& given);
    Bytes handle_of(const ActorId& login);

    SealedFile::Doors doors;
    Accounts& accounts;
    crypto::Secret32 device_key;
    crypto::Secret32 handle_key;
    PasskeyChallenges challenges;
    std::string nobody;  ///< hash that no password fits: unknown logins cost as much as known ones
    std::mutex mutex;    ///< one guess at a time
    Throttle throttle;
    std::set<std::string> told;  ///< names whose present wait has been traced
};

/// A random name and its end, bound to the login: it opens nothing, it only counts apart.
std::string SignIn::State::make_device(const std::string& login) {
    Bytes bytes(kDeviceIdBytes + kDeviceTimeBytes);
    doors.random.fill(std::span(bytes).first(kDeviceIdBytes));
    store_be(
        bytes.data() + kDeviceIdBytes,
        static_cast<std::uint64_t>((doors.clock.now() + kDeviceLife).time_since_epoch().count()));
    append(bytes, crypto::hmac_sha256(device_key.view(), {ByteView(bytes), as_bytes(login)}));
    return to_base64url(bytes);
}

bool SignIn::State::is_device_of(std::string_view device, const std::string& login) {
    if (device.size() > 2 * kDeviceBytes) return false;
    const Result<Bytes> bytes = from_base64url(device);
    if (!bytes || bytes->size() != kDeviceBytes) return false;
    const ByteView named = ByteView(*bytes).first(kDeviceIdBytes + kDeviceTimeBytes);
    const crypto::Hash mac = crypto::hmac_sha256(device_key.view(), {named, as_bytes(login)});
    const auto end = load_be<std::uint64_t>(bytes->data() + kDeviceIdBytes);
    return equal_constant_time(mac, ByteView(*bytes).subspan(named.size())) &&
           static_cast<std::uint64_t>(doors.clock.now().time_since_epoch().count()) < end;
}

/// The one of several that this login left, empty when none.
std::string SignIn::State::find_device(std::string_view devices, const std::string& login) {
    for (const std::string& device : split(devices))
        if (is_device_of(device, login)) return device;
    return "";
}

/// Consumes a code of the second factor or a recovery code, in every process at once.
bool SignIn::State::use_code(const Account& account, const std::string& code) {
    const WallTime now = doors.clock.now();
    return accounts
        .consume(
            account.login.str(),
            [&](Account& stored) -> Status {
                if (const auto step = match_otp(stored.otp_secret, code, now, stored.otp_last)) {
                    stored.otp_last = *step;
                    return {};
                }
                if (std::erase(stored.recovery, recovery_hash(code)) > 0) return {};
                return fail(Code::Denied, {"code refusé", "code refused"});
            })
        .has_value();
}

/// How the person proved who they are, once the password fits; none when the code does not.
std::optional<std::string> SignIn::State::prove(const Account& account, const Credentials& given) {
    if (!account.has_second_factor()) return "pwd";
    if (given.code.empty() || !use_code(account, given.code)) return std::nullopt;
    return "otp";
}

SignInRefusal SignIn::State::slow_down(const std::vector<std::string>& names, Micros wait,
                                       ActorId account) {
    bool fresh = false;
    if (told.size() >= Throttle::kNamesMax) told.clear();
    for (const std::string& name : names) fresh |= told.insert(name).second;
    return {Why::Wait, std::move(account), wait, fresh};
}

SignIn::SignIn(const SealedFile::Doors& doors, Accounts& accounts, const crypto::Secret32& key,
               crypto::PassphraseCost cost)
    : state_(std::make_unique<State>(doors, accounts, key, cost)) {}
SignIn::~SignIn() = default;

bool SignIn::knows_device(std::string_view login, std::string_view device) {
    return !state_->find_device(device, normal_login(login)).empty();
}

std::expected<SignedIn, SignInRefusal> SignIn::State::judge_password(const Credentials& given,
                                                                     bool with_passkey) {
    const std::scoped_lock lock(mutex);
    const std::string login = normal_login(given.login);
    const auto account = accounts.find(login);
    const ActorId known = account ? account->login : ActorId();
    // A device that this person used before counts apart: guessing elsewhere cannot slow it.
    const std::string device = find_device(given.device, login);
    const std::vector<std::string> names = device.empty()
                                               ? std::vector{"login " + login, "peer " + given.peer}
                                               : std::vector{"device " + device};
    const SteadyTime now = doors.clock.steady();
    Micros wait{};
    std::vector<std::string> waiting;
    for (const std::string& name : names) {
        const Micros one = throttle.wait(name, now);
        if (one > Micros::zero()) waiting.push_back(name);
        wait = std::max(wait, one);
    }
    if (!waiting.empty()) return std::unexpected(slow_down(waiting, wait, known));

    const bool has_password = account && !account->password.empty();
    const bool fits = password_fits(given.password, has_password ? account->password : nobody);
    const bool open = account && account->open_at(doors.clock.now());
    std::optional<std::string> auth;
    if (fits && has_password && open) auth = with_passkey ? "pwd passkey" : prove(*account, given);
    for (const std::string& name : names) {
        told.erase(name);
        if (auth)
            throttle.succeeded(name);
        else
            throttle.failed(name, doors.clock.steady());
    }
    if (auth) {
        return SignedIn{account, *auth, with_device(make_device(login), given.device, device)};
    }
    const bool frozen = account && has_password && account->frozen_at(doors.clock.now());
    const Why why = !account          ? Why::Unknown
                    : !fits           ? Why::Password
                    : !open && frozen ? Why::Frozen
                    : !open           ? Why::Closed
                                      : Why::Code;
    return std::unexpected(SignInRefusal{why, known, {}, true});
}

Bytes SignIn::State::handle_of(const ActorId& login) {
    return to_bytes(crypto::hmac_sha256(handle_key.view(), as_bytes(login.str())));
}

/// Checks the signature and moves the counter on, in every process at once.
std::expected<Asserted, SignInRefusal> SignIn::State::use_passkey(const Account& account,
                                                                  const Credentials& given) {
    std::optional<Asserted> asserted;
    const PasskeyAssertion& assertion = *given.passkey;
    const bool named = assertion.handle.empty() || assertion.handle == handle_of(account.login);
    const Status used = accounts.consume(account.login.str(), [&](Account& stored) -> Status {
        const auto passkey = std::ranges::find(stored.passkeys, assertion.id, &Passkey::id);
        if (passkey == stored.passkeys.end() || !named)
            return fail(Code::Denied, {"clé inconnue", "unknown key"});
        asserted = TRY(check_assertion(assertion, *passkey, given.party, given.challenge));
        passkey->counter = asserted->counter;
        return {};
    });
    // Last: only what was signed for us takes memory.
    if (used && asserted && challenges.spend(given.challenge)) return *asserted;
    return std::unexpected(SignInRefusal{SignInRefusal::Why::Passkey, account.login, {}, true});
}

/// A key that knew the person proves two things at once; one that only felt a touch needs the
/// password too. No throttle: a signature is not guessed.
std::expected<SignedIn, SignInRefusal> SignIn::State::judge_passkey(const Credentials& given) {
    const auto account = accounts.find_passkey(given.passkey->id);
    if (!account) return std::unexpected(SignInRefusal{Why::Passkey, {}, {}, true});
    const WallTime now = doors.clock.now();
    if (!account->open_at(now) && !account->frozen_at(now))
        return std::unexpected(SignInRefusal{Why::Closed, account->login, {}, true});
    const auto asserted = use_passkey(*account, given);
    if (!asserted) return std::unexpected(asserted.error());
    if (account->frozen_at(now))
        return std::unexpected(SignInRefusal{Why::Frozen, account->login, {}, true});
    const std::string& login = account->login.str();
    if (asserted->verified)
        return SignedIn{
            account, "passkey",
            with_device(make_device(login), given.device, find_device(given.device, login))};
    if (normal_login(given.login) != login)
        return std::unexpected(SignInRefusal{Why::Password, account->login, {}, true});
    return judge_password(given, true);
}

std::expected<SignedIn, SignInRefusal> SignIn::judge(const Credentials& given) {
    return given.passkey ? state_->judge_passkey(given) : state_->judge_password(given, false);
}

PasskeyChallenges& SignIn::challenges() {
    return state_->challenges;
}

Bytes SignIn::passkey_handle(const ActorId& login) {
    return state_->handle_of(login);
}

}  // namespace hygie::access
