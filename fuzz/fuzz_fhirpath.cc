#include "base/bytes.h"
#include "base/check.h"
#include "fhir/path/fhirpath.h"

using namespace hygie;

namespace {

/// A small record with something of every kind.
const fhir::Document& record() {
    static const fhir::Document kRecord = *fhir::parse(
        R"({"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25",
        "_birthDate":{"id":"x"},"multipleBirthInteger":2,"name":[{"family":"Martin",
        "given":["Anne","Zoé"]},{"given":["Nan"]}],"contained":[{"resourceType":"Observation",
        "id":"o","valueQuantity":{"value":1.5,"unit":"mg","code":"mg",
        "system":"http://unitsofmeasure.org"}}],"generalPractitioner":[{"reference":"#o"}]})");
    return kRecord;
}

Result<fhir::PathItems> run(const fhir::PathExpression& expression, fhir::Arena& arena) {
    fhir::PathContext context;
    context.resource = context.root = context.context = fhir::resource_item(record().root);
    context.limits = {.items_max = 2'000, .steps_max = 20'000};
    return expression.evaluate(context, arena);
}

}  // namespace

/// Whatever is an expression ends within its limits, and means the same twice.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto expression = fhir::PathExpression::compile(as_text({data, size}));
    if (!expression) return 0;
    fhir::Arena arena;
    const auto once = run(*expression, arena);
    const auto twice = run(*expression, arena);
    HYGIE_CHECK(once.has_value() == twice.has_value(), "an expression fails now and then");
    HYGIE_CHECK(!once || *once == *twice, "an expression has two results");
    return 0;
}
