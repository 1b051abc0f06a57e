#include "guards/mail/attachments/pdf_actions.h"

// QPDF asks which of its two pointer types is meant; the standard one.
#define POINTERHOLDER_TRANSITION 4

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFLogger.hh>

namespace hygie::mail {
namespace {

constexpr int kDepthMax = 6;
constexpr int kItemsMax = 200;
constexpr std::size_t kFoundMax = 1'000;

bool is_xml(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return name.size() > 4 && name.compare(name.size() - 4, 4, ".xml") == 0;
}

class Reader {
  public:
    Reader(PdfActions& out, std::size_t file_bytes_max)
        : out_(out), file_bytes_max_(file_bytes_max) {}

    void run(std::string_view bytes, std::size_t objects_max) {
        QPDF pdf;
        pdf.setSuppressWarnings(true);
        auto quiet = QPDFLogger::create();
        quiet->setError(quiet->discard());
        quiet->setWarn(quiet->discard());
        quiet->setInfo(quiet->discard());
        pdf.setLogger(quiet);
        pdf.processMemoryFile("pdf", bytes.data(), bytes.size());
        std::size_t count = 0;
        for (QPDFObjectHandle object : pdf.getAllObjects()) {
            if (++count > objects_max) {
                out_.is_incomplete = true;
                return;
            }
            if (object.isStream()) object = object.getDict();
            if (object.isDictionary()) dictionary(object, 0);
            if (object.isArray()) array(object, 0);
        }
        measure_pages(pdf);
    }

  private:
    /// Width times height of a box; corners come in any order.
    static double area(QPDFObjectHandle box) {
        if (!box.isArray() || box.getArrayNItems() != 4) return 0;
        double side[4] = {};
        for (int i = 0; i < 4; ++i)
            if (!box.getArrayItem(i).getValueAsNumber(side[i])) return 0;
        return std::abs(side[2] - side[0]) * std::abs(side[3] - side[1]);
    }

    /// A file without a proper tree of pages is read all the same.
    void measure_pages(QPDF& pdf) {
        try {
            const std::vector<QPDFObjectHandle>& pages = pdf.getAllPages();
            for (std::size_t i = 0; i < std::min(pages.size(), kPdfPagesMeasured); ++i)
                measure(pages[i]);
        } catch (const std::exception&) {
            return;
        }
    }

    /// How much of its page each link takes: a lure's page is one button.
    void measure(QPDFObjectHandle page) {
        const double whole = area(page.getKey("/MediaBox"));
        QPDFObjectHandle notes = page.getKey("/Annots");
        if (whole <= 0 || !notes.isArray()) return;
        for (int i = 0; i < std::min(notes.getArrayNItems(), kItemsMax); ++i) {
            QPDFObjectHandle note = notes.getArrayItem(i);
            if (!note.isDictionary()) continue;
            QPDFObjectHandle act = note.getKey("/A");
            if (!act.isDictionary() || !act.getKey("/URI").isString()) continue;
            const double share = std::min(area(note.getKey("/Rect")) / whole, 1.0);
            if (share <= out_.widest_share) continue;
            out_.widest_share = share;
            out_.widest_link = act.getKey("/URI").getUTF8Value();
        }
    }

    void dictionary(QPDFObjectHandle object, int depth) {
        if (depth > kDepthMax) return;
        action(object);
        for (const std::string& key : object.getKeys()) {
            QPDFObjectHandle value = object.getKey(key);
            // Indirect objects are met by themselves.
            if (value.isIndirect()) continue;
            if (value.isDictionary()) dictionary(value, depth + 1);
            if (value.isArray()) array(value, depth + 1);
        }
    }

    void array(QPDFObjectHandle list, int depth) {
        for (int i = 0; i < std::min(list.getArrayNItems(), kItemsMax); ++i) {
            QPDFObjectHandle item = list.getArrayItem(i);
            if (item.isDictionary() && !item.isIndirect()) dictionary(item, depth);
        }
    }

    void link(QPDFObjectHandle target, bool sends) {
        if (target.isString() && out_.links.size() < kFoundMax)
            out_.links.push_back({target.getUTF8Value(), sends});
    }

    /// Done when the file is opened, unasked: it sends, or fetches from elsewhere.
    void opening(QPDFObjectHandle object) {
        QPDFObjectHandle first = object.getKey("/OpenAction");
        if (!first.isDictionary()) return;
        QPDFObjectHandle kind = first.getKey("/S");
        const std::string name = kind.isName() ? kind.getName() : std::string();
        if (name == "/URI" || name == "/SubmitForm" || name == "/ImportData" || name == "/GoToE")
            out_.has_launch = true;
    }

    /// "\\\\host\\file": the reader's machine signs in there.
    static bool is_far(const std::string& target) {
        return target.compare(0, 2, "\\\\") == 0 || target.compare(0, 2, "//") == 0;
    }

    void action(QPDFObjectHandle object) {
        opening(object);
        QPDFObjectHandle kind = object.getKey("/S");
        const std::string name = kind.isName() ? kind.getName() : std::string();
        if (name == "/URI") link(object.getKey("/URI"), false);
        if (name == "/JavaScript" || object.hasKey("/JS")) out_.has_javascript = true;
        if (name == "/Launch") out_.has_launch = true;
        if (name == "/SubmitForm" || name == "/GoToR" || name == "/GoToE") {
            QPDFObjectHandle file = object.getKey("/F");
            QPDFObjectHandle target = file.isDictionary() ? file.getKey("/F") : file;
            link(target, true);
            if (target.isString() && is_far(target.getUTF8Value())) out_.has_launch = true;
        }
        QPDFObjectHandle type = object.getKey("/Type");
        if (type.isName() && type.getName() == "/Filespec" && object.hasKey("/EF"))
            embedded(object);
    }

    void embedded(QPDFObjectHandle spec) {
        std::string name = "file";
        for (const char* key : {"/F", "/UF"})
            if (QPDFObjectHandle given = spec.getKey(key); given.isString())
                name = given.getUTF8Value();
        // Electronic invoices (Factur-X, ZUGFeRD) carry their data as XML.
        if (is_xml(name) || out_.files.size() >= kFoundMax) return;
        out_.files.push_back({name, {}});
        QPDFObjectHandle files = spec.getKey("/EF");
        if (!files.isDictionary()) return;
        QPDFObjectHandle stream = files.getKey("/F");
        if (!stream.isStream()) return;
        const auto data = stream.getStreamData(qpdf_dl_all);
        out_.files.back().bytes.assign(reinterpret_cast<const char*>(data->getBuffer()),
                                       std::min(data->getSize(), file_bytes_max_));
    }

    PdfActions& out_;
    std::size_t file_bytes_max_;
};

}  // namespace

PdfActions read_pdf_actions(std::string_view bytes, std::size_t objects_max,
                            std::size_t file_bytes_max) {
    PdfActions out;
    try {
        Reader(out, file_bytes_max).run(bytes, objects_max);
    } catch (const std::exception&) {
        out.is_broken = true;
    }
    return out;
}

}  // namespace hygie::mail
