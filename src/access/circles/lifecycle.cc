#include "access/circles/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "access/circles/circle_reading.h"
#include "base/text.h"

namespace hygie::access {
namespace {

/// A FHIR reference to a unit; ids have 64 letters at most.
constexpr std::size_t kUnitBytesMax = 128;

enum class Column { Login, Name, Role, Profession, Person, Organisation, Sponsor, End, Identity };

struct Heading {
    std::string_view name;
    Column column;
};
constexpr auto kHeadings = std::to_array<Heading>({{"identifiant", Column::Login},
                                                   {"login", Column::Login},
                                                   {"nom", Column::Name},
                                                   {"name", Column::Name},
                                                   {"role", Column::Role},
                                                   {"rôle", Column::Role},
                                                   {"profession", Column::Profession},
                                                   {"personne", Column::Person},
                                                   {"person", Column::Person},
                                                   {"organisation", Column::Organisation},
                                                   {"organization", Column::Organisation},
                                                   {"parrain", Column::Sponsor},
                                                   {"sponsor", Column::Sponsor},
                                                   {"fin", Column::End},
                                                   {"end", Column::End},
                                                   {"identité", Column::Identity},
                                                   {"identite", Column::Identity},
                                                   {"identity", Column::Identity}});
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// The cells of one record; takes it from the front of `text`. None when a quote is never closed.
std::optional<std::vector<std::string>> take_record(std::string_view& text, char separator) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            const bool doubled = c == '"' && i + 1 < text.size() && text[i + 1] == '"';
            if (c != '"' || doubled) cells.back() += c;
            if (doubled) ++i;
            if (c == '"' && !doubled) quoted = false;
        } else if (c == '"' && cells.back().empty()) {
            quoted = true;
        } else if (c == separator) {
            cells.emplace_back();
        } else if (c == '\n') {
            ++i;
            break;
        } else if (c != '\r') {
            cells.back() += c;
        }
    }
    text.remove_prefix(i);
    if (quoted) return std::nullopt;
    return cells;
}

std::unexpected<Error> bad_heading(Text what) {
    return fail(Code::BadInput, std::move(what));
}

Result<std::vector<Column>> parse_heading(const std::vector<std::string>& cells) {
    std::vector<Column> columns;
    for (std::string cell : cells) {
        for (char& c : cell)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const auto known = std::ranges::find(kHeadings, cell, &Heading::name);
        if (known == kHeadings.end() || std::ranges::find(columns, known->column) != columns.end())
            return bad_heading(
                {"nom de colonne inconnu ou répété", "unknown or repeated column name"});
        columns.push_back(known->column);
    }
    for (const Column needed : {Column::Login, Column::Name, Column::Role})
        if (std::ranges::find(columns, needed) == columns.end())
            return bad_heading({"il faut au moins identifiant, nom et role",
                                "at least login, name and role are needed"});
    return columns;
}

Status set_cell(Account& account, Column column, const std::string& cell) {
    switch (column) {
        case Column::Login:
            account.login = ActorId(cell);
            break;
        case Column::Name:
            account.name = cell;
            break;
        case Column::Role:
            account.role = TRY(role_named(cell));
            break;
        case Column::Profession:
            account.profession = cell;
            break;
        case Column::Person:
            account.person = cell;
            break;
        case Column::Organisation:
            account.organisation = cell;
            break;
        case Column::Sponsor:
            if (!cell.empty()) account.sponsor = ActorId(cell);
            break;
        case Column::End:
            if (!cell.empty()) account.end = TRY(from_rfc3339(cell));
            break;
        case Column::Identity:
            if (!cell.empty()) account.identities = {cell};
            break;
    }
    return {};
}

bool is_staff(const Account& account) {
    return account.role != Role::Program && account.role != Role::Patient;
}

Result<Account> read_line(const std::vector<Column>& columns, const std::vector<std::string>& cells,
                          const ActorId& by, WallTime now) {
    if (cells.size() != columns.size())
        return fail(Code::BadInput, {"nombre de cases incorrect", "wrong number of cells"});
    Account account;
    account.sponsor = by;
    account.since = now;
    account.end = now + kAccountTimeMax;
    for (std::size_t i = 0; i < columns.size(); ++i)
        TRY_STATUS(set_cell(account, columns[i], cells[i]));
    TRY_STATUS(check_account(account, now));
    return account;
}

