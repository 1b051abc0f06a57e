#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/accounts.h"

/// Arrivals, moves and departures: what keeps the list of accounts true to the house.
namespace hygie::access {

/// Unused for so long, an account is closed (indicator C8 of the hospital programme HospiConnect).
inline constexpr Micros kDormantAfter = std::chrono::days(60);
/// What runs by itself closes no account that was not warned of so long before.
inline constexpr Micros kDormantWarning = std::chrono::days(14);
/// An end so near is to be looked at: renewed by the sponsor, or left to come.
inline constexpr Micros kEndsSoon = std::chrono::days(30);
inline constexpr std::size_t kCsvBytesMax = 16 << 20;

inline constexpr std::size_t kTableIssuesMax = 100;

/// One line of a table of arrivals; the first line of the file is line 1.
struct Arrival {
    std::size_t line = 0;
    Account account;
};

/// What is wrong with a line. Never what it says: these are names of people.
struct TableIssue {
    std::size_t line = 0;
    Text what;
    bool operator==(const TableIssue&) const = default;
};

struct Table {
    std::vector<Arrival> arrivals;
    std::vector<TableIssue> issues;  ///< in the order of the file, kTableIssuesMax at most
};

/// Accounts out of a table (RFC 4180, comma or semicolon), one line each under a line of names, in
/// French or English, in any order: identifiant/login, nom/name, role, profession, personne/person,
/// organisation, parrain/sponsor, fin/end (a date), identité/identity ("ISSUER SUBJECT"). An empty
/// sponsor is `by`, an empty end a year from now.
Table read_accounts_csv(std::string_view text, const ActorId& by, WallTime now);

/// What adding the arrivals in their order would be refused for, besides what is wrong already.
std::vector<TableIssue> judge_arrivals(Accounts& accounts, const std::vector<Arrival>& arrivals);

/// Whether the role can change accounts or rules: security and operations.
bool is_privileged(const Account& account);

/// Whether nobody used an open account for kDormantAfter.
bool is_dormant(const Account& account, WallTime now);

/// Closes the dormant accounts, one trace each, and says which. Somebody always stays who can open
/// them again: the account of `by`, and one of the administrators.
Result<std::vector<ActorId>> close_dormant(Accounts& accounts, Clock& clock, const ActorId& by);

/// The same every day, by itself: whoever will be dormant within kDormantWarning is warned once,
/// and those are closed that were warned so long ago and did not come since. All traced.
struct DormantRound {
    std::vector<ActorId> warned;
    std::vector<ActorId> closed;
};
Result<DormantRound> tend_dormant(Accounts& accounts, Clock& clock, const ActorId& by);

/// Words of a freeze or a thaw: enough to say something, and no letter.
inline constexpr std::size_t kWhyBytesMin = 15;
inline constexpr std::size_t kWhyBytesMax = 500;
/// An incident holds the account: its sessions end at once, nobody signs in by it until `lasts` is
/// over (zero: until thaw()). Other changes neither lift it nor count for it. Code::BadInput for an
/// empty motive; Code::AlreadyThere, Code::NotFound.
Status freeze(Accounts& accounts, Clock& clock, std::string_view login, Micros lasts,
              std::string_view why, const ActorId& by);
/// Undoes it: the person may sign in again. Former sessions do not come back. Code::NotFound when
/// nothing holds the account.
Status thaw(Accounts& accounts, Clock& clock, std::string_view login, std::string_view why,
            const ActorId& by);

/// Leave for an account of the staff to look at records for a purpose beside care, from now on for
/// `lasts`, a year at most; `by` answers for it, and for nobody's own. Earlier leave for the same
/// purpose ends. Code::BadInput, Code::Denied, Code::NotFound.
Status grant(Accounts& accounts, Clock& clock, std::string_view login, Purpose purpose,
             Micros lasts, std::string_view why, const ActorId& by);
/// Ends it, at the next question everywhere. Code::NotFound when there is none.
Status revoke(Accounts& accounts, Clock& clock, std::string_view login, Purpose purpose,
              std::string_view why, const ActorId& by);

/// An incident holds a unit of the house, "Location/…", "Organization/…" or "HealthcareService/…":
/// whoever treats or receives there, or in a part of it, sees no record from the next question on,
/// in every process, but by a break-glass declared since (UnitHold). Ends by itself once `lasts` is
/// over (zero: by release()). Code::BadInput for a name that is none or an empty motive;
/// Code::AlreadyThere, Code::Full.
Status contain(Accounts& accounts, Clock& clock, const std::string& unit, Micros lasts,
               std::string_view why, const ActorId& by);
/// Undoes it. Code::NotFound when nothing holds the unit.
Status release(Accounts& accounts, Clock& clock, const std::string& unit, std::string_view why,
               const ActorId& by);

/// What the yearly review looks at, by login. An account may stand in several lists.
struct Review {
    std::vector<ActorId> privileged;      ///< security and operations, open
    std::vector<ActorId> dormant;         ///< open and unused
    std::vector<ActorId> ending;          ///< open, their end is near
    std::vector<ActorId> frozen;          ///< an incident holds them
    std::vector<ActorId> warned;          ///< open, will be closed for lack of use
    std::vector<ActorId> orphans;         ///< open, and nobody open answers for them
    std::vector<ActorId> without_factor;  ///< open people of the staff with a password alone
    bool operator==(const Review&) const = default;
};
Review review_accounts(const std::vector<Account>& accounts, WallTime now);

/// The sponsor answers for an account again, until `end`: within a year.
Status renew(Accounts& accounts, Clock& clock, std::string_view login, WallTime end,
             const ActorId& by);

}  // namespace hygie::access
