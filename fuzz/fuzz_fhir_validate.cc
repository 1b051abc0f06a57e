#include "base/bytes.h"
#include "base/check.h"
#include "fhir/clinical/clinical.h"
#include "fhir/data/json.h"
#include "fhir/validate/validate.h"

using namespace hygie;

namespace {

std::string spelled(const fhir::Outcome& outcome) {
    std::string out;
    for (const fhir::Issue& issue : outcome.issues) out += issue.where + issue.text.en + '\n';
    return out;
}

}  // namespace

/// A verdict depends on the value alone, not on how it was spelled; whatever was accepted can be
/// judged beside a record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = fhir::parse(as_text({data, size}));
    if (!read) return 0;
    const fhir::ValidateOptions options{.warnings = true, .issues_max = 20};
    const auto outcome = fhir::validate(read->root, options);
    const auto again = fhir::parse(fhir::to_text(read->root));
    HYGIE_CHECK(again, "a value that cannot be read again");
    HYGIE_CHECK(spelled(outcome) == spelled(fhir::validate(again->root, options)),
                "a verdict that depends on spelling");
    const fhir::Json record[] = {again->root};
    fhir::contradictions(read->root, record);
    fhir::incoherences(read->root, again->root, {});
    fhir::gaps(read->root, fhir::Practice::Establishment);
    return 0;
}
