#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "guards/mail/attachments/read_files.h"
#include "guards/mail/message/test_file.h"

using namespace hygie;

/// The first byte picks a name, the rest is the file. What is found is spelled in an answer that
/// reads again, and every link has its place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr auto kNames = std::to_array<std::string_view>(
        {"a.docx", "a.xls",  "a.pdf", "a.html",    "a.svg",       "a.rtf", "a.lnk", "a.one",
         "a.zip",  "a.eml",  "a.png", "a.jpg",     "a.odt",       "a.csv", "a.xml", "a.mht",
         "a.url",  "a.iso",  "a.img", "a.vhdx",    "a.7z",        "a.rar", "a.tar", "a.gz",
         "a.cab",  "a.chm",  "a.msi", "a.js",      "a.hta",       "a.ics", "a.vcf", "a.pub",
         "a.tnef", "a.xlsb", "a.slk", "a.pdf.exe", "a.library-ms"});
    if (size < 1) return 0;
    mail::facts_of_answer({data, size});
    const mail::Message message = mail::with_file(std::string(kNames[data[0] % kNames.size()]),
                                                  std::string(as_text({data + 1, size - 1})));
    const Bytes question = mail::question_of(message, {"sesame"}, true);
    if (question.empty()) return 0;
    const mail::AttachmentFacts facts = mail::facts_of_answer(mail::answer_question(question));
    HYGIE_CHECK(!facts.crashed, "an answer that does not read");
    HYGIE_CHECK(facts.links.size() == facts.link_where.size(), "a link without its place");
    HYGIE_CHECK(is_utf8(facts.text), "text that is not UTF-8");
    return 0;
}
