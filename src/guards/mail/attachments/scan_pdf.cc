#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-page-renderer.h>
#include <poppler/cpp/poppler-page.h>

#include <algorithm>
#include <memory>

#include "guards/mail/attachments/pdf_actions.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kObjectsMax = 20'000;
constexpr int kPagesRead = 5;
constexpr int kPagesDrawn = 2;
constexpr double kDotsPerInch = 110;
constexpr std::size_t kEmbeddedMax = 8U << 20;
/// A page with more words than this is a letter, not a poster of a QR code.
constexpr std::size_t kPosterWords = 250;
/// From this share of its page on, a link is what the page is for.
constexpr double kPageIsLinkFrom = 0.08;

/// A page that will not be drawn has no pixels.
Grey drawn(const poppler::page& page) {
    Grey out;
    poppler::page_renderer renderer;
    renderer.set_image_format(poppler::image::format_gray8);
    const poppler::rectf size = page.page_rect();
    const double pixels =
        size.width() * size.height() * kDotsPerInch * kDotsPerInch / (72.0 * 72.0);
    if (!(pixels > 0 && pixels < static_cast<double>(kImagePixelsMax))) return out;
    const poppler::image image = renderer.render_page(&page, kDotsPerInch, kDotsPerInch);
    if (!image.is_valid()) return out;
    for (int y = 0; y < image.height(); ++y) {
        const char* row =
            image.const_data() + static_cast<std::ptrdiff_t>(y) * image.bytes_per_row();
        out.pixels.insert(out.pixels.end(), row, row + image.width());
    }
    out.width = image.width();
    out.height = image.height();
    return out;
}

void draw_page(FileScan& scan, const FileFacts& file, const poppler::page& page) {
    if (!scan.wants_qr()) return;
    scan.image_read();
    const Grey grey = drawn(page);
    if (grey.width == 0) return;
    for (const std::string& payload : read_qr(grey.pixels.data(), grey.width, grey.height))
        scan.qr(file.path, payload);
}

std::unique_ptr<poppler::document> opened(std::string_view bytes) {
    poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    return std::unique_ptr<poppler::document>(
        poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
}

void read_pages(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const std::unique_ptr<poppler::document> document = opened(bytes);
    if (!document) return scan.incomplete();
    if (document->is_locked()) return scan.found(file, Capability::ArchiveEncrypted, "PDF");
    for (int i = 0; i < std::min(document->pages(), kPagesRead); ++i) {
        const std::unique_ptr<poppler::page> page(document->create_page(i));
        if (!page) continue;
        const poppler::byte_array text = page->text().to_utf8();
        scan.text({text.data(), text.size()});
        scan.addresses(file.path, {text.data(), text.size()});
        const auto words = static_cast<std::size_t>(std::ranges::count(text, ' '));
        if (i < kPagesDrawn && words < kPosterWords) draw_page(scan, file, *page);
    }
}

}  // namespace

void draw_wordless_pages(std::string_view bytes, const std::function<bool(Grey)>& goes_on) {
    const std::unique_ptr<poppler::document> document = opened(bytes);
    if (!document || document->is_locked()) return;
    for (int i = 0; i < std::min(document->pages(), kPagesDrawn); ++i) {
        const std::unique_ptr<poppler::page> page(document->create_page(i));
        if (page && trim(page->text().to_latin1()).empty() && !goes_on(drawn(*page))) return;
    }
}

void scan_pdf(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    const PdfActions actions = read_pdf_actions(bytes, kObjectsMax, kEmbeddedMax);
    // Broken on purpose or not: its names still tell what it would do in a lenient reader.
    const bool broken = actions.is_broken;
    if (actions.has_javascript || (broken && contains(bytes, "/JavaScript")))
        scan.found(file, Capability::PdfJavaScript, "JavaScript");
    if (actions.has_launch || (broken && contains(bytes, "/Launch")))
        scan.found(file, Capability::PdfLaunch, "Launch");
    if (broken && contains(bytes, "/Encrypt"))
        scan.found(file, Capability::ArchiveEncrypted, "PDF");
    if (broken || actions.is_incomplete) scan.incomplete();
    if (actions.widest_share >= kPageIsLinkFrom)
        scan.found(file, Capability::PdfPageLink, actions.widest_link);
    for (const PdfLink& one : actions.links)
        scan.link(file.path, one.target, one.sends ? LinkKind::Form : LinkKind::Anchor);
    for (const PdfFile& one : actions.files) {
        if (!file.has(Capability::PdfEmbedded)) scan.found(file, Capability::PdfEmbedded, one.name);
        if (!one.bytes.empty() && scan.spend(one.bytes.size()))
            scan.scan(file.path + "/" + one.name, one.bytes, depth + 1);
    }
    read_pages(scan, file, bytes);
}

}  // namespace hygie::mail
