#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/limits.h"

/// Reading attachments: what they can do, where they lead, what they say. Runs in the sandboxed
/// child; every limit of limits.h holds over the whole message.
namespace hygie::mail {

class FileScan {
  public:
    FileScan(std::vector<std::string> passwords, bool look_for_qr)
        : passwords_(std::move(passwords)), look_for_qr_(look_for_qr) {}

    /// `path` is the place of the file: "facture.zip/facture.js".
    void scan(const std::string& path, std::string_view bytes, std::size_t depth);
    AttachmentFacts finish() { return std::move(out_); }

    // What the readers of single types report.
    void found(FileFacts& file, Capability capability, std::string_view detail = {});
    void link(const std::string& path, std::string_view target, LinkKind kind,
              std::string_view shown = {});
    void text(std::string_view more);
    /// Addresses that stand in the words of a short document: readers make links of them.
    void addresses(const std::string& path, std::string_view words);
    void qr(const std::string& path, std::string_view payload);
    /// What a picture says; `alone` when it is the file itself and no page of a document.
    void pictured(const std::string& path, std::string_view said, bool alone);
    void incomplete() { out_.incomplete = true; }
    bool wants_qr() const { return look_for_qr_ && images_ < kImagesReadMax; }
    void image_read() { ++images_; }
    const std::vector<std::string>& passwords() const { return passwords_; }
    /// Takes bytes from the budget of unpacked bytes; false when it is spent.
    bool spend(std::size_t bytes);

  private:
    void names(FileFacts& file, std::string_view name, std::string_view type);
    void content(FileFacts& file, std::string_view bytes, std::size_t depth);

    std::vector<std::string> passwords_;
    bool look_for_qr_;
    std::size_t images_ = 0;
    std::size_t files_ = 0;
    std::size_t unpacked_ = 0;
    AttachmentFacts out_;
};

void scan_archive(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth);
void scan_ole(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth);
void scan_pdf(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth);
void scan_page(FileScan& scan, FileFacts& file, std::string_view bytes);
void scan_svg(FileScan& scan, FileFacts& file, std::string_view bytes);
/// What text alone starts when it is opened: formulas, macros of older formats.
void scan_plain(FileScan& scan, FileFacts& file, std::string_view bytes);
void scan_rtf(FileScan& scan, FileFacts& file, std::string_view bytes);
void scan_lnk(FileScan& scan, FileFacts& file, std::string_view bytes);
void scan_onenote(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth);
void scan_image(FileScan& scan, FileFacts& file, std::string_view bytes);
void scan_mail(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth);
/// One member of an OOXML or ODF package.
void scan_office_member(FileScan& scan, FileFacts& file, std::string_view name,
                        std::string_view bytes);

struct Grey {
    std::vector<std::uint8_t> pixels;
    int width = 0;  ///< 0: could not be decoded, too large or too small
    int height = 0;
};
/// Of a type of picture (sniff.h); of an animation, the picture that stands longest.
Grey decode_picture(std::string_view type, std::string_view bytes);
Grey decode_gif(std::string_view bytes);
/// The first pages of a PDF that hold no text, drawn one by one for as long as `goes_on`.
void draw_wordless_pages(std::string_view bytes, const std::function<bool(Grey)>& goes_on);
/// QR codes of grey pixels.
std::vector<std::string> read_qr(const std::uint8_t* grey, int width, int height);

}  // namespace hygie::mail
