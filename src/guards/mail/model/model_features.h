#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/message.h"
#include "guards/mail/signals/signals.h"

/// What the learned model sees of a message: signals by name, words by hash. Never header names,
/// dates, sizes, ids, charsets or the language as such: those tell collections apart, not attacks.
namespace hygie::mail {

/// Slots of hashed words. A power of two.
inline constexpr std::uint32_t kWordSlots = 1U << 18;
/// Words read, from the top; further down are quotations and small print.
inline constexpr std::size_t kModelWordsMax = 700;

/// A word or a pair of words, and where it stands in the text that was read.
struct WordFeature {
    std::uint32_t slot;   ///< below kWordSlots
    float value;          ///< all words of one message together have length one
    std::uint32_t begin;  ///< in Features::text
    std::uint32_t size;
};

/// A signal or a fact about the message's shape, by its name.
struct NamedFeature {
    std::string name;
    float value;
    std::string evidence;
};

struct Features {
    std::vector<WordFeature> words;  ///< one per slot
    std::vector<NamedFeature> named;
    std::size_t body_at = 0;   ///< where the body begins in `text`, after the subject
    std::size_t files_at = 0;  ///< where the text of the files begins
    std::string text;          ///< what the words stand in
};

/// A sender is trusted when its domain is proven and already known or the brand's own, or when the
/// thread is ours: the same words weigh differently then.
bool is_trusted_sender(const Evidence& evidence);

Features features_of(const Message& message, const Evidence& evidence,
                     std::span<const Signal> signals);

}  // namespace hygie::mail
