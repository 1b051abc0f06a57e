#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sensitive.h"
#include "base/time.h"
#include "guards/mail/mailboxes/imap_reply.h"

/// One hosted mailbox, spoken to by IMAP (RFC 3501, IDLE 2177, MOVE 6851, UIDPLUS 4315).
namespace hygie::mail {

/// After so long a silence the server counts as lost.
inline constexpr Micros kImapPatience = std::chrono::seconds(60);

/// Where a mailbox is, and the right to open it.
struct ImapServer {
    std::string url;  ///< "imaps://host[:port]", or "imap://host" with STARTTLS, which is required
    std::string user;
    Sensitive<std::string> secret;
    bool is_token = false;  ///< the secret is an OAuth 2 access token, no password
    std::string ca_file{};  ///< whose certificates are believed; the system's when empty
};

/// Bytes to and from a server that has let us in. A door: tests hold their own.
class ImapStream {
  public:
    virtual ~ImapStream() = default;
    virtual Status send(std::string_view bytes) = 0;
    /// Appends what came to `out`; false when nothing came in `patience`. Code::Unavailable when
    /// the server is gone.
    virtual Result<bool> receive(std::string& out, Micros patience) = 0;
};

/// By libcurl: TLS with the server's name checked, the SASL way the server wants. Code::Denied for
/// a wrong password, Code::Forged for a certificate that is not believed, else Code::Unavailable.
Result<std::unique_ptr<ImapStream>> connect_imap(const ImapServer& server);

/// What SELECT told of a folder.
struct ImapFolder {
    std::uint32_t uid_validity = 0;
    std::uint32_t uid_next = 0;
    bool takes_keywords = false;
};

/// Commands, one at a time. Any failure but a "NO" (Code::Denied) ends the session: make another.
class ImapSession {
  public:
    explicit ImapSession(std::unique_ptr<ImapStream> stream) : stream_(std::move(stream)) {}
    /// Asks what the server can do.
    Status start();

    /// Moving needs MOVE, or UIDPLUS so that nothing but the copied message leaves.
    bool can_move() const { return can_move_ || can_expunge_one_; }

    Result<ImapFolder> select(const std::string& folder);
    /// Makes the folder when it is not there.
    Status need_folder(const std::string& folder);
    Result<std::vector<std::string>> folders();
    /// `what` is a search key of RFC 3501 §6.4.4, quoted by the caller. Ascending.
    Result<std::vector<std::uint32_t>> search(const std::string& what);
    /// Without the body. Code::NotFound when the message went away.
    Result<Fetched> look(std::uint32_t uid);
    /// With the body; the message does not become read by it.
    Result<Fetched> fetch(std::uint32_t uid);
    Status add_flags(std::uint32_t uid, const std::string& flags);
    Status remove_flags(std::uint32_t uid, const std::string& flags);
    /// The message's number in the other folder, 0 when the server does not say.
    Result<std::uint32_t> move(std::uint32_t uid, const std::string& folder);
    Status append(const std::string& folder, const std::string& flags, std::string_view message);
    /// Waits until mail came since the last search, at most `patience`, and asks `stopped` about
    /// every second. False when none came.
    Result<bool> wait_for_change(Micros patience, const std::function<bool()>& stopped);

  private:
    using Take = std::function<void(const ImapReply&)>;
    /// Sends one command and reads up to its end. Code::Denied when the server says NO or BAD.
    Status command(const std::string& text, const Take& take = {});
    Result<ImapReply> next_reply(Micros patience);
    Status idle(Micros patience, const std::function<bool()>& stopped);
    Result<Fetched> fetch_items(std::uint32_t uid, const std::string& items);
    std::string new_tag();

    std::unique_ptr<ImapStream> stream_;
    ImapReader reader_;
    std::uint64_t tags_ = 0;
    bool is_changed_ = false;  ///< mail came since the last search
    bool can_idle_ = false;
    bool can_move_ = false;
    bool can_expunge_one_ = false;
};

}  // namespace hygie::mail
