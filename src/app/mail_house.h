#pragma once

#include <memory>
#include <string>

#include "app/context.h"
#include "crypto/keyring.h"
#include "guards/mail/gate.h"
#include "guards/mail/history.h"
#include "guards/mail/learned.h"
#include "link/guard_link.h"
#include "link/spool.h"

/// What every door of the mail guard stands on: the state folder, its key, what the house knows,
/// and where traces go.
namespace hygie::app {

/// Where a door leaves its events: durable in the state folder at once, at the core when it is
/// there.
class MailSpool {
  public:
    /// Each door is a source of its own, so that two may run beside each other. Code::Busy when
    /// the same door is open already.
    static Result<std::unique_ptr<MailSpool>> open(Context& context, const crypto::RootKey& root,
                                                   const std::string& source);
    Status keep(const event::Event& event);
    /// Waits a moment for the core to hold all that was kept; nothing to wait for without --core.
    void settle();

  private:
    MailSpool() = default;

    std::unique_ptr<link::Spool> spool_;
    std::unique_ptr<link::GuardLink> link_;  ///< last: it uses the spool
    std::uint64_t last_ = 0;
};

/// The judge and what it judges with. Stays where it was made: the judge points into it.
class MailHouse {
  public:
    static Result<std::unique_ptr<MailHouse>> open(Context& context, const crypto::RootKey& root);

    const mail::History& history() const { return history_; }
    const mail::Scorer& model() const { return model_; }
    Result<mail::Opened> judge(const std::string& bytes, const mail::Envelope& envelope) const;

  private:
    MailHouse() = default;

    mail::History history_;
    mail::Learned learned_;
    mail::Scorer model_;
};

/// --state, --core
Parameter mail_state_option();
Parameter mail_core_option();
Parameter mail_trust_results_option();
Parameter mail_threads_option();
/// The root key in --state, opened as its file asks.
Result<crypto::RootKey> unlock_mail(Context& context);

}  // namespace hygie::app
