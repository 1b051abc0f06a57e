#pragma once

#include <string_view>

#include "guards/mail/model/model_features.h"

/// How a message is built, whatever it says: what its links and its sender look like from outside.
/// Shapes have no sentence of their own; they tell a person nothing that a signal does not say.
namespace hygie::mail {

/// Where a link leads, as far as the message alone can tell.
enum class Direction { Home, Known, Away, Hidden };
Direction direction_of(const Link& link, const Evidence& evidence);

/// Adds the shapes of links, sender and subject to `out`.
void add_structure(Features& out, const Message& message, const Evidence& evidence);

/// The language in which a folded text is written, of those that Hygie reads: "fr", "en", "de",
/// "es", "pt", "nl", "it"; empty when too few words tell.
std::string_view language_of(std::string_view folded);

}  // namespace hygie::mail
