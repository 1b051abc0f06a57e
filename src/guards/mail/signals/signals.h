#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/message/message.h"

namespace hygie::mail {

/// A named, interpretable fact about one message: the features of the learned model and the reasons
/// given to people are the same things.
struct Signal {
    std::string_view id;   ///< stable, dotted: "link.shown_other_domain"; static storage
    double strength = 1;   ///< (0, 1]
    std::string evidence;  ///< bytes that exist in the message, as they stand (decoded)
    std::string detail;    ///< what stands for {} in its sentence: a brand, a domain, a file
    std::string where;     ///< "header:From", "text", "html", "attachment:NAME"
};

/// All that could ever be signalled, each with its sentence. `{}` in a sentence stands for the
/// signal's detail. Sorted by id.
struct SignalKind {
    std::string_view id;
    std::string_view fr;
    std::string_view en;
    /// A fact decides by itself or with other facts; words (false) only ever support.
    bool is_fact = false;
};
std::span<const SignalKind> signal_kinds();
const SignalKind* signal_kind(std::string_view id);

/// The sentence of a signal, its detail in place.
Text sentence_of(const Signal& signal);

/// Every signal of the message, in the order of signal_kinds(), at most one per id: the strongest.
std::vector<Signal> draw_signals(const Message& message, const Evidence& evidence,
                                 const History& history);

}  // namespace hygie::mail
