#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/disk.h"

/// YARA rules of the house over attachments, and over what is inside them. They are read once, by
/// the parent; the sandboxed child that reads attachments inherits them and runs them.
namespace hygie::mail {

inline constexpr std::size_t kRuleBytesMax = 64U << 20;
inline constexpr int kRuleSecondsMax = 1;

/// Reads a file of rules, or every *.yar and *.yara of a folder, for all messages from now on; to
/// be called before the first is judged, once per process. Code::BadInput where a rule is none:
/// what cannot be read whole is not read at half.
Status use_file_rules(Disk& disk, const std::string& path);

/// Names of the rules that know these bytes; nothing when no rules are in use, and for bytes that
/// take too long.
void match_file_rules(std::string_view bytes, const std::function<void(std::string_view)>& known);

}  // namespace hygie::mail
