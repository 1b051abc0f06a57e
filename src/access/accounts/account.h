#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/passkey.h"
#include "access/decide/decision.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/sensitive.h"
#include "base/time.h"

namespace hygie::access {

/// An account held while an incident is looked into: nobody comes in by it, and what it had open
/// is over.
struct Freeze {
    WallTime since{};
    WallTime until{};  ///< ends by itself then; the epoch: when somebody thaws it
    ActorId by;
    std::string why;
    bool operator==(const Freeze&) const = default;
};

/// A person or a program that may sign in. Accounts are never deleted and a login is never given
/// twice, so a trace names the same person for ever.
struct Account {
    ActorId login;     ///< what is typed and what traces name: lower-case letters, digits, . - _ @
    std::string name;  ///< given and family name of one person; for a program, what it is
    Role role = Role::Care;
    std::string profession;    ///< TRE-G15 code, may be empty
    std::string person;        ///< "Practitioner/…" or "Patient/…"; empty for a program
    std::string organisation;  ///< "Organization/…" or empty
    ActorId sponsor;           ///< who answers for the account; empty for the first of all
    WallTime since{};
    WallTime end{};  ///< from then on it is closed
    bool disabled = false;
    std::optional<Freeze> freeze;

    std::string password;  ///< Argon2id, as libsodium spells it; empty: cannot sign in by password
    Bytes otp_secret;      ///< of RFC 6238; empty: no second factor
    std::uint64_t otp_last = 0;         ///< the last time step used: a code serves once
    std::vector<std::string> recovery;  ///< SHA-256, in hexadecimal, of each unused recovery code
    std::vector<Passkey> passkeys;      ///< oldest first; of a person

    std::vector<std::string> scopes;     ///< ceiling of what it may ever be granted; of a program
    std::vector<std::string> redirects;  ///< of a program by which people sign in: exact addresses
    std::string jwks;  ///< of a backend service: its public keys (RFC 7517), private_key_jwt

    /// Who the person is for identity providers: "ISSUER SUBJECT", one each.
    std::vector<std::string> identities;
    WallTime last_used{};  ///< last sign-in, to the day; the epoch: never
    WallTime warned{};     ///< when it was told that it will be closed for lack of use

    std::vector<PurposeGrant> grants;  ///< oldest first

    /// Counts what ended all its sessions: a closing, a new password, another role…
    std::uint64_t epoch = 0;

    /// Whether a password alone is not enough.
    bool has_second_factor() const { return !otp_secret.empty() || !passkeys.empty(); }
    bool frozen_at(WallTime now) const {
        return freeze && (freeze->until == WallTime{} || now < freeze->until);
    }
    bool open_at(WallTime now) const { return !disabled && now < end && !frozen_at(now); }
    bool operator==(const Account&) const = default;
};

/// How long an account may live before somebody answers for it again.
inline constexpr Micros kAccountTimeMax = std::chrono::days(366);
inline constexpr std::size_t kAccountsMax = 100'000;
inline constexpr std::size_t kUnitHoldsMax = 1000;
inline constexpr std::size_t kGrantsMax = 16;

/// The name by which commands and JSON know a role: "care", "desk"…
Result<Role> role_named(std::string_view name);

/// Whether an account is one that Hygie keeps: one identified person or one named program, well
/// formed, with an end. Generic accounts ("accueil", "interne2") are refused: a trace that names
/// everybody names nobody. Sponsor and uniqueness are judged by Accounts.
Status check_account(const Account& account, WallTime now);

/// The same without its term: an account that has ended may still be changed.
Status check_form(const Account& account);

/// The facts of an account that decisions use.
Actor actor_of(const Account& account, std::string auth, std::string session,
               std::vector<std::string> scopes);

}  // namespace hygie::access
