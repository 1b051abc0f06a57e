#include "base/bytes.h"
#include "base/check.h"
#include "fhir/data/json.h"

using namespace hygie;

/// Accepted ⇒ written and read again, it is the same value, and its spelling is final.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = fhir::parse(as_text({data, size}));
    if (!read) return 0;
    const std::string text = fhir::to_text(read->root);
    const auto again = fhir::parse(text);
    HYGIE_CHECK(again && again->root == read->root, "a value changed on its way");
    HYGIE_CHECK(fhir::to_text(again->root) == text, "a value has two spellings");
    return 0;
}
