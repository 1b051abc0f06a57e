#include "guards/mail/attachments/recognise.h"

#include <tesseract/capi.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/mime_walk.h"

/// OpenMP: without levels of parallel work there are no threads, which the sandbox refuses.
extern "C" void omp_set_max_active_levels(int levels);

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

/// A message that says more than this in letters has no need of a picture to say it.
constexpr std::size_t kSaidInLettersBytes = 800;
/// A document that says more than this in letters is read as it is.
constexpr std::size_t kDocumentSaysBytes = 60;
/// A smaller picture is an icon, a logo, a line.
constexpr int kPictureWidthMin = 240;
constexpr int kPictureHeightMin = 100;
constexpr int kDotsPerInch = 100;
constexpr std::size_t kWordLettersMin = 3;
constexpr int kConfidenceMin = 35;

/// The letters of English are among those of French; to try both costs twice the time of a line and
/// reads no more.
constexpr const char* kLanguage = "fra";

using Engine = std::unique_ptr<TessBaseAPI, void (*)(TessBaseAPI*)>;

/// Null where the language data is not installed.
TessBaseAPI* engine() {
    static const Engine loaded = [] {
        Engine made(TessBaseAPICreate(), TessBaseAPIDelete);
        const char* names[] = {"tessedit_do_invert", "debug_file"};
        const char* values[] = {"0", "/dev/null"};
        const bool failed =
            !made ||
            TessBaseAPIInit4(made.get(), nullptr, kLanguage, tesseract::OEM_LSTM_ONLY, nullptr, 0,
                             const_cast<char**>(names), const_cast<char**>(values), 2, 0) != 0;
        if (failed) made.reset();
        return made;
    }();
    return loaded.get();
}

/// Time of the processor: a busy machine reads as much as a quiet one.
struct Budget {
    explicit Budget(std::chrono::milliseconds most)
        : ends(std::clock() + static_cast<std::clock_t>(most.count()) * CLOCKS_PER_SEC / 1'000) {}
    bool is_spent() const { return std::clock() >= ends; }

    std::clock_t ends;
};

bool stop_when_spent(void* budget, int /*words*/) {
    return static_cast<const Budget*>(budget)->is_spent();
}

/// Smaller by a whole factor, each pixel the mean of those it stands for.
Grey at_most(Grey picture, std::size_t pixels) {
    int factor = 1;
    while (picture.pixels.size() / static_cast<std::size_t>(factor * factor) > pixels) ++factor;
    if (factor == 1) return picture;
    Grey out;
    out.width = picture.width / factor;
    out.height = picture.height / factor;
    out.pixels.reserve(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height));
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) {
            unsigned sum = 0;
            for (int dy = 0; dy < factor; ++dy)
                for (int dx = 0; dx < factor; ++dx)
                    sum += picture.pixels[static_cast<std::size_t>(y * factor + dy) *
                                              static_cast<std::size_t>(picture.width) +
                                          static_cast<std::size_t>(x * factor + dx)];
            out.pixels.push_back(
                static_cast<std::uint8_t>(sum / static_cast<unsigned>(factor * factor)));
        }
    return out;
}

/// Words that the engine is sure of; specks that it took for letters are none.
std::string sure_words(TessResultIterator* found) {
    std::string out;
    if (!found) return out;
    TessPageIterator* page = TessResultIteratorGetPageIterator(found);
    do {
        const std::unique_ptr<char, void (*)(const char*)> word(
            TessResultIteratorGetUTF8Text(found, tesseract::RIL_WORD), TessDeleteText);
        if (word && TessResultIteratorConfidence(found, tesseract::RIL_WORD) >= kConfidenceMin) {
            out += clean_utf8(trim(word.get()));
            out +=
                TessPageIteratorIsAtFinalElement(page, tesseract::RIL_TEXTLINE, tesseract::RIL_WORD)
                    ? '\n'
                    : ' ';
        }
    } while (TessPageIteratorNext(page, tesseract::RIL_WORD));
    return out;
}

std::string letters_of(const Grey& picture, Budget& budget) {
    TessBaseAPI* reader = engine();
    if (!reader || budget.is_spent()) return {};
    TessBaseAPISetPageSegMode(reader, tesseract::PSM_SPARSE_TEXT);
    TessBaseAPISetImage(reader, picture.pixels.data(), picture.width, picture.height, 1,
                        picture.width);
    TessBaseAPISetSourceResolution(reader, kDotsPerInch);
    const std::unique_ptr<ETEXT_DESC, void (*)(ETEXT_DESC*)> monitor(TessMonitorCreate(),
                                                                     TessMonitorDelete);
    TessMonitorSetCancelFunc(monitor.get(), stop_when_spent);
    TessMonitorSetCancelThis(monitor.get(), &budget);
    // Stopped or not: the lines read until then are kept, those after it are empty.
    TessBaseAPIRecognize(reader, monitor.get());
    const std::unique_ptr<TessResultIterator, void (*)(TessResultIterator*)> found(
        TessBaseAPIGetIterator(reader), TessResultIteratorDelete);
    std::string out = sure_words(found.get());
    TessBaseAPIClear(reader);
    return out;
}

bool is_worth_reading(const Grey& picture) {
    return picture.width >= kPictureWidthMin && picture.height >= kPictureHeightMin;
}

bool says_something(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
               return std::isalpha(static_cast<unsigned char>(c));
           })) >= kWordLettersMin;
}

}  // namespace

bool load_recogniser() {
    return engine() != nullptr;
}

Bytes recognition_question(const Message& message, const AttachmentFacts& facts) {
    Json files = Json::array();
    const bool few_words = message.text.size() <= kSaidInLettersBytes;
    for (const Attachment& file : message.attachments) {
        const std::string_view type = sniff(file.bytes);
        const bool picture = is_picture_type(type) && few_words;
        const bool document = type == "pdf" && facts.text.size() <= kDocumentSaysBytes;
        if (!picture && !document) continue;
        files.push_back({{"name", file.name.empty() ? "file" : clean_utf8(file.name)},
                         {"bytes", Json::binary(to_bytes(as_bytes(file.bytes)))}});
        if (files.size() >= kPicturesRecognisedMax) break;
    }
    return files.empty() ? Bytes{} : Json::to_cbor({{"files", files}});
}

Bytes answer_recognition(ByteView question, std::chrono::milliseconds most) {
    omp_set_max_active_levels(0);
    Budget budget(most);
    FileScan scan({}, false);
    std::size_t read = 0;
    for (const NamedBytes& file : files_of_question(question)) {
        const std::string_view type = sniff(file.bytes);
        const bool is_page = type == "pdf";
        const auto read_one = [&](Grey picture) {
            if (is_worth_reading(picture)) {
                ++read;
                const std::string text =
                    letters_of(at_most(std::move(picture), kRecognisedPixelsMax), budget);
                if (says_something(text)) scan.pictured(file.name, text, !is_page);
            }
            return read < kPicturesRecognisedMax && !budget.is_spent();
        };
        if (is_page)
            draw_wordless_pages(file.bytes, read_one);
        else
            read_one(decode_picture(type, file.bytes));
        if (read >= kPicturesRecognisedMax || budget.is_spent()) break;
    }
    return spell_facts(scan.finish());
}

}  // namespace hygie::mail
