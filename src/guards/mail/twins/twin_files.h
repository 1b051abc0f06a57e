#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/twins/twin_scene.h"

/// Attachments for the twins. Those of attacks have the shape of what they play and do nothing: no
/// instruction for any machine is in them, their macros, scripts and shortcuts are empty or
/// comments.
namespace hygie::mail {

struct TwinFile {
    std::string name;
    std::string type;  ///< MIME type
    std::string bytes;
    std::string shape;  ///< what it plays: "docm", "iso", "pdf_qr", …; for the index
};

/// The files of a scene: its `attachment` names a kind ("pdf", "docx", "active", "pdf_link", …).
std::vector<TwinFile> make_files(const TwinScene& scene, std::string_view stem, Dice& dice);

/// A ZIP archive of stored entries; `encrypted` sets the flag that makes readers ask for a
/// password.
struct ZipEntry {
    std::string name;
    std::string bytes;
};
std::string make_zip(const std::vector<ZipEntry>& entries, bool encrypted);
/// A QR code of that text as a PNG.
std::string make_qr_png(std::string_view text);

}  // namespace hygie::mail
