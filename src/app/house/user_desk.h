#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/accounts.h"
#include "access/accounts/sessions.h"
#include "app/house/core.h"
#include "app/line/context.h"
#include "crypto/keyring.h"

/// What the account commands share.
namespace hygie::app {

/// The accounts of a core as one command has them open, whether or not the service runs: it sees
/// each change at its next question.
class UserDesk {
  public:
    static Result<UserDesk> open(Context& context);

    access::Accounts& accounts() { return *accounts_; }
    /// What is signed in, the same way.
    Result<std::unique_ptr<access::Sessions>> sessions();
    const ActorId& by() const { return by_; }
    /// Whether a unit of that reference is among the records.
    Result<bool> knows_unit(const std::string& unit);
    /// The account of the argument LOGIN. Code::NotFound.
    Result<std::shared_ptr<const access::Account>> named();
    /// Changes the account of LOGIN, then has the trace written.
    Status change(std::string_view what, const std::function<Status(access::Account&)>& edit);
    /// Hands the traces of the changes to the ledger, or to the service that holds it. A ledger
    /// that cannot be reached is told and no error: each trace is durable beside its change, and
    /// whoever next holds the ledger writes it. A trace may stand there twice, under one id.
    void trace();
    /// The same, then shows the account of LOGIN as it is now.
    Result<int> trace_and_show();

  private:
    UserDesk(Context& context, CoreDirs dirs, crypto::RootKey root);
    Status hand_over();
    Status write(const std::vector<event::Event>& events);

    Context* context_;
    CoreDirs dirs_;
    crypto::RootKey root_;
    ActorId by_;
    std::unique_ptr<access::Accounts> accounts_;
};

/// LOGIN
Parameter login_argument();
/// --for, zero without it.
Micros time_given(Context& context);
/// --for: how soon an account closes.
Parameter for_option();
/// --state and what opens the root key, --as, then `more`.
std::vector<Parameter> user_options(std::vector<Parameter> more = {});
/// A command that changes the account LOGIN.
Command user_command(std::string verb, Text summary, Text description, Text example,
                     std::function<Result<int>(Context&)> run, std::vector<Parameter> more = {});

/// The one time that a password shows.
void print_password(Context& context, const std::string& login,
                    const Sensitive<std::string>& password);
/// One account or several, but for their secrets.
void print_account(Context& context, const access::Account& account);
void print_accounts(Context& context, const std::vector<access::Account>& accounts);

/// `user disable`, `renew`, `review`… and `user password`, `otp`, `recovery`.
std::vector<Command> user_life_commands();
std::vector<Command> user_factor_commands();

}  // namespace hygie::app
