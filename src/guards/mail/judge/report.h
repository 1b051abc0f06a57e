#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "guards/mail/judge/judge.h"

namespace hygie::mail {

/// One line of JSON: {"file","verdict","class","score","reasons":[{"id","fr","en","evidence"}],
/// "advice":{"fr","en"}}. The score has four decimals.
std::string to_json(std::string_view file, const Judgement& judgement);
/// The same for a person: the verdict, why, and what to do.
std::string to_words(std::string_view file, const Judgement& judgement, Lang lang);
/// A verdict and its class, as to_json spells them, for a person: "malveillant, hameçonnage".
std::string verdict_in_words(std::string_view verdict, std::string_view kind, Lang lang);

}  // namespace hygie::mail
