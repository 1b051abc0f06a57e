#include "access/accounts/orders.h"

namespace hygie::access {
namespace {

using Kind = event::Order::Kind;

std::unexpected<Error> not_about_people() {
    return fail(Code::BadInput,
                {"cet ordre ne porte pas sur une personne ou sa session",
                 "this order is not about a person or a session"},
                {"visez session/… ou account/…", "aim at session/… or account/…"});
}

/// The change of the account is what is traced, and names the order.
Status note(Accounts& accounts, std::string_view login, const ActorId& by, std::string_view what,
            const event::Order& order, bool all) {
    return accounts.change(
        login, by, what,
        [all](Account& account) -> Status {
            if (all) ++account.epoch;
            return {};
        },
        order.reason.text.fr);
}

Status cut_session(Accounts& accounts, Sessions& sessions, const event::Order& order,
                   std::string_view id, const ActorId& by) {
    const auto session = sessions.find_id(id);
    if (!session)
        return fail(Code::NotFound, {"cette session n'est pas ouverte", "no such session is open"},
                    {"son nom est dans les traces de la connexion (session)",
                     "its name is in the traces of the sign-in (session)"});
    TRY_STATUS(sessions.revoke_session(id));
    return note(accounts, session->actor->id.str(), by, "session ended", order, false);
}

}  // namespace

Status obey(Accounts& accounts, Sessions& sessions, const event::Order& order, const ActorId& by) {
    const std::string_view target = order.target;
    const bool ends_all = order.kind == Kind::CutSession || order.kind == Kind::RequireStepUp;
    if (ends_all && target.starts_with(kAccountTarget))
        return note(accounts, target.substr(kAccountTarget.size()), by, "signed out", order, true);
    if (order.kind == Kind::CutSession && target.starts_with(kSessionTarget))
        return cut_session(accounts, sessions, order, target.substr(kSessionTarget.size()), by);
    return not_about_people();
}

}  // namespace hygie::access
