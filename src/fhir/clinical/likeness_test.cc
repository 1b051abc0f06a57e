#include "fhir/clinical/likeness.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace hygie::fhir {
namespace {

using Grade = Likeness::Grade;

class Alike : public testing::Test {
  protected:
    Json person(const std::string& family, const std::string& given, const std::string& birth,
                const std::string& sex = "female", const std::string& more = "") {
        auto document = parse(R"({"resourceType":"Patient","name":[{"family":")" + family +
                              R"(","given":[")" + given + R"("]}],"birthDate":")" + birth +
                              R"(","gender":")" + sex + R"(")" + more + "}");
        EXPECT_TRUE(document);
        kept_.push_back(std::move(*document));
        return kept_.back().root;
    }
    static Grade grade(Json one, Json other) {
        EXPECT_EQ(likeness(one, other).grade, likeness(other, one).grade) << "either way round";
        return likeness(one, other).grade;
    }

  private:
    std::deque<Document> kept_;
};

std::string ins(const std::string& value) {
    return R"(,"identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.10","value":")" + value +
           R"("}])";
}

TEST_F(Alike, NameAndBirthAgreeButForASlip) {
    const Json anne = person("Lefèvre", "Anne-Marie", "1980-05-11");
    EXPECT_EQ(grade(anne, person("LEFEVRE", "anne marie", "1980-05-11")), Grade::Probable);
    EXPECT_EQ(grade(anne, person("Lefebvre", "Anne-Marie", "1980-05-11")), Grade::Probable);
    EXPECT_EQ(grade(anne, person("Lefevre", "Anne", "1980-05-11")), Grade::Probable);
    EXPECT_EQ(grade(anne, person("Lefevre", "Anne-Marie", "1980-11-05")), Grade::Probable)
        << "day and month changed places";
    EXPECT_EQ(grade(anne, person("Lefevre", "Anne-Marie", "1990-05-11")), Grade::Probable)
        << "one digit";
    EXPECT_EQ(grade(anne, person("Durand", "Anne-Marie", "1980-05-11")), Grade::Possible)
        << "she married";
}

TEST_F(Alike, OthersAreNotTakenForOne) {
    const Json jean = person("Martin", "Jean", "1950-01-02", "male");
    EXPECT_EQ(grade(jean, person("Martin", "Paul", "1950-01-02", "male")), Grade::Possible)
        << "a twin";
    EXPECT_EQ(grade(jean, person("Martin", "Jean", "1971-10-30", "male")), Grade::CertainlyNot)
        << "a homonym";
    EXPECT_EQ(grade(jean, person("Martin", "Jeanne", "1952-07-02")), Grade::CertainlyNot);
    EXPECT_EQ(grade(jean, person("Petit", "Luc", "1950-01-02", "male")), Grade::CertainlyNot);
    EXPECT_EQ(grade(person("", "", ""), person("", "", "")), Grade::CertainlyNot)
        << "nothing is no likeness";
}

TEST_F(Alike, AnInsNumberIsCertainUnlessAllElseSpeaksAgainstIt) {
    const std::string mine = ins("213022299082985");
    const std::string other = ins("130010199094033");
    const auto with = [&](const std::string& number) {
        return person("Durand", "Anne", "2013-02-11", "male", number);
    };
    EXPECT_EQ(grade(with(mine), with(mine)), Grade::Certain);
    EXPECT_EQ(likeness(with(mine), with(mine)).permille, 1000);
    EXPECT_EQ(grade(with(mine), person("Petit", "Luc", "1950-01-02", "male", mine)),
              Grade::Possible)
        << "two people have one number: somebody is to look";
    EXPECT_EQ(grade(with(mine), with(other)), Grade::Possible) << "two numbers are two people";
    EXPECT_EQ(grade(with(mine), with("")), Grade::Probable);
    EXPECT_LT(likeness(with(mine), with("")).permille, 1000);
}

}  // namespace
}  // namespace hygie::fhir