void add_issue(std::vector<TableIssue>& issues, std::size_t line, const Text& what) {
    if (issues.size() < kTableIssuesMax) issues.push_back({line, what});
}

}  // namespace

Table read_accounts_csv(std::string_view text, const ActorId& by, WallTime now) {
    Table table;
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (text.size() > kCsvBytesMax || !is_utf8(text)) {
        add_issue(table.issues, 1,
                  {"tableau trop grand ou illisible : enregistrez-le en CSV UTF-8",
                   "table too large or unreadable: save it as UTF-8 CSV"});
        return table;
    }
    const std::string_view first = text.substr(0, text.find('\n'));
    const char separator = first.contains(';') ? ';' : ',';
    std::vector<Column> columns;
    std::size_t next = 1;
    while (!text.empty()) {
        const std::size_t line = next;
        const std::string_view before = text;
        const auto cells = take_record(text, separator);
        const std::string_view taken = before.substr(0, before.size() - text.size());
        next += static_cast<std::size_t>(std::ranges::count(taken, '\n'));
        if (!cells) {
            add_issue(table.issues, line, {"guillemet jamais fermé", "quote never closed"});
        } else if (line == 1) {
            Result<std::vector<Column>> heading = parse_heading(*cells);
            if (heading) {
                columns = std::move(*heading);
                continue;
            }
            add_issue(table.issues, line, heading.error().what);
            return table;
        } else if (cells->size() > 1 || !cells->front().empty()) {
            Result<Account> account = read_line(columns, *cells, by, now);
            if (account)
                table.arrivals.push_back({line, std::move(*account)});
            else
                add_issue(table.issues, line, account.error().what);
        }
    }
    return table;
}

std::vector<TableIssue> judge_arrivals(Accounts& accounts, const std::vector<Arrival>& arrivals) {
    std::vector<Account> wished;
    for (const Arrival& arrival : arrivals) wished.push_back(arrival.account);
    const std::vector<Status> told = accounts.judge_all(wished);
    std::vector<TableIssue> issues;
    for (std::size_t i = 0; i < told.size(); ++i)
        if (!told[i]) add_issue(issues, arrivals[i].line, told[i].error().what);
    return issues;
}

bool is_privileged(const Account& account) {
    return account.role == Role::Security || account.role == Role::Operations;
}

bool is_dormant(const Account& account, WallTime now) {
    return account.open_at(now) &&
           std::max(account.since, account.last_used) + kDormantAfter <= now;
}

namespace {

WallTime last_active(const Account& account) {
    return std::max(account.since, account.last_used);
}

/// Whether it was warned since somebody last used it.
bool is_warned(const Account& account) {
    return account.warned > last_active(account);
}

Result<std::vector<ActorId>> close_all(Accounts& accounts, WallTime now, const ActorId& by,
                                       const std::function<bool(const Account&)>& closes) {
    const std::vector<Account> all = accounts.list();
    bool keeper_stays = std::ranges::any_of(all, [&](const Account& account) {
        return is_privileged(account) && account.open_at(now) && !closes(account);
    });
    std::vector<ActorId> closed;
    for (const Account& account : all) {
        if (!closes(account) || account.login == by) continue;
        if (!keeper_stays && is_privileged(account)) {
            keeper_stays = true;
            continue;
        }
        TRY_STATUS(accounts.change(account.login.str(), by, "dormant", [](Account& a) -> Status {
            a.disabled = true;
            return {};
        }));
        closed.push_back(account.login);
    }
    return closed;
}

}  // namespace

Result<std::vector<ActorId>> close_dormant(Accounts& accounts, Clock& clock, const ActorId& by) {
    const WallTime now = clock.now();
    return close_all(accounts, now, by,
                     [now](const Account& account) { return is_dormant(account, now); });
}

