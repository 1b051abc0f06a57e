#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What a PDF does, by QPDF. This header and its .cc are C++17 and stand alone: QPDF's own header
/// holds a type that clang, from C++20 on, finds incomplete.
namespace hygie::mail {

struct PdfLink {
    std::string target;
    bool sends = false;  ///< where a form goes, or another file
};

struct PdfFile {
    std::string name;
    std::string bytes;
};

struct PdfActions {
    std::vector<PdfLink> links;
    std::vector<PdfFile> files;  ///< embedded, all but XML
    bool has_javascript = false;
    bool has_launch = false;
    bool is_incomplete = false;  ///< a limit ended the reading
    bool is_broken = false;      ///< QPDF gave up
    std::string widest_link;     ///< where the link leads that takes most of its page …
    double widest_share = 0;     ///< … and how much of it, [0, 1]
};

/// Pages on which links are measured.
inline constexpr std::size_t kPdfPagesMeasured = 5;

/// Reads at most `objects_max` objects and `file_bytes_max` bytes of each embedded file.
PdfActions read_pdf_actions(std::string_view bytes, std::size_t objects_max,
                            std::size_t file_bytes_max);

}  // namespace hygie::mail
