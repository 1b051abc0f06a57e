#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "guards/mail/mailboxes/imap.h"
#include "host/disk.h"

namespace hygie::mail {

inline constexpr std::size_t kMailboxesMax = 500;

/// One hosted mailbox that the guard looks after (FORMAT.md).
struct Mailbox {
    /// What a suspicious message gets: a mark and a flag, a copy with a banner in its place, or the
    /// way of the malicious ones.
    enum class Suspicious : std::uint8_t { Tag, Banner, Hold };

    std::string name;  ///< for people and traces
    std::string url;
    std::string user;
    std::string secret_file;
    bool is_token = false;
    std::string ca_file{};
    std::string folder = "INBOX";
    std::string hold_folder = "Hygie";
    Suspicious suspicious = Suspicious::Tag;
    bool is_desk = false;  ///< where people report messages: letters of ours go to the desk
};

/// Reads the list of mailboxes. Code::BadInput names what is wrong in it.
Result<std::vector<Mailbox>> parse_mailboxes(std::string_view json);

/// Signs in. The secret is read anew each time: a token that another program refreshes is good.
Result<ImapSession> open_mailbox(Disk& disk, const Mailbox& mailbox);

}  // namespace hygie::mail
