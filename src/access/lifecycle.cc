#include "access/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace hygie::access {
namespace {

enum class Column { Login, Name, Role, Profession, Person, Organisation, Sponsor, End };

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
                                                   {"end", Column::End}});
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::unexpected<Error> bad_line(std::size_t line, std::string fr, std::string en) {
    return fail(
        Code::BadInput,
        {fmt::format("ligne {} : {}", line, fr), fmt::format("line {}: {}", line, en)},
        {"corrigez cette ligne ; rien n'a été importé", "correct this line; nothing was imported"});
}

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

Result<std::vector<Column>> parse_heading(const std::vector<std::string>& cells) {
    std::vector<Column> columns;
    for (std::string cell : cells) {
        for (char& c : cell)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const auto known = std::ranges::find(kHeadings, cell, &Heading::name);
        if (known == kHeadings.end() || std::ranges::find(columns, known->column) != columns.end())
            return bad_line(1, "nom de colonne inconnu ou répété",
                            "unknown or repeated column name");
        columns.push_back(known->column);
    }
    for (const Column needed : {Column::Login, Column::Name, Column::Role})
        if (std::ranges::find(columns, needed) == columns.end())
            return bad_line(1, "il faut au moins identifiant, nom et role",
                            "at least login, name and role are needed");
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
    }
    return {};
}

bool is_privileged(const Account& account) {
    return account.role == Role::Security || account.role == Role::Operations;
}

bool is_staff(const Account& account) {
    return account.role != Role::Program && account.role != Role::Patient;
}

}  // namespace

Result<std::vector<Account>> parse_accounts_csv(std::string_view text, const ActorId& by,
                                                WallTime now) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (text.size() > kCsvBytesMax || !is_utf8(text))
        return fail(Code::BadInput,
                    {"tableau trop grand ou illisible", "table too large or unreadable"},
                    {"enregistrez-le en CSV UTF-8", "save it as UTF-8 CSV"});
    const std::string_view first = text.substr(0, text.find('\n'));
    const char separator = first.contains(';') ? ';' : ',';
    std::vector<Account> accounts;
    std::vector<Column> columns;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const auto cells = take_record(text, separator);
        if (!cells) return bad_line(line, "guillemet jamais fermé", "quote never closed");
        if (line == 1) {
            columns = TRY(parse_heading(*cells));
            continue;
        }
        if (cells->size() == 1 && cells->front().empty()) continue;
        if (cells->size() != columns.size())
            return bad_line(line, "nombre de cases incorrect", "wrong number of cells");
        Account account;
        account.sponsor = by;
        account.since = now;
        account.end = now + kAccountTimeMax;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const Status set = set_cell(account, columns[i], (*cells)[i]);
            if (!set) return bad_line(line, set.error().what.fr, set.error().what.en);
        }
        const Status sound = check_account(account, now);
        if (!sound) return bad_line(line, sound.error().what.fr, sound.error().what.en);
        accounts.push_back(std::move(account));
    }
    return accounts;
}

bool is_dormant(const Account& account, WallTime now) {
    return account.open_at(now) &&
           std::max(account.since, account.last_used) + kDormantAfter <= now;
}

Result<std::vector<ActorId>> close_dormant(Accounts& accounts, Clock& clock, const ActorId& by) {
    const WallTime now = clock.now();
    const std::vector<Account> all = accounts.list();
    const bool somebody_else = std::ranges::any_of(all, [&](const Account& account) {
        return is_privileged(account) && account.open_at(now) && !is_dormant(account, now);
    });
    std::vector<ActorId> closed;
    bool kept = somebody_else;
    for (const Account& account : all) {
        if (!is_dormant(account, now) || account.login == by) continue;
        if (!kept && is_privileged(account)) {
            kept = true;
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

Review review_accounts(const std::vector<Account>& accounts, WallTime now) {
    const auto answers = [&](const ActorId& sponsor) {
        return std::ranges::any_of(accounts, [&](const Account& account) {
            return account.login == sponsor && account.open_at(now) && is_staff(account);
        });
    };
    Review review;
    for (const Account& account : accounts) {
        if (!account.open_at(now)) continue;
        if (is_privileged(account)) review.privileged.push_back(account.login);
        if (is_dormant(account, now)) review.dormant.push_back(account.login);
        if (account.end <= now + kEndsSoon) review.ending.push_back(account.login);
        if (!answers(account.sponsor)) review.orphans.push_back(account.login);
        if (is_staff(account) && !account.password.empty() && account.otp_secret.empty())
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
