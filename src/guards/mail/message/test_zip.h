#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <utility>
#include <vector>

/// For tests: archives of inert members.
namespace hygie::mail {

using Members = std::vector<std::pair<std::string, std::string>>;

/// A zip (or another format) of inert members.
inline std::string packed(const Members& members, const char* password = nullptr,
                          int (*format)(archive*) = archive_write_set_format_zip) {
    std::string out(4U << 20, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    format(writer);
    if (password) {
        archive_write_set_options(writer, "zip:encryption=aes256");
        archive_write_set_passphrase(writer, password);
    }
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const auto& [name, bytes] : members) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0600);
        archive_write_header(writer, entry);
        archive_write_data(writer, bytes.data(), bytes.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

}  // namespace hygie::mail
