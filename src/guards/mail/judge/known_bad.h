#pragma once

#include <string>

#include "guards/mail/judge/judge.h"

/// Files that somebody's list knows: the rules of the house, or a virus scanner. That is no opinion
/// to weigh: such a message is malicious.
namespace hygie::mail {

enum class KnownBy : std::uint8_t { Rule, Scanner };

/// Puts that reason first. `name` is the list's word for it, `file` where it was found.
void make_malicious(Judgement& judgement, KnownBy by, const std::string& name,
                    const std::string& file);
/// Does so for every file that the rules of the house know.
void apply_known_bad(Judgement& judgement, const Evidence& evidence);

}  // namespace hygie::mail
