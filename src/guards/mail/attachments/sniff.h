#pragma once

#include <string>
#include <string_view>

namespace hygie::mail {

/// What bytes are, whatever their name says: "pe", "elf", "ole", "zip", "pdf", "html", "svg",
/// "rtf", "lnk", "onenote", "iso", "vhd", "7z", "rar", "gzip", "cab", "chm", "png", "jpeg", "gif",
/// "riff", "bmp", "eml", "text", "data", …
std::string_view sniff(std::string_view bytes);
/// Of those, pictures that mail programs show: PNG, JPEG, GIF, WebP ("riff"), BMP.
bool is_picture_type(std::string_view type);
/// The last extension, lower case, without the dot.
std::string extension_of(std::string_view name);
/// A name whose extension runs or scripts when opened on a desktop.
bool is_script_extension(std::string_view extension);
bool is_program_extension(std::string_view extension);
bool is_shortcut_extension(std::string_view extension);
bool is_image_extension(std::string_view extension);  ///< of a disk
bool is_odd_archive_extension(std::string_view extension);
/// Files that set a device up anew for whoever made them.
bool is_profile_extension(std::string_view extension);
/// Extensions of documents that people open without thinking.
bool is_document_extension(std::string_view extension);

}  // namespace hygie::mail
