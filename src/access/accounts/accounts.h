#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "access/accounts/account.h"
#include "access/accounts/sealed_file.h"
#include "event/event.h"

namespace hygie::access {

/// The accounts of a core, in `dir`/accounts, sealed under `key`. The server and `hygie user` may
/// both have it open: a change by one is seen by the other at its next question. Thread-safe.
class Accounts {
  public:
    static Result<std::unique_ptr<Accounts>> open(const SealedFile::Doors& doors,
                                                  const std::string& dir,
                                                  const crypto::Secret32& key);
    ~Accounts();

    /// The account as it is now; null when there is none.
    std::shared_ptr<const Account> find(std::string_view login);
    /// The account that bears an identity ("ISSUER SUBJECT"); null when there is none.
    std::shared_ptr<const Account> find_identity(std::string_view identity);
    /// The account that a passkey belongs to, by the credential's id; null when there is none.
    std::shared_ptr<const Account> find_passkey(ByteView id);
    /// All, by login.
    std::vector<Account> list();
    /// Counts the changes seen so far: equal numbers mean that no account changed between.
    std::uint64_t version();

    /// Durable on return. Code::AlreadyThere when the login or the person has an account,
    /// Code::BadInput for what check_account() refuses or a sponsor that is not an open account of
    /// a person. `by` is who does it.
    Status add(const Account& account, const ActorId& by);
    /// All or none of them.
    Status add_all(std::vector<Account> accounts, const ActorId& by);
    /// What add_all() would say of each, were those before it that are right added.
    std::vector<Status> judge_all(const std::vector<Account>& accounts);
    /// `what` names the change in the trace: "disabled", "password"…, `why` gives its motive there,
    /// when there is one. Code::NotFound.
    /// Code::AlreadyThere when an identity or passkey it gains belongs to another account.
    Status change(std::string_view login, const ActorId& by, std::string_view what,
                  const std::function<Status(Account&)>& edit, std::string_view why = {});
    /// The same without a trace of its own: what a sign-in itself consumes (a code, a time step).
    Status consume(std::string_view login, const std::function<Status(Account&)>& edit);

    /// What holds units of the house, ended or not; never null. The same as for accounts: a change
    /// in one process is seen by the others at their next question.
    std::shared_ptr<const std::vector<UnitHold>> holds();
    /// Changes them; the trace says `what` was done to `unit`, and why. `trace` is its id.
    Status change_holds(
        const std::string& unit, const ActorId& by, std::string_view what, std::string_view why,
        const std::function<Status(std::vector<UnitHold>&, const std::string& trace)>& edit);

    /// Changes whose trace is not yet known to be in the ledger: they are stored with the change
    /// itself, so a process that may not write the ledger loses none. Submit them, then settle.
    std::vector<event::Event> untraced();
    Status settle(const std::vector<event::Event>& traced);

  private:
    struct State;
    explicit Accounts(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::access
