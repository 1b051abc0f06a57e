#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/line/context.h"
#include "crypto/keyring.h"
#include "guards/mail/attachments/clamd.h"
#include "guards/mail/door/gate.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/judge/memory.h"
#include "guards/mail/mailboxes/mailboxes.h"
#include "guards/mail/model/learned.h"
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
    std::atomic<std::uint64_t> last_ = 0;
};

/// The judge and what it judges with. Stays where it was made: the judge points into it.
/// Thread-safe.
class MailHouse {
  public:
    /// `door` names the memory that this door writes; those of the others are read.
    static Result<std::unique_ptr<MailHouse>> open(Context& context, const crypto::RootKey& root,
                                                   const std::string& door);
    /// Keeps what was remembered.
    ~MailHouse();

    std::shared_ptr<const mail::History> history() const;
    Result<mail::Opened> judge(const std::string& bytes, const mail::Envelope& envelope) const;
    /// Learns from a clean message that is delivered. Known to the judge, and durable, within
    /// seconds.
    void remember(const mail::Opened& opened, const mail::Envelope& envelope, mail::Way way);
    /// Learns what a person said of a message: durable, and part of the judge from now on.
    Status learn(const std::string& bytes, const mail::Envelope& envelope, mail::Click click);
    /// The same for what a person gave back; a failure goes to the log.
    mail::ReleaseLesson release_lesson();

  private:
    MailHouse(Context& context, std::string door, const crypto::Secret32& memory_key);
    Status read_memories();
    void turn();
    void renew_history();

    Disk& disk_;
    Clock& clock_;
    Random& random_;
    std::string memory_dir_;
    std::string door_;
    crypto::Secret32 memory_key_;
    mutable mail::Clamd scanner_;
    mail::History seed_;  ///< what the operator said, and the other doors' memories
    /// What the clicks taught, and the model that stands on it.
    struct Mind {
        mail::Learned learned;
        mail::Scorer model;
    };
    std::shared_ptr<const Mind> mind() const;
    void change_mind(mail::Learned learned);

    std::string state_dir_;
    crypto::Secret32 learned_key_;
    std::mutex learning_;  ///< one lesson at a time
    mutable std::mutex mutex_;
    std::shared_ptr<const Mind> mind_;
    mail::Memory memory_;
    bool has_news_ = false;
    std::shared_ptr<const mail::History> history_;
    std::jthread turning_;  ///< last: it uses all of the above
};

/// --state, --core
Parameter mail_state_option();
Parameter mail_core_option();
/// --mailboxes
Parameter mail_mailboxes_option();
Result<std::vector<mail::Mailbox>> read_mailboxes(Context& context);
Parameter mail_trust_results_option();
Parameter mail_threads_option();
/// --rules and --clamd
Parameter mail_rules_option();
Parameter mail_clamd_option();
/// Reads --rules; to be called once, before the first message.
Status use_mail_rules(Context& context);
/// --clamd, or nobody to ask.
std::string mail_scanner_socket(Context& context);
/// --dns
Parameter mail_dns_option();
/// What computes SPF, DKIM and DMARC by asking --dns; an empty function without it.
Result<std::function<void(mail::Incoming&)>> mail_authenticator(Context& context);
/// The root key in --state, opened as its file asks.
Result<crypto::RootKey> unlock_mail(Context& context);

}  // namespace hygie::app
