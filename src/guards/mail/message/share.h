#pragma once

#include <string_view>

namespace hygie::mail {

/// A share of another house: "\\\\203.0.113.7\\a", "file://x.example/a". Who loads from it by
/// itself hands its user's name and a hash of the password over (MITRE ATT&CK T1187). A drive
/// ("file:///C:/a") and a machine without domain ("\\\\SERVEUR\\a") are one's own.
bool is_foreign_share(std::string_view target);

}  // namespace hygie::mail
