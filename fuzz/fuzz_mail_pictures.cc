#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "guards/mail/attachments/read_files.h"
#include "guards/mail/attachments/recognise.h"
#include "guards/mail/message/test_file.h"

using namespace hygie;

/// The first byte picks a name, the rest is a picture or a PDF whose letters are read. The answer
/// reads again, whatever the bytes; question and answer are hostile too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<std::string_view, 3> kNames = {"a.png", "a.jpg", "a.pdf"};
    if (size < 1) return 0;
    HYGIE_CHECK(mail::load_recogniser(), "language data is installed");
    mail::answer_recognition({data, size});
    const mail::Message message = mail::with_file(std::string(kNames[data[0] % kNames.size()]),
                                                  std::string(as_text({data + 1, size - 1})));
    const Bytes question = mail::recognition_question(message, {});
    if (question.empty()) return 0;
    const mail::AttachmentFacts facts = mail::facts_of_answer(mail::answer_recognition(question));
    HYGIE_CHECK(!facts.crashed, "an answer that does not read");
    HYGIE_CHECK(facts.links.size() == facts.link_where.size(), "a link without its place");
    HYGIE_CHECK(is_utf8(facts.text), "text that is not UTF-8");
    return 0;
}