Result<DormantRound> tend_dormant(Accounts& accounts, Clock& clock, const ActorId& by) {
    const WallTime now = clock.now();
    DormantRound round;
    for (const Account& account : accounts.list()) {
        const bool soon = last_active(account) + kDormantAfter - kDormantWarning <= now;
        if (!soon || !account.open_at(now) || is_warned(account)) continue;
        TRY_STATUS(
            accounts.change(account.login.str(), by, "dormant soon", [now](Account& a) -> Status {
                a.warned = now;
                return {};
            }));
        round.warned.push_back(account.login);
    }
    round.closed = TRY(close_all(accounts, now, by, [now](const Account& account) {
        return is_dormant(account, now) && is_warned(account) &&
               account.warned + kDormantWarning <= now;
    }));
    return round;
}

namespace {

Status check_motive(std::string_view why) {
    if (why.size() >= kWhyBytesMin && why.size() <= kWhyBytesMax) return {};
    return fail(Code::BadInput,
                {"le motif est trop court ou trop long", "the motive is too short or too long"},
                {"dites en une phrase ce qui s'est passé, sans nom de patient",
                 "say in a sentence what happened, without a patient's name"});
}

}  // namespace

Status freeze(Accounts& accounts, Clock& clock, std::string_view login, Micros lasts,
              std::string_view why, const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const WallTime now = clock.now();
    return accounts.change(
        login, by, "frozen",
        [&](Account& account) -> Status {
            if (account.frozen_at(now))
                return fail(
                    Code::AlreadyThere,
                    {"ce compte est déjà gelé", "this account is frozen already"},
                    {"hygie user thaw LOGIN le rend", "hygie user thaw LOGIN gives it back"});
            account.freeze = Freeze{.since = now,
                                    .until = lasts > Micros::zero() ? now + lasts : WallTime{},
                                    .by = by,
                                    .why = std::string(why)};
            return {};
        },
        why);
}

Status thaw(Accounts& accounts, Clock& clock, std::string_view login, std::string_view why,
            const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const WallTime now = clock.now();
    return accounts.change(
        login, by, "thawed",
        [&](Account& account) -> Status {
            if (!account.frozen_at(now))
                return fail(Code::NotFound,
                            {"rien ne gèle ce compte", "nothing holds this account"},
                            {"hygie user show LOGIN dit où il en est",
                             "hygie user show LOGIN says how it stands"});
            account.freeze.reset();
            return {};
        },
        why);
}

Status grant(Accounts& accounts, Clock& clock, std::string_view login, Purpose purpose,
             Micros lasts, std::string_view why, const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const WallTime now = clock.now();
    if (by.str() == login)
        return fail(Code::Denied,
                    {"personne ne s'accorde une finalité", "nobody gives leave to oneself"},
                    {"demandez à qui répond de l'étude ou du codage",
                     "ask whoever answers for the study or the coding"});
    if (purpose == Purpose::None || lasts <= Micros::zero() || lasts > kAccountTimeMax)
        return fail(Code::BadInput,
                    {"la finalité est inconnue, ou sa durée passe un an",
                     "the purpose is not known, or its time is beyond a year"},
                    {"coding, quality ou research, et une durée",
                     "coding, quality or research, and a time"});
    return accounts.change(
        login, by, fmt::format("leave for {}", name_of(purpose)),
        [&](Account& account) -> Status {
            if (account.role != Role::Care && account.role != Role::Desk)
                return fail(Code::BadInput,
                            {"ce compte n'est pas d'une personne qui soigne ou accueille",
                             "this account is of nobody who treats or receives"},
                            {"donnez le compte de la personne qui étudie ou code",
                             "give the account of the person who studies or codes"});
            std::erase_if(account.grants, [&](const PurposeGrant& one) {
                return one.purpose == purpose || one.until <= now;
            });
            account.grants.push_back({.purpose = purpose,
                                      .since = now,
                                      .until = now + lasts,
                                      .by = by,
                                      .why = std::string(why)});
            return {};
        },
        why);
}

Status revoke(Accounts& accounts, Clock& clock, std::string_view login, Purpose purpose,
              std::string_view why, const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const WallTime now = clock.now();
    return accounts.change(
        login, by, fmt::format("no leave for {}", name_of(purpose)),
        [&](Account& account) -> Status {
            const auto ended = std::erase_if(account.grants, [&](const PurposeGrant& one) {
                return one.purpose == purpose && now < one.until;
            });
            if (ended > 0) return {};
            return fail(Code::NotFound,
                        {"aucune autorisation pour cette finalité", "no leave for this purpose"},
                        {"hygie user show LOGIN dit lesquelles courent",
                         "hygie user show LOGIN says which hold"});
        },
        why);
}

