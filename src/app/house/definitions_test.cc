#include "app/house/definitions.h"

#include <gtest/gtest.h>

#include "fhir/validate/validate.h"
#include "sim/sim_disk.h"

namespace hygie::app {
namespace {

std::string profile(const std::string& name, const std::string& base, const std::string& path) {
    return R"({"resourceType":"StructureDefinition","derivation":"constraint",)"
           R"("url":"http://x.example/)" +
           name + R"(","type":"Patient","baseDefinition":")" + base +
           R"(","differential":{"element":[{"id":")" + path + R"(","path":")" + path +
           R"(","min":1}]}})";
}

class DefinitionsTest : public testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) {
        ASSERT_TRUE(disk_.make_dirs("package/more"));
        ASSERT_TRUE(disk_.write_file("package/" + name, as_bytes(text)));
    }
    std::size_t issues(const Definitions& definitions, std::string_view patient) {
        const auto document = fhir::parse(patient);
        return fhir::validate(document->root, {.terminology = &definitions.terminology(),
                                               .known = &definitions.profiles()})
            .issues.size();
    }

    sim::SimDisk disk_;
};

constexpr char kPatient[] =
    R"({"resourceType":"Patient","meta":{"profile":["http://x.example/b"]},"gender":"male"})";

TEST_F(DefinitionsTest, AreReadInWhateverOrderTheyStandOnEachOther) {
    const std::string core = "http://hl7.org/fhir/StructureDefinition/Patient";
    write("a.json", profile("b", "http://x.example/a", "Patient.birthDate"));
    write("more/z.json", profile("a", core, "Patient.name"));
    write("package.json", R"({"name":"x"})");
    write("readme.txt", "x");
    write("torn.json", "{");
    const auto read = Definitions::read(disk_, "package");
    ASSERT_TRUE(read) << read.error().what.en;
    EXPECT_EQ((*read)->learnt(), 2u);
    EXPECT_TRUE((*read)->left_out().empty());
    EXPECT_EQ(issues(**read, kPatient), 2u) << "no name, no birth date";
    EXPECT_EQ(issues(**read, R"({"resourceType":"Patient","gender":"male"})"), 0u);
}

TEST_F(DefinitionsTest, AreLeftOutByNameWhenTheyCannotBeChecked) {
    write("a.json", profile("b", "http://x.example/nowhere", "Patient.birthDate"));
    const auto read = Definitions::read(disk_, "package");
    ASSERT_TRUE(read);
    EXPECT_EQ((*read)->learnt(), 0u);
    EXPECT_EQ((*read)->left_out(), (std::vector<std::string>{"http://x.example/b"}));
}

TEST_F(DefinitionsTest, AFolderWithoutAnyIsAMistake) {
    write("package.json", R"({"name":"x"})");
    EXPECT_EQ(Definitions::read(disk_, "package").error().code, Code::BadInput);
    EXPECT_FALSE(Definitions::read(disk_, "absent"));
}

}  // namespace
}  // namespace hygie::app
