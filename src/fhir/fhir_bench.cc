#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/check.h"
#include "fhir/data/json.h"
#include "fhir/path/fhirpath.h"
#include "fhir/search/search_extract.h"
#include "fhir/validate/validate.h"

/// Set HYGIE_BENCH_BUNDLES to a folder of Bundles (one patient of Synthea each) to measure on real
/// records; without it a small record of our own is taken.
namespace hygie::fhir {
namespace {

constexpr std::string_view kRecord = R"({"resourceType":"Bundle","type":"collection","entry":[
{"fullUrl":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
 "resource":{"resourceType":"Patient",
 "id":"a","name":[{"use":"official","family":"Martin","given":["Anne"]}],"gender":"female",
 "birthDate":"1974-12-25","address":[{"line":["1 rue de la Paix"],"city":"Lyon",
 "postalCode":"69001","country":"FR"}],"telecom":[{"system":"phone","value":"01","use":"home"}]}},
{"fullUrl":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c9",
 "resource":{"resourceType":"Observation",
 "id":"b","status":"final","category":[{"coding":[{"code":"vital-signs",
 "system":"http://terminology.hl7.org/CodeSystem/observation-category"}]}],
 "code":{"coding":[{"system":"http://loinc.org","code":"8302-2"}]},
 "subject":{"reference":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
 "effectiveDateTime":"2019-02-07T13:28:17+01:00","issued":"2019-02-07T13:28:17.119+01:00",
 "valueQuantity":{"value":171.43,"unit":"cm","system":"http://unitsofmeasure.org",
 "code":"cm"}}}]})";

/// The texts of the bundles to measure on, read once.
const std::vector<std::string>& bundles() {
    static const std::vector<std::string> kTexts = [] {
        std::vector<std::string> texts;
        const char* folder = std::getenv("HYGIE_BENCH_BUNDLES");
        if (folder == nullptr) return std::vector{std::string(kRecord)};
        constexpr std::size_t kBundlesMax = 40;
        for (const auto& file : std::filesystem::directory_iterator(folder)) {
            std::ifstream in(file.path(), std::ios::binary);
            if (texts.size() < kBundlesMax)
                texts.emplace_back(std::istreambuf_iterator<char>(in),
                                   std::istreambuf_iterator<char>());
        }
        return texts;
    }();
    return kTexts;
}

const std::vector<Document>& documents() {
    static const std::vector<Document> kParsed = [] {
        std::vector<Document> parsed;
        for (const std::string& text : bundles()) {
            auto document = parse(text);
            HYGIE_CHECK(document, "a bundle to measure on is no JSON");
            parsed.push_back(std::move(*document));
        }
        return parsed;
    }();
    return kParsed;
}

std::int64_t count_resources() {
    std::int64_t count = 0;
    for (const Document& document : documents())
        count += static_cast<std::int64_t>(document.root["entry"].size());
    return count;
}

void bench_parse(benchmark::State& state) {
    for (auto _ : state)
        for (const std::string& text : bundles()) benchmark::DoNotOptimize(parse(text));
    state.SetItemsProcessed(state.iterations() * count_resources());
}
BENCHMARK(bench_parse)->Unit(benchmark::kMillisecond);

/// Resources one by one, as an import validates them: rules and codes on.
void bench_validate(benchmark::State& state) {
    for (auto _ : state)
        for (const Document& document : documents())
            for (const Json entry : document.root["entry"].items())
                benchmark::DoNotOptimize(validate(entry["resource"]));
    state.SetItemsProcessed(state.iterations() * count_resources());
}
BENCHMARK(bench_validate)->Unit(benchmark::kMillisecond);

void bench_extract(benchmark::State& state) {
    for (auto _ : state)
        for (const Document& document : documents())
            for (const Json entry : document.root["entry"].items())
                benchmark::DoNotOptimize(extract(entry["resource"]));
    state.SetItemsProcessed(state.iterations() * count_resources());
}
BENCHMARK(bench_extract)->Unit(benchmark::kMillisecond);

void bench_fhirpath(benchmark::State& state) {
    const auto expression = PathExpression::compile(
        "entry.resource.where(code.coding.exists(system = 'http://loinc.org')).count()");
    HYGIE_CHECK(expression, "the expression of a benchmark");
    PathContext context;
    context.resource = context.root = context.context = resource_item(documents().front().root);
    for (auto _ : state) {
        Arena arena;
        benchmark::DoNotOptimize(expression->evaluate(context, arena));
    }
}
BENCHMARK(bench_fhirpath);

}  // namespace
}  // namespace hygie::fhir
