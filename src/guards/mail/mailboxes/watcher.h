#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crypto/secret.h"
#include "guards/mail/door/gate.h"
#include "guards/mail/mailboxes/mailboxes.h"

/// A hosted mailbox watched over IMAP: the guard sees a message after it was delivered, so it marks
/// and moves. It deletes nothing and sends nothing.
namespace hygie::mail {

/// The domain of the house's root key that seals how far each mailbox was read.
inline constexpr std::string_view kWatchKeyDomain = "mail-watch";

/// Marks on messages in the mailbox: IMAP keywords. The sender of a message cannot set them.
inline constexpr std::string_view kCheckedKeyword = "$HygieChecked";
inline constexpr std::string_view kSuspiciousKeyword = "$HygieSuspicious";
inline constexpr std::string_view kHeldKeyword = "$HygieHeld";
inline constexpr std::string_view kReleasedKeyword = "$HygieReleased";
inline constexpr std::string_view kUncheckedKeyword = "$HygieUnchecked";

struct WatchPolicy {
    Micros deadline = std::chrono::seconds(30);
    std::vector<std::string> authserv_ids{};
    /// On the first visit, and when the server numbered a folder anew: how far back to look.
    Micros look_back = std::chrono::days(1);
};

/// What happened at a mailbox, for whoever operates the guard.
enum class WatchAct : std::uint8_t {
    Watching,
    Lost,
    Clean,
    Tagged,
    Bannered,
    Held,
    Released,
    Reported,
    Unchecked,
    NotMoved
};
std::string_view name_of(WatchAct act);

struct WatchDoors {
    Disk& disk;
    Clock& clock;
    Random& random;
    JudgePool& judges;
    EventSink trace;
    std::function<Result<ImapSession>(const Mailbox&)> open;
    /// Told of each act; thread-safe. The error is set for Lost and NotMoved.
    std::function<void(const Mailbox&, WatchAct, const Error*)> tell;
    /// Checks signatures where no server of ours said anything; within a budget. May be empty.
    std::function<void(Incoming&)> authenticate{};
    /// A letter in a mailbox where people report: true when it was from one of ours and is taken,
    /// durably. May be empty.
    std::function<Result<bool>(const Incoming&, const Opened&)> desk{};
    /// Told of each message found clean: what the house remembers. Thread-safe; may be empty.
    std::function<void(const Opened&, const Envelope&)> remember{};
    /// Given what a person put back. Thread-safe; may be empty.
    ReleaseLesson learn_release{};
};

/// One mailbox, one thread. How far it was read lies sealed in `dir`, so that it goes on there.
class Watcher {
  public:
    Watcher(WatchDoors doors, WatchPolicy policy, Mailbox mailbox, std::string dir,
            const crypto::Secret32& key);

    /// Until `stopped` says so. A server that is away is tried again, ever more rarely.
    void run(const std::function<bool()>& stopped);
    /// One session: what came since the last visit, then whatever comes, until `stopped` or an
    /// error.
    Status visit(const std::function<bool()>& stopped);

  private:
    struct Place {
        std::uint32_t uid_validity = 0;
        std::uint32_t last_uid = 0;
        std::uint32_t moving = 0;  ///< what was last marked and moved, or was to be
    };
    Result<Place> load();
    Status keep();
    Result<std::vector<std::uint32_t>> unread(ImapSession& session, const ImapFolder& folder);
    Status take(ImapSession& session, const ImapFolder& folder, std::uint32_t uid);
    Status act(ImapSession& session, const ImapFolder& folder, const Fetched& message,
               const Envelope& envelope, const Opened& opened);
    Status hold(ImapSession& session, const ImapFolder& folder, std::uint32_t uid);
    Status put_aside(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                     WatchAct act, bool is_second);
    Status about_to_move(std::uint32_t uid);
    Status leave(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                 const Error& why);
    Status tag(ImapSession& session, const ImapFolder& folder, std::uint32_t uid);
    event::Event release_event(std::uint32_t uid) const;
    Result<bool> has_copy(ImapSession& session, const Fetched& message, const Opened& opened);
    Status put_banner(ImapSession& session, const ImapFolder& folder, const Fetched& message,
                      const Opened& opened);
    Status mark(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                std::string_view keyword, std::string_view flag = {});
    Status release(ImapSession& session, std::uint32_t uid);
    Result<Opened> judge(const std::string& bytes, Envelope& envelope);
    std::string object_of(std::uint32_t uid) const;
    std::string path() const;

    WatchDoors doors_;
    WatchPolicy policy_;
    Mailbox mailbox_;
    std::string dir_;
    crypto::Secret32 key_;
    Place place_;
    std::uint32_t uid_validity_ = 0;
};

}  // namespace hygie::mail
