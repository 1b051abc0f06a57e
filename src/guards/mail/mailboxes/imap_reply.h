#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// What an IMAP server says (RFC 3501 §7), read as bytes of a stranger. Pure.
namespace hygie::mail {

/// A line without its literals: a list of a million UIDs still fits.
inline constexpr std::size_t kImapLineBytesMax = 16U << 20;

/// One reply: its line, and what stood in its literals. "{12}" stays in the line where a literal of
/// twelve bytes was; the literals are in order.
struct ImapReply {
    std::string line;
    std::vector<std::string> literals{};

    bool is_untagged() const { return line.starts_with("* "); }
    bool is_continuation() const { return line.starts_with("+"); }
    /// "A1 OK …" under the tag "A1"; nothing under another tag.
    std::optional<bool> done(std::string_view tag) const;
};

/// Cuts the server's bytes into replies.
class ImapReader {
  public:
    /// Code::Full when the server says more in one line, or in one literal, than any answer may
    /// hold: nothing after it is believed.
    Status feed(std::string_view bytes);
    /// The next whole reply, in order; nothing until more bytes came.
    std::optional<ImapReply> next();

  private:
    Status take_line();

    std::string pending_;
    std::size_t literal_left_ = 0;
    bool in_literal_ = false;
    std::size_t scanned_ = 0;
    ImapReply open_;
    std::vector<ImapReply> ready_;
    std::size_t given_ = 0;
};

/// "* SEARCH 3 5" → {3, 5}; nothing for another reply.
std::optional<std::vector<std::uint32_t>> search_hits(const ImapReply& reply);
/// The number in "* OK [UIDVALIDITY 12] …", under that name; nothing when it says something else.
std::optional<std::uint32_t> coded_number(const ImapReply& reply, std::string_view name);
/// "* 4 EXISTS" → 4
std::optional<std::uint32_t> exists_count(const ImapReply& reply);

/// What "* 7 FETCH (UID 5 FLAGS (\Seen) RFC822.SIZE 9 BODY[] {9})" tells.
struct Fetched {
    std::uint32_t uid = 0;
    std::vector<std::string> flags{};
    std::uint64_t size = 0;
    std::optional<std::string> body{};

    bool has_flag(std::string_view flag) const;
};
std::optional<Fetched> fetched(const ImapReply& reply);

/// One line of a LIST answer; nothing for a folder that holds no messages (\Noselect).
std::optional<std::string> listed_folder(const ImapReply& reply);

/// A folder's name as IMAP spells it: modified UTF-7 (RFC 3501 §5.1.3), in quotes.
std::string quoted_folder(std::string_view name);
/// A text in quotes; Code::BadInput when no quotes can hold it: control characters, or not ASCII.
Result<std::string> quoted_text(std::string_view text);
/// "12-Mar-2026", as SEARCH SINCE wants it.
std::string search_date(WallTime at);

}  // namespace hygie::mail
