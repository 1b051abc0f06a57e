#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hygie::mail {

/// What a winmail.dat holds (MS-OXTNEF).
struct Tnef {
    std::string body;
    struct File {
        std::string name;
        std::string bytes;
    };
    std::vector<File> files;
    bool is_tnef = false;
};
/// Reads what can be read; bytes that are not TNEF give `is_tnef` false.
Tnef read_tnef(std::string_view bytes);

}  // namespace hygie::mail
