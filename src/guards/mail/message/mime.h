#pragma once

#include <gmime/gmime.h>

#include <memory>
#include <string>
#include <string_view>

/// GMime's objects owned, and read as strings. For .cc files of this room only.
namespace hygie::mail {

struct Unref {
    void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using GOwned = std::unique_ptr<T, Unref>;

/// GMime parses; it is initialised once per process.
GOwned<GMimeMessage> mime_message(std::string_view bytes);
/// The content of a part, transfer encoding undone, cut at `size_max`.
std::string part_bytes(GMimePart* part, std::size_t size_max);
std::string part_file_name(GMimeObject* part);
/// "text/html", lower case.
std::string part_type(GMimeObject* part);
/// A parameter of Content-Type, empty when absent.
std::string part_parameter(GMimeObject* part, const char* name);
bool is_attachment(GMimeObject* part);
/// The content that an opaque S/MIME signature carries; empty when it cannot be opened.
std::string signed_content(std::string_view cms);

}  // namespace hygie::mail
