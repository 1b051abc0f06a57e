#include "base/bytes.h"
#include "base/check.h"
#include "guards/mail/judge/judge.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/message/limits.h"

using namespace hygie;

/// Whatever arrives is read and judged: what is shown is UTF-8, the reasons are few and speak both
/// languages, and the same bytes give the same verdict.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const mail::History nobody;
    const Result<mail::Message> message = mail::parse_message(as_text({data, size}));
    if (!message) {
        HYGIE_CHECK(size == 0, "a message of ordinary size was refused");
        return 0;
    }
    HYGIE_CHECK(is_utf8(message->text) && is_utf8(message->subject), "text that is not UTF-8");
    mail::Reading reading;
    // The sandbox is left out: fuzz_mail_files goes through its work in this process.
    reading.evidence = mail::extract_evidence(*message, {}, nobody, {});
    reading.signals = mail::draw_signals(*message, reading.evidence, nobody);
    const mail::Judgement verdict = mail::judge(*message, reading, {});
    HYGIE_CHECK(verdict.reasons.size() <= mail::kReasonsMax, "too many reasons");
    HYGIE_CHECK(verdict.score >= 0 && verdict.score <= 1, "a score that is no probability");
    for (const mail::Reason& reason : verdict.reasons)
        HYGIE_CHECK(!reason.text.fr.empty() && !reason.text.en.empty(), "a reason without words");
    HYGIE_CHECK(
        mail::to_json("-", verdict) == mail::to_json("-", mail::judge(*message, reading, {})),
        "the same message, another verdict");
    return 0;
}
