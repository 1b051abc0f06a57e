#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crypto/secret.h"
#include "guards/mail/door/gate.h"
#include "guards/mail/judge/campaign.h"
#include "guards/mail/mailboxes/mailboxes.h"

/// Taking a message back after it was delivered, from every mailbox it reached: it moves to the
/// folder of held messages, and one command moves it back.
namespace hygie::mail {

/// The domain of the house's root key that seals what was retracted.
inline constexpr std::string_view kRetractKeyDomain = "mail-retract";
inline constexpr std::size_t kRetractedMax = 10'000;

/// One message of the campaign, where it was found.
struct Found {
    std::string mailbox;
    std::string folder;
    std::uint32_t uid = 0;
    std::string message_id;
    std::string digest;  ///< of its bytes, under the house's key
    Kin kin = Kin::Same;
};

/// What was moved, so that it can be undone. Sealed in the state folder.
struct Retraction {
    std::string id;  ///< a UUID
    WallTime at{};
    std::string by;
    std::vector<Found> moved;
};

struct RetractDoors {
    Disk& disk;
    Clock& clock;
    Random& random;
    EventSink trace;
    std::function<Result<ImapSession>(const Mailbox&)> open;
    /// A mailbox that could not be searched or changed; the others go on.
    std::function<void(const Mailbox&, const Error&)> failed;
};

class Retractor {
  public:
    /// `dir` holds the records.
    Retractor(RetractDoors doors, std::vector<Mailbox> mailboxes, std::string dir,
              const crypto::Secret32& key);

    /// The bytes of the message with that Message-ID, from any mailbox. Code::NotFound.
    Result<std::string> fetch(const std::string& message_id);
    /// All messages of the campaign that came within `reach`, in every folder of every mailbox.
    std::vector<Found> find(const Campaign& campaign, Micros reach, const History& history);
    /// Seals the record, then traces and moves each message. What went away meanwhile is left out.
    Result<Retraction> retract(std::vector<Found> found, const std::string& by);
    /// Moves back what that retraction moved; how many came back.
    Result<std::size_t> undo(const std::string& id, const std::string& by);

  private:
    Status find_in(ImapSession& session, const Mailbox& mailbox, const std::string& folder,
                   const Campaign& campaign, Micros reach, const History& history,
                   std::vector<Found>& found);
    Status move_away(ImapSession& session, const Mailbox& mailbox, const Found& found);
    Status move_back(ImapSession& session, const Mailbox& mailbox, const Found& found,
                     const std::string& by, std::size_t& count);
    Result<Retraction> load(const std::string& id);
    Status keep(const Retraction& retraction);
    event::Event event_about(const Found& found, event::Type type, const std::string& by);
    std::string digest_of(std::string_view bytes) const;
    /// Runs `work` in a session of each mailbox that has something to do.
    void each_mailbox(const std::function<Status(ImapSession&, const Mailbox&)>& work,
                      const std::function<bool(const Mailbox&)>& concerns);

    RetractDoors doors_;
    std::vector<Mailbox> mailboxes_;
    std::string dir_;
    crypto::Secret32 key_;
};

}  // namespace hygie::mail
