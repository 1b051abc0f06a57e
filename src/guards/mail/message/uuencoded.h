#pragma once

#include <string>
#include <vector>

namespace hygie::mail {

/// A file that stands in the text of a letter.
struct UuFile {
    std::string name;
    std::string bytes;
};

/// Takes the uuencoded files (POSIX uuencode) out of a text, as the mail readers do that show them
/// as attached: "begin 644 name", lines that hold what their first character says, "end". What
/// only looks like one stays text.
std::vector<UuFile> take_uuencoded(std::string& text);

}  // namespace hygie::mail
