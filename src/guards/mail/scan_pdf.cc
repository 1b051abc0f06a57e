// QPDF asks which of its two pointer types is meant; the standard one.
#define POINTERHOLDER_TRANSITION 4

#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-page-renderer.h>
#include <poppler/cpp/poppler-page.h>
#include <qpdf/JSON.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFLogger.hh>

#include <algorithm>
#include <memory>
#include <set>

#include "guards/mail/fold.h"
#include "guards/mail/scan.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kObjectsMax = 20'000;
constexpr int kPagesRead = 5;
constexpr int kPagesDrawn = 2;
constexpr double kDotsPerInch = 110;
constexpr std::size_t kEmbeddedMax = 8U << 20;
/// A page with more words than this is a letter, not a poster of a QR code.
constexpr std::size_t kPosterWords = 250;

/// What a PDF does when opened or clicked.
class Actions {
  public:
    Actions(FileScan& scan, FileFacts& file, std::size_t depth)
        : scan_(scan), file_(file), depth_(depth) {}

    void run(std::string_view bytes) {
        QPDF pdf;
        pdf.setSuppressWarnings(true);
        pdf.setLogger(quiet());
        pdf.processMemoryFile("pdf", bytes.data(), bytes.size());
        std::size_t count = 0;
        for (QPDFObjectHandle object : pdf.getAllObjects()) {
            if (++count > kObjectsMax) return scan_.incomplete();
            if (object.isStream()) object = object.getDict();
            if (object.isDictionary()) dictionary(object, 0);
        }
    }

  private:
    static std::shared_ptr<QPDFLogger> quiet() {
        auto logger = QPDFLogger::create();
        logger->setError(logger->discard());
        logger->setWarn(logger->discard());
        logger->setInfo(logger->discard());
        return logger;
    }

    void once(Capability capability, std::string_view detail) {
        if (!file_.has(capability)) scan_.found(file_, capability, detail);
    }

    void dictionary(QPDFObjectHandle object, int depth) {
        if (depth > 6) return;
        action(object);
        for (const std::string& key : object.getKeys()) {
            QPDFObjectHandle value = object.getKey(key);
            // Indirect objects are met by themselves.
            if (value.isIndirect()) continue;
            if (value.isDictionary()) dictionary(value, depth + 1);
            if (value.isArray())
                for (int i = 0; i < std::min(value.getArrayNItems(), 200); ++i)
                    if (QPDFObjectHandle item = value.getArrayItem(i);
                        item.isDictionary() && !item.isIndirect())
                        dictionary(item, depth + 1);
        }
    }

    void action(QPDFObjectHandle object) {
        QPDFObjectHandle kind = object.getKey("/S");
        const std::string name = kind.isName() ? kind.getName() : std::string();
        if (name == "/URI" && object.getKey("/URI").isString())
            scan_.link(file_.path, object.getKey("/URI").getUTF8Value(), LinkKind::Anchor);
        if (name == "/JavaScript" || object.hasKey("/JS"))
            once(Capability::PdfJavaScript, "JavaScript");
        if (name == "/Launch") once(Capability::PdfLaunch, "Launch");
        if (name == "/SubmitForm" || name == "/GoToR" || name == "/GoToE") target(object);
        QPDFObjectHandle type = object.getKey("/Type");
        if (type.isName() && type.getName() == "/Filespec" && object.hasKey("/EF"))
            embedded(object);
    }

    void target(QPDFObjectHandle object) {
        QPDFObjectHandle file = object.getKey("/F");
        if (file.isDictionary()) file = file.getKey("/F");
        if (file.isString()) scan_.link(file_.path, file.getUTF8Value(), LinkKind::Form);
    }

    void embedded(QPDFObjectHandle spec) {
        std::string name = "file";
        for (const char* key : {"/UF", "/F"})
            if (QPDFObjectHandle given = spec.getKey(key); given.isString()) {
                name = given.getUTF8Value();
                break;
            }
        // Electronic invoices (Factur-X, ZUGFeRD) carry their data as XML.
        const bool invoice = lower(name).ends_with(".xml");
        if (!invoice) once(Capability::PdfEmbedded, name);
        QPDFObjectHandle stream = spec.getKey("/EF").getKey("/F");
        if (invoice || !stream.isStream()) return;
        const auto data = stream.getStreamData(qpdf_dl_all);
        if (data->getSize() > kEmbeddedMax || !scan_.spend(data->getSize())) return;
        scan_.scan(file_.path + "/" + name,
                   {reinterpret_cast<const char*>(data->getBuffer()), data->getSize()}, depth_ + 1);
    }

    FileScan& scan_;
    FileFacts& file_;
    std::size_t depth_;
};

void draw_page(FileScan& scan, const FileFacts& file, const poppler::page& page) {
    if (!scan.wants_qr()) return;
    scan.image_read();
    poppler::page_renderer renderer;
    renderer.set_image_format(poppler::image::format_gray8);
    const poppler::rectf size = page.page_rect();
    const double pixels =
        size.width() * size.height() * kDotsPerInch * kDotsPerInch / (72.0 * 72.0);
    if (!(pixels > 0 && pixels < static_cast<double>(kImagePixelsMax))) return;
    const poppler::image image = renderer.render_page(&page, kDotsPerInch, kDotsPerInch);
    if (!image.is_valid()) return;
    std::string grey;
    for (int y = 0; y < image.height(); ++y)
        grey.append(image.const_data() + static_cast<std::ptrdiff_t>(y) * image.bytes_per_row(),
                    static_cast<std::size_t>(image.width()));
    for (const std::string& payload :
         read_qr(reinterpret_cast<const std::uint8_t*>(grey.data()), image.width(), image.height()))
        scan.qr(file.path, payload);
}

void read_pages(FileScan& scan, FileFacts& file, std::string_view bytes) {
    poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    const std::unique_ptr<poppler::document> document(
        poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
    if (!document) return scan.incomplete();
    if (document->is_locked()) return scan.found(file, Capability::ArchiveEncrypted, "PDF");
    for (int i = 0; i < std::min(document->pages(), kPagesRead); ++i) {
        const std::unique_ptr<poppler::page> page(document->create_page(i));
        if (!page) continue;
        const poppler::byte_array text = page->text().to_utf8();
        scan.text({text.data(), text.size()});
        const auto words = static_cast<std::size_t>(std::ranges::count(text, ' '));
        if (i < kPagesDrawn && words < kPosterWords) draw_page(scan, file, *page);
    }
}

}  // namespace

void scan_pdf(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    try {
        Actions(scan, file, depth).run(bytes);
    } catch (const std::exception&) {
        // Broken on purpose or not: its names still tell what it would do in a lenient reader.
        for (const auto& [word, capability] : {std::pair{"/JavaScript", Capability::PdfJavaScript},
                                               std::pair{"/Launch", Capability::PdfLaunch}})
            if (contains(bytes, word)) scan.found(file, capability, word);
        if (contains(bytes, "/Encrypt")) scan.found(file, Capability::ArchiveEncrypted, "PDF");
        scan.incomplete();
    }
    read_pages(scan, file, bytes);
}

}  // namespace hygie::mail