Status contain(Accounts& accounts, Clock& clock, const std::string& unit, Micros lasts,
               std::string_view why, const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const auto slash = unit.find('/');
    if (!is_unit_name(unit) || slash == std::string::npos || slash + 1 == unit.size() ||
        unit.size() > kUnitBytesMax)
        return fail(Code::BadInput,
                    {"ce n'est pas le nom d'un service", "this is no name of a unit"},
                    {"donnez sa référence FHIR : Location/…, Organization/… ou "
                     "HealthcareService/…",
                     "give its FHIR reference: Location/…, Organization/… or "
                     "HealthcareService/…"});
    const WallTime now = clock.now();
    return accounts.change_holds(
        unit, by, "contained", why,
        [&](std::vector<UnitHold>& holds, const std::string& trace) -> Status {
            std::erase_if(holds, [&](const UnitHold& one) { return !one.holds_at(now); });
            if (std::ranges::find(holds, unit, &UnitHold::unit) != holds.end())
                return fail(Code::AlreadyThere,
                            {"un incident tient déjà ce service", "an incident holds it already"},
                            {"hygie access release UNIT le rend",
                             "hygie access release UNIT gives it back"});
            if (holds.size() >= kUnitHoldsMax)
                return fail(Code::Full, {"trop de services tenus", "too many units are held"},
                            {"tenez ce qui les contient", "hold what they are part of"});
            holds.push_back({.unit = unit,
                             .since = now,
                             .until = lasts > Micros::zero() ? now + lasts : WallTime{},
                             .by = by,
                             .why = std::string(why),
                             .evidence = "event/" + trace});
            return {};
        });
}

Status release(Accounts& accounts, Clock& clock, const std::string& unit, std::string_view why,
               const ActorId& by) {
    TRY_STATUS(check_motive(why));
    const WallTime now = clock.now();
    return accounts.change_holds(
        unit, by, "released", why, [&](std::vector<UnitHold>& holds, const std::string&) -> Status {
            const auto ended = std::erase_if(
                holds, [&](const UnitHold& one) { return one.unit == unit && one.holds_at(now); });
            if (ended > 0) return {};
            return fail(
                Code::NotFound,
                {"aucun incident ne tient ce service", "no incident holds this unit"},
                {"hygie access held dit lesquels le sont", "hygie access held says which are"});
        });
}

Review review_accounts(const std::vector<Account>& accounts, WallTime now) {
    const auto answers = [&](const ActorId& sponsor) {
        return std::ranges::any_of(accounts, [&](const Account& account) {
            return account.login == sponsor && account.open_at(now) && is_staff(account);
        });
    };
    Review review;
    for (const Account& account : accounts) {
        if (account.frozen_at(now)) review.frozen.push_back(account.login);
        if (!account.open_at(now)) continue;
        if (is_privileged(account)) review.privileged.push_back(account.login);
        if (is_dormant(account, now)) review.dormant.push_back(account.login);
        if (is_warned(account)) review.warned.push_back(account.login);
        if (account.end <= now + kEndsSoon) review.ending.push_back(account.login);
        if (!answers(account.sponsor)) review.orphans.push_back(account.login);
        if (is_staff(account) && !account.password.empty() && !account.has_second_factor())
            review.without_factor.push_back(account.login);
    }
    return review;
}

Status renew(Accounts& accounts, Clock& clock, std::string_view login, WallTime end,
             const ActorId& by) {
    const WallTime now = clock.now();
    return accounts.change(login, by, "renewed", [&](Account& account) -> Status {
        account.end = end;
        if (end > now && end <= now + kAccountTimeMax) return {};
        return fail(
            Code::BadInput,
            {"la nouvelle fin est passée ou trop lointaine", "the new end is past or too far"},
            {"donnez une date dans l'année", "give a date within a year"});
    });
}

}  // namespace hygie::access
