#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/message/message.h"

/// What a letter asks its reader to give, sentence by sentence: data of patients, or a secret.
/// Who may ask for it is judged elsewhere (signals_asks.cc).
namespace hygie::mail {

/// Groups of phrases of data/asks.txt.
enum class Ask : std::uint8_t {
    Ask,         ///< to send, give or hand over, to the writer
    Reply,       ///< … by an answer to this letter
    ByMail,      ///< the way it is to travel: plain mail, a file
    Mass,        ///< data of many patients
    Record,      ///< the record of one patient, or a part of it
    Identity,    ///< papers of identity, bank details
    Mine,        ///< the writer's own record, or that of their child
    Refusal,     ///< that something is not to be done
    Protected,   ///< a way made for such data: MSSanté, a portal, the post
    Anonymous,   ///< data about nobody
    Private,     ///< a mailbox at home
    Hush,        ///< not to call, not to tell
    Secret,      ///< a password, a code or a key of the reader
    BareSecret,  ///< the word alone
    Given,       ///< a secret that the writer gives, or that is changed
    Leak,        ///< that data will be made public
    Stolen,      ///< that data were taken
    Ransom,      ///< what keeps them from it
    Identified,  ///< that names are to be left in
    Enter,       ///< to type in, at some place
    Prepare,     ///< to have at hand, for a call
    Remote,      ///< to let somebody use the reader's machine from afar
    UsualLine,   ///< the number that the reader knows, which is out of order
    Account,     ///< a way into the systems of the house
    Logs,        ///< what the systems wrote down, or how they are built
    Field,       ///< what identifies somebody: a column of a table
    People,      ///< that it is about many
    SignMail,    ///< to sign in with one's mailbox
    View,        ///< to open what is shown
    Fine,        ///< what an authority demands
    PayNow,      ///< to pay at once, by card
    Approve,     ///< to accept somebody else's sign-in
    Grant,       ///< to make an account for the writer
    Shown,       ///< to tell what a program for such help shows
    Unchanged,   ///< that an account stays what it is
    Channel,     ///< a telephone or a mailbox of the reader's own
    WorkMail,    ///< to sign in with the mailbox of the house, not merely with an address
    Later,       ///< that whoever must agree to a payment will do so once it is made
    Story,       ///< that something about the reader is about to be made public
    Specimen,    ///< a stamp, a signature, a blank prescription of the reader
    Scan,        ///< to read a code with a telephone
    BankOpen,    ///< to open the bank of the reader, for a call
    Opening,     ///< how a file is to be opened, and where: by a double click, under Windows
    Untraced,    ///< to pay in a way that leaves no trace
    UsualWay,    ///< … or in one that does
    Card,        ///< the numbers of the reader's bank card
    Admin,       ///< to sign in as who administers the systems
    Payers,      ///< who may approve payments, and with what signature
};
inline constexpr std::size_t kAsks = 48;
bool ask_named(std::string_view name, Ask& out);

/// Words as they stand, empty for none.
struct Asked {
    std::string evidence;
    std::size_t phrases = 0;
    bool any() const { return phrases > 0; }
};

struct AsksFacts {
    Asked data;            ///< the request and what it is for
    bool mass = false;     ///< … of many patients
    bool several = false;  ///< … and more than one kind of data of theirs
    bool identity = false;
    bool is_mine = false;  ///< the writer's own, or their child's
    bool by_mail = false;
    bool is_protected = false;
    bool is_anonymous = false;
    Asked at_home;  ///< where it is to go: words of a private mailbox
    Asked hush;
    Asked secret;  ///< the request for a secret
    Asked enter;   ///< a password is to be typed in, wherever the links lead
    Asked leak;    ///< a threat to make public what was taken
    Asked remote;  ///< the reader's machine, from afar
    Asked shown;   ///< … and what lets somebody in
    Asked usual_line;
    Asked account;           ///< a way into the systems of the house is asked for
    Asked logs;              ///< … or what they wrote down
    Asked sign_mail;         ///< the reader's mailbox is to open what is shown
    bool work_mail = false;  ///< … that of the house
    bool view = false;
    bool requests = false;  ///< something to give or an answer is asked for
    Asked fine;
    Asked pay_now;
    Asked channel;  ///< a telephone or a mailbox of the reader's own is asked for
    Asked later;    ///< who must agree to a payment does so afterwards
    Asked story;
    Asked specimen;
    Asked payers;
    Asked scan;
    Asked bank_open;
    Asked papers;  ///< what identifies somebody, wherever the letter speaks of it
    Asked opening;
    Asked untraced;          ///< payment that leaves no trace
    bool usual_way = false;  ///< … and another way to pay
    Asked admin;
    Asked card;  ///< the card's numbers, and what identifies its holder with them
    std::size_t stolen = 0;
    std::size_t ransom = 0;
};

/// Reads what the writer says; what they quote (from `quoted_at` on) is somebody else's.
AsksFacts find_asks(const Message& message, std::size_t quoted_at);
/// Whether the sentence of `text` in which `words` stand says that nothing changes: "no change of
/// bank details is ever announced by mail".
bool says_unchanged(std::string_view text, std::string_view words);
/// Of any text: that of a file.
AsksFacts find_asks(std::string_view text);

}  // namespace hygie::mail
