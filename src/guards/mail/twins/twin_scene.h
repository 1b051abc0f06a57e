#pragma once

#include <map>
#include <string>
#include <vector>

#include "guards/mail/twins/twin_world.h"

/// The facts of one twin: who writes from where, where its links lead, whose account it names.
namespace hygie::mail {

/// All that is true of one message before its words are chosen.
struct TwinScene {
    Side side = Side::Legitimate;
    TwinPerson recipient;
    std::string from_name;
    std::string from_address;
    std::string reply_to;   ///< empty: none
    std::string mail_from;  ///< empty: the null sender
    std::string helo;
    std::string client_ip;
    std::string spf;
    std::string dkim;
    std::string dmarc;
    std::string link;                      ///< where links lead; empty: none in this message
    std::vector<std::string> other_links;  ///< of the second link and those after it, in turn
    std::string in_reply_to;               ///< a message id, without < >
    std::string attachment;                ///< what twin_files knows to make; empty: none
    std::map<std::string, std::string, std::less<>> facts;  ///< slots of the grammar
};

/// Draws the facts of `side` of a template. Both sides of one seed share all that does not have to
/// differ: people, amounts, dates.
TwinScene make_scene(const TwinLibrary& library, const TwinWorld& world, const TwinTemplate& form,
                     Side side, std::uint64_t seed);

}  // namespace hygie::mail
