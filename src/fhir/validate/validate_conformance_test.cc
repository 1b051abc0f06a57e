#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include "fhir/validate/validate.h"

/// What others say of resources: an independent validator, HL7's own examples, Synthea.
namespace hygie::fhir {
namespace {

namespace fs = std::filesystem;

fs::path records() {
    const char* given = std::getenv("HYGIE_DATA");
    const char* source = std::getenv("HYGIE_SOURCE");
    const fs::path data = given != nullptr
                              ? fs::path(given)
                              : fs::path(source == nullptr ? "." : source) / "../shared/data";
    return data / "records";
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The first errors of a text, empty when it is a valid resource.
std::string errors_of(std::string_view text) {
    const auto document = parse(text);
    if (!document) return "no JSON";
    std::string out;
    for (const Issue& issue : validate(document->root).issues)
        out += issue.where + ": " + issue.text.en + "\n";
    return out;
}

std::string column(std::istringstream& line) {
    std::string field;
    std::getline(line, field, ',');
    return field;
}

TEST(ValidateConformance, AgreesWithAnIndependentValidator) {
    const auto folder = records() / "conformance/validator";
    if (!fs::exists(folder)) GTEST_SKIP() << "no validator cases here; set HYGIE_DATA to read them";
    std::istringstream lines(read_file(folder / "index.csv"));
    std::string line;
    std::getline(lines, line);
    int cases = 0;
    int agreed = 0;
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        const auto file = column(fields);
        const bool valid = column(fields) == "yes";
        column(fields);
        column(fields);
        column(fields);
        // What only the content of foreign code systems or unknown extensions decides is left out.
        if (!valid && !column(fields).contains("core")) continue;
        const auto errors = errors_of(read_file(folder / "cases" / file));
        ++cases;
        agreed += errors.empty() == valid ? 1 : 0;
        EXPECT_TRUE(!valid || errors.empty()) << file << "\n" << errors;
    }
    EXPECT_EQ(cases, 56);
    EXPECT_GE(agreed, 54);
}

/// Calls `use(name, text)` for the files of an archive (POSIX ustar, zstd).
template <typename Use>
void each_in_archive(const fs::path& path, Use&& use) {
    const std::string packed = read_file(path);
    constexpr int kWindowLog = 27;
    constexpr std::size_t kBlock = 512;
    ZSTD_DCtx* const context = ZSTD_createDCtx();
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kWindowLog);
    std::string tar;
    std::string chunk(ZSTD_DStreamOutSize(), '\0');
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    while (in.pos < in.size) {
        ZSTD_outBuffer out{chunk.data(), chunk.size(), 0};
        ASSERT_FALSE(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
        tar.append(chunk, 0, out.pos);
    }
    ZSTD_freeDCtx(context);
    for (std::size_t at = 0; at + kBlock <= tar.size() && tar[at] != '\0';) {
        const std::string name(&tar[at]);
        const std::size_t size = std::stoul(tar.substr(at + 124, 12), nullptr, 8);
        use(name, std::string_view(tar).substr(at + kBlock, size));
        at += kBlock + (size + kBlock - 1) / kBlock * kBlock;
    }
}

TEST(ValidateConformance, AcceptsEveryBundleOfSynthea) {
    const auto archive = records() / "synthea.tar.zst";
    if (!fs::exists(archive)) GTEST_SKIP() << "no Synthea here; set HYGIE_DATA to read it";
    int bundles = 0;
    each_in_archive(archive, [&](std::string_view name, std::string_view text) {
        if (!name.ends_with(".json")) return;
        ++bundles;
        EXPECT_EQ(errors_of(text), "") << name;
    });
    EXPECT_EQ(bundles, 162);
}

TEST(ValidateConformance, AcceptsTheAuditExamplesOfIhe) {
    const auto folder = records() / "audit/examples";
    if (!fs::exists(folder)) GTEST_SKIP() << "no audit examples here; set HYGIE_DATA to read them";
    for (const auto& file : fs::directory_iterator(folder))
        EXPECT_EQ(errors_of(read_file(file.path())), "") << file.path().filename();
}

/// Examples of R4 that break rules of R4, with the first place where they do.
const std::map<std::string_view, std::string_view> kBroken = {
    {"ActivityDefinition-blood-tubes-supply", "ActivityDefinition.text.div: "},
    {"ActivityDefinition-heart-valve-replacement", "ActivityDefinition.text.div: "},
    {"Bundle-dataelements", "Bundle.entry[6769]: "},
    {"DeviceMetric-example", "DeviceMetric.parent: "},
    {"DeviceUseStatement-example", "DeviceUseStatement.reasonReference[0]: "},
    {"EventDefinition-example", "EventDefinition.text.div: "},
    {"ImplementationGuide-fhir", "ImplementationGuide.name: "},
    {"ig-r4", "ImplementationGuide.name: "},
    {"MedicationRequest-medrx0301", "MedicationRequest.dispenseRequest.performer: "},
    {"Observation-clinical-gender", "Observation.performer[0]: "},
    {"Questionnaire-qs1", "Questionnaire.item[0].item[0].linkId: "},
    {"Questionnaire-zika-virus-exposure-assessment", "Questionnaire.text.div: "},
    {"SearchParameter-codesystem-extensions-CodeSystem-author", "SearchParameter.base: "},
    {"SearchParameter-codesystem-extensions-CodeSystem-effective", "SearchParameter.base: "},
    {"SearchParameter-codesystem-extensions-CodeSystem-end", "SearchParameter.base: "},
    {"SearchParameter-codesystem-extensions-CodeSystem-keyword", "SearchParameter.base: "},
    {"SearchParameter-codesystem-extensions-CodeSystem-workflow", "SearchParameter.base: "},
    {"SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject",
     "SearchParameter.id: "},
    {"SearchParameter-valueset-extensions-ValueSet-author", "SearchParameter.base: "},
    {"SearchParameter-valueset-extensions-ValueSet-effective", "SearchParameter.base: "},
    {"SearchParameter-valueset-extensions-ValueSet-end", "SearchParameter.base: "},
    {"SearchParameter-valueset-extensions-ValueSet-keyword", "SearchParameter.base: "},
    {"SearchParameter-valueset-extensions-ValueSet-workflow", "SearchParameter.base: "},
    {"StructureDefinition-Definition", "StructureDefinition: Rule sdf-4"},
    {"StructureDefinition-Event", "StructureDefinition: Rule sdf-4"},
    {"StructureDefinition-FiveWs", "StructureDefinition: Rule sdf-4"},
    {"StructureDefinition-Request", "StructureDefinition: Rule sdf-4"},
};

TEST(ValidateConformance, RefusesNoOfficialExampleThatKeepsTheRules) {
    const char* given = std::getenv("HYGIE_FHIR_EXAMPLES");
    if (given == nullptr)
        GTEST_SKIP() << "set HYGIE_FHIR_EXAMPLES to the unpacked hl7.fhir.r4.examples 4.0.1";
    int examples = 0;
    for (const auto& file : fs::directory_iterator(given)) {
        const std::string name = file.path().stem();
        if (file.path().extension() != ".json" || name == "package") continue;
        ++examples;
        const auto errors = errors_of(read_file(file.path()));
        const auto broken = kBroken.find(name);
        const bool as_known =
            broken == kBroken.end() ? errors.empty() : errors.starts_with(broken->second);
        EXPECT_TRUE(as_known) << name << "\n" << errors;
    }
    EXPECT_GT(examples, 5'000);
}

}  // namespace
}  // namespace hygie::fhir
