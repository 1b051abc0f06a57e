#pragma once

#include "access/accounts/accounts.h"
#include "access/accounts/sessions.h"

namespace hygie::access {

/// What orders of a case act on (event::Order::target).
inline constexpr std::string_view kSessionTarget = "session/", kAccountTarget = "account/";

/// Carries out what a case orders about people, in every process at its next question, and for
/// good: no token comes back, refreshed ones neither. CutSession ends "session/ID" alone, or all
/// of "account/LOGIN"; RequireStepUp ends all of an account, so that its person proves anew who
/// they are, with every factor of theirs. To hold the account itself: freeze() (lifecycle.h). The
/// trace comes with the change (Accounts::untraced). Code::BadInput for an order or a target that
/// is about no person; Code::NotFound.
Status obey(Accounts& accounts, Sessions& sessions, const event::Order& order, const ActorId& by);

}  // namespace hygie::access
