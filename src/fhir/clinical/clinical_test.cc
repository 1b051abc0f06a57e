#include "fhir/clinical/clinical.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>

using namespace hygie;
using namespace hygie::fhir;
using Kind = Finding::Kind;

namespace {

const WallTime kNow{std::chrono::milliseconds(1'750'000'000'000)};  // 2025-06-15

/// Parsed resources that live as long as the test.
class Clinical : public ::testing::Test {
  protected:
    Json json(const std::string& text) {
        auto document = parse(text);
        EXPECT_TRUE(document) << text;
        kept_.push_back(std::move(*document));
        return kept_.back().root;
    }
    Json vaccine(const std::string& id, const std::string& code, const std::string& date,
                 const std::string& status = "completed") {
        return json(
            R"({"resourceType":"Immunization","id":")" + id + R"(","status":")" + status +
            R"(","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":")" +
            code + R"("}]},"occurrenceDateTime":")" + date + R"("})");
    }
    Json allergy(const std::string& code, const std::string& members = "") {
        return json(R"({"resourceType":"AllergyIntolerance","id":"a","code":)" + code + members +
                    "}");
    }
    Json prescription(const std::string& concept_, const std::string& members = "") {
        return json(R"({"resourceType":"MedicationRequest","id":"m","status":"active",)"
                    R"("medicationCodeableConcept":)" +
                    concept_ + members + "}");
    }
    Json dose(const std::string& quantity) {
        return prescription(
            R"({"text":"x"})",
            R"(,"dosageInstruction":[{"doseAndRate":[{"doseQuantity":)" + quantity + "}]}]");
    }
    static std::set<Kind> kinds(const std::vector<Finding>& findings) {
        std::set<Kind> out;
        for (const Finding& finding : findings) out.insert(finding.kind);
        return out;
    }

  private:
    std::deque<Document> kept_;
};

}  // namespace

TEST_F(Clinical, TheSameVaccineWithinItsInterval) {
    const auto told = [&](const std::string& code, const std::string& one,
                          const std::string& other) {
        const Json record[] = {vaccine("1", code, one)};
        return contradictions(vaccine("2", code, other), record).size();
    };
    EXPECT_EQ(told("140", "2024-10-01", "2024-10-15"), 1U);
    EXPECT_EQ(told("140", "2024-10-15", "2024-10-01"), 1U) << "earlier and later alike";
    EXPECT_EQ(told("140", "2024-10-01", "2024-10-22"), 0U);
    EXPECT_EQ(told("140", "2024-10-01", "2014-10-01"), 0U) << "entered late, ten years before";
    EXPECT_EQ(told("33", "2020-01-01", "2023-01-01"), 1U) << "five years for this one";
    EXPECT_EQ(told("33", "2020-01-01", "2024-12-31"), 0U) << "four days early are tolerated";
    EXPECT_EQ(told("90", "2024-10-01", "2024-10-04"), 0U) << "rabies in a week";
    EXPECT_EQ(told("140", "2024-10", "2024-10-04"), 0U) << "not known to the day";
    const Json record[] = {vaccine("1", "140", "2024-10-01")};
    EXPECT_TRUE(contradictions(vaccine("1", "140", "2024-10-02"), record).empty()) << "itself";
    EXPECT_TRUE(contradictions(vaccine("2", "08", "2024-10-02"), record).empty()) << "another";
    EXPECT_TRUE(contradictions(vaccine("2", "140", "2024-10-02", "not-done"), record).empty());
    const auto found = contradictions(vaccine("2", "140", "2024-10-02"), record);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].with, "Immunization/1");
    EXPECT_EQ(found[0].severity, Issue::Severity::Warning);
    EXPECT_EQ(detected_code(found[0].kind), "DOSEIVL");
}

TEST_F(Clinical, TheSameVaccineWhoeverNamesIt) {
    const auto coded = [&](const std::string& id, const std::string& coding) {
        return json(R"({"resourceType":"Immunization","id":")" + id +
                    R"(","status":"completed","occurrenceDateTime":"2026-01-0)" + id +
                    R"(","vaccineCode":{"coding":[)" + coding + "]}}");
    };
    const auto told = [&](const std::string& one, const std::string& other) {
        const Json record[] = {coded("1", one)};
        return contradictions(coded("2", other), record).size();
    };
    const std::string mmr = R"({"system":"http://hl7.org/fhir/sid/cvx","code":"03"})";
    EXPECT_EQ(told(mmr, R"({"system":"http://www.whocc.no/atc","code":"J07BD52"})"), 1U);
    EXPECT_EQ(told(mmr, R"({"system":"http://www.whocc.no/atc","code":"J07BK01"})"), 0U);
}

TEST_F(Clinical, TheSameDoseOfASeriesTwice) {
    const auto dose = [&](const std::string& id, const std::string& date,
                          const std::string& applied) {
        return json(
            R"({"resourceType":"Immunization","id":")" + id +
            R"(","status":"completed","occurrenceDateTime":")" + date +
            R"(","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140"}]},)"
            R"("protocolApplied":[{)" +
            applied + "}]}");
    };
    const std::string first = R"("doseNumberPositiveInt":1)";
    const auto told = [&](const std::string& date, const std::string& applied) {
        const Json record[] = {dose("1", "2026-01-02", first)};
        return contradictions(dose("2", date, applied), record).size();
    };
    EXPECT_EQ(told("2026-03-02", first), 1U);
    EXPECT_EQ(told("2026-03-02", R"("doseNumberPositiveInt":2)"), 0U);
    EXPECT_EQ(told("2026-03-02", first + R"(,"series":"B")"), 0U) << "another series";
    EXPECT_EQ(told("2026-10-02", first), 0U) << "another season";
    EXPECT_EQ(told("2026-01-05", first), 1U) << "told once, by its interval";
}

TEST_F(Clinical, AFamilyIsKnownByTheNamesItIsSoldUnder) {
    const auto told = [&](const std::string& to, const std::string& drug) {
        const Json record[] = {allergy(R"({"text":")" + to + R"("})")};
        return kinds(contradictions(prescription(R"({"text":")" + drug + R"("})"), record))
            .contains(Kind::Allergy);
    };
    const std::pair<std::string, std::string> met[] = {
        {"Pénicillines", "AUGMENTIN 1 g/125 mg ADULTES, poudre"},
        {"Allergie à l'amoxicilline", "Augmentin® 500 mg"},
        {"Clamoxyl", "Amoxicilline 1 g"},
        {"Céphalosporines", "Orelox 100 mg"},
        {"Sulfamides", "Bactrim forte"},
        {"Sulfamides", "Co-trimoxazole 800 mg"},
        {"Érythromycine", "Josacine 1000"},
        {"Quinolones", "Ciflox 500"},
        {"Cyclines", "Tolexine 100"},
        {"Aspirine", "Bi-Profénid 100 mg LP"},
        {"AINS : ibuprofène", "Voltarène Emulgel"},
        {"Codéine", "Skenan LP 30 mg"},
        {"Lidocaïne", "EMLA 5 %, crème"},
        {"Iomeron", "Xenetix 350"},
        // By the name of the family itself.
        {"Fluoroquinolones", "Lévofloxacine 500"},
        {"Macrolides", "Zithromax"},
        {"Opiacés", "Tramadol 50"},
        {"NSAIDs", "Ibuprofen 400"},
        {"AINS", "Ibuprofène 400 mg"},
        {"Allergie aux AINS.", "Voltarène Emulgel"},
        {"Anti-inflammatoires non stéroïdiens", "Kétoprofène 100 mg"},
        {"Non-steroidal anti-inflammatory drugs", "Naproxen 500"},
        {"Produits de contraste iodés", "Iohexol"},
    };
    for (const auto& [to, drug] : met) EXPECT_TRUE(told(to, drug)) << to << ": " << drug;
    const std::pair<std::string, std::string> unmet[] = {
        {"Pénicillines", "Orelox 100 mg"},
        {"Pénicillines", "Pyostacine 500"},
        {"Sulfamides", "Sulfate de morphine 10 mg"},
        {"Sulfamides", "Clopidogrel (hydrogénosulfate) 75 mg"},
        {"Morphine (sulfate)", "Sulfaméthoxazole"},
        {"Aspirine", "Paracétamol 1 g"},
        {"AINS", "Paracétamol 1 g"},
        {"Bains de mer, ainsi que certains savons", "Ibuprofène 400 mg"},
    };
    for (const auto& [to, drug] : unmet) EXPECT_FALSE(told(to, drug)) << to << ": " << drug;
}

TEST_F(Clinical, APrescriptionAgainstAnAllergy) {
    const auto told = [&](Json one, Json drug) {
        const Json record[] = {one};
        return kinds(contradictions(drug, record)).contains(Kind::Allergy);
    };
    const Json penicillin = allergy(R"({"text":"Allergie à la pénicilline"})");
    EXPECT_TRUE(told(penicillin, prescription(R"({"text":"Penicilline V 1 MUI comprimé"})")));
    EXPECT_TRUE(told(penicillin, prescription(R"({"text":"Amoxicilline 500 mg gélule"})")))
        << "the same family";
    EXPECT_TRUE(told(penicillin, prescription(R"({"coding":[{"system":"http://www.whocc.no/atc",)"
                                              R"("code":"J01CA04"}]})")));
    EXPECT_FALSE(told(penicillin, prescription(R"({"text":"Paracétamol 1 g comprimé"})")));
    const Json group =
        allergy(R"({"coding":[{"system":"http://www.whocc.no/atc","code":"J01C"}]})");
    EXPECT_TRUE(told(group, prescription(R"({"coding":[{"system":"http://www.whocc.no/atc",)"
                                         R"("code":"J01CA04"}]})")));
    const Json coded = allergy(R"({"coding":[{"system":"urn:x","code":"7"}]})");
    EXPECT_TRUE(told(coded, prescription(R"({"coding":[{"system":"urn:x","code":"7"}]})")));
    EXPECT_FALSE(told(coded, prescription(R"({"coding":[{"system":"urn:y","code":"7"}]})")));
    const Json tablets = allergy(R"({"text":"Allergy to codeine tablets"})");
    EXPECT_FALSE(told(tablets, prescription(R"({"text":"Metformin 500 MG Oral Tablet"})")))
        << "what says how is no substance";
    const std::string resolved = R"(,"clinicalStatus":{"coding":[{"code":"resolved"}]})";
    EXPECT_FALSE(told(allergy(R"({"text":"penicilline"})", resolved),
                      prescription(R"({"text":"penicilline"})")));
    EXPECT_FALSE(
        told(penicillin, prescription(R"({"text":"penicilline"})", R"(,"doNotPerform":true)")));
}

TEST_F(Clinical, AnAllergyToWhatIsPrescribedAlready) {
    const std::string amoxicillin =
        R"({"coding":[{"system":"http://www.whocc.no/atc","code":"J01CA04"}]})";
    const Json taken = prescription(amoxicillin);
    const Json over = prescription(amoxicillin, R"(,"x":1)");
    EXPECT_EQ(kinds(contradictions(allergy(amoxicillin), {{taken}})), std::set{Kind::Allergy});
    EXPECT_EQ(contradictions(allergy(amoxicillin), {{taken}}).front().with, "MedicationRequest/m");
    const Json refuted =
        allergy(amoxicillin, R"(,"verificationStatus":{"coding":[{"code":"refuted"}]})");
    EXPECT_TRUE(contradictions(refuted, {{taken}}).empty());
    EXPECT_TRUE(contradictions(allergy(R"({"text":"latex"})"), {{over}}).empty());
}

TEST_F(Clinical, AMedicationElsewhereIsFollowed) {
    const Json penicillin = allergy(R"({"text":"ampicilline"})");
    const Json medication =
        json(R"({"resourceType":"Medication","id":"x",)"
             R"("ingredient":[{"itemCodeableConcept":{"text":"Ampicilline"}}]})");
    const Json request = json(R"({"resourceType":"MedicationRequest","status":"active",)"
                              R"("medicationReference":{"reference":"Medication/x"}})");
    const Json record[] = {penicillin, medication};
    EXPECT_EQ(contradictions(request, record).size(), 1U);
    EXPECT_TRUE(contradictions(request, {record, 1}).empty());
    const Json contained = json(
        R"({"resourceType":"MedicationRequest","status":"active",)"
        R"("medicationReference":{"reference":"#x"},)"
        R"("contained":[{"resourceType":"Medication","id":"x","code":{"text":"Ampicilline"}}]})");
    EXPECT_EQ(contradictions(contained, {record, 1}).size(), 1U);
}

TEST_F(Clinical, ADoseBeyondTheRangeOfItsUnit) {
    const auto told = [&](const std::string& quantity) {
        return kinds(contradictions(dose(quantity), {})).contains(Kind::ImplausibleDose);
    };
    EXPECT_FALSE(
        told(R"({"value":500,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"})"));
    EXPECT_TRUE(
        told(R"({"value":500,"unit":"g","system":"http://unitsofmeasure.org","code":"g"})"));
    EXPECT_FALSE(told(R"({"value":1,"unit":"g","code":"g"})"));
    EXPECT_TRUE(told(R"({"value":2000,"unit":"comprimé"})"));
    EXPECT_FALSE(told(R"({"value":0.5,"unit":"comprimé"})"));
    EXPECT_TRUE(told(R"({"value":0,"unit":"mg"})"));
    EXPECT_TRUE(told(R"({"value":-1,"unit":"widgets"})"));
    EXPECT_FALSE(told(R"({"value":7000,"unit":"widgets"})")) << "an unknown unit is not judged";
    EXPECT_FALSE(told(R"({"value":1})"));
    const Json given = json(R"({"resourceType":"MedicationAdministration","status":"completed",)"
                            R"("dosage":{"dose":{"value":90,"unit":"L"}}})");
    ASSERT_EQ(contradictions(given, {}).size(), 1U);
    EXPECT_EQ(contradictions(given, {}).front().where, "MedicationAdministration.dosage.dose");
}

TEST_F(Clinical, TimesOutOfOrder) {
    const Json patient = json(
        R"({"resourceType":"Patient","birthDate":"1980-05-01","deceasedDateTime":"2020-06-01"})");
    const auto found = [&](const std::string& text) {
        return kinds(incoherences(json(text), patient, kNow));
    };
    using Kinds = std::set<Kind>;
    EXPECT_EQ(
        found(R"({"resourceType":"Observation","status":"final","effectiveDateTime":"2019"})"),
        Kinds());
    EXPECT_EQ(found(R"({"resourceType":"Observation","effectiveDateTime":"1979-12-31"})"),
              Kinds{Kind::BeforeBirth});
    EXPECT_EQ(found(R"({"resourceType":"Observation","effectiveDateTime":"1980"})"), Kinds())
        << "a year that the birth lies in";
    EXPECT_EQ(
        found(R"({"resourceType":"Encounter","period":{"start":"2020-06-05","end":"2020-06-06"}})"),
        Kinds{Kind::AfterDeath});
    EXPECT_EQ(
        found(
            R"({"resourceType":"Condition","onsetDateTime":"2010","abatementDateTime":"2009-03"})"),
        Kinds{Kind::TimesOutOfOrder});
    EXPECT_EQ(
        found(
            R"({"resourceType":"Condition","onsetDateTime":"2010","abatementDateTime":"2010-03"})"),
        Kinds());
    EXPECT_EQ(kinds(incoherences(json(R"({"resourceType":"Immunization","status":"completed",)"
                                      R"("occurrenceDateTime":"2031-01-01"})"),
                                 {}, kNow)),
              Kinds{Kind::InFuture});
    EXPECT_EQ(found(R"({"resourceType":"Immunization","occurrenceDateTime":"2019-05-02",)"
                    R"("expirationDate":"2019-04-28"})"),
              Kinds{Kind::Expired});
    const Json appointment = json(R"({"resourceType":"Appointment","start":"2019-05-02T10:00:00Z",)"
                                  R"("end":"2019-05-02T09:00:00Z"})");
    ASSERT_EQ(incoherences(appointment, {}, kNow).size(), 1U);
    EXPECT_EQ(incoherences(appointment, {}, kNow).front().severity, Issue::Severity::Error);
    const Json unborn = json(R"({"resourceType":"Patient","birthDate":"2030-01-01"})");
    EXPECT_EQ(kinds(incoherences(unborn, {}, kNow)), Kinds{Kind::InFuture});
    const Json undead = json(
        R"({"resourceType":"Patient","birthDate":"1980-05-01","deceasedDateTime":"1979-06-01"})");
    EXPECT_EQ(kinds(incoherences(undead, {}, kNow)), Kinds{Kind::TimesOutOfOrder});
}

TEST_F(Clinical, WhatARecordMustHold) {
    const auto errors = [&](const std::string& text, Practice practice) {
        const auto found = gaps(json(text), practice);
        return std::ranges::count(found, Issue::Severity::Error, &Finding::severity);
    };
    const std::string patient =
        R"({"resourceType":"Patient","name":[{"family":"A"}],"gender":"male")";
    EXPECT_EQ(errors(patient + R"(,"birthDate":"1980"})", Practice::Office), 0);
    EXPECT_EQ(errors(patient + "}", Practice::Office), 1);
    EXPECT_EQ(errors(patient + R"(,"birthDate":"1980"})", Practice::Establishment), 1)
        << "an identifier";
    EXPECT_EQ(errors(R"({"resourceType":"Patient","name":[{"use":"usual"}],"gender":"male",)"
                     R"("birthDate":"1980"})",
                     Practice::Office),
              1)
        << "a name that names nobody";
    const std::string observation =
        R"({"resourceType":"Observation","status":"final","subject":{},"effectiveDateTime":"2020")";
    EXPECT_EQ(errors(observation + "}", Practice::Office), 1) << "a value";
    EXPECT_EQ(errors(observation + R"(,"valueString":"x"})", Practice::Office), 0);
    EXPECT_EQ(errors(observation + R"(,"valueString":"x"})", Practice::Establishment), 1);
    EXPECT_EQ(errors(R"({"resourceType":"Observation","status":"entered-in-error"})",
                     Practice::Establishment),
              0);
    // An unknown birth date that says why is one that was asked for.
    EXPECT_EQ(errors(patient + R"(,"_birthDate":{"extension":[{}]}})", Practice::Office), 0);
}

TEST_F(Clinical, FindingsSayNothingOfThePerson) {
    const Json record[] = {allergy(R"({"text":"Dupontine"})"),
                           vaccine("dupont", "140", "2024-10-01")};
    for (const Finding& finding :
         contradictions(prescription(R"({"text":"Dupontine forte"})"), record))
        EXPECT_FALSE((finding.text.fr + finding.text.en + finding.where).contains("upont"));
}

TEST_F(Clinical, AValueThatNoBodyHas) {
    const auto observation = [&](const std::string& code, const std::string& quantity) {
        return json(R"({"resourceType":"Observation","status":"final","code":{"coding":[{"system":)"
                    R"("http://loinc.org","code":")" +
                    code + R"("}]},"valueQuantity":)" + quantity + "}");
    };
    const auto told = [&](const std::string& code, const std::string& value,
                          const std::string& unit) {
        const Json one = observation(code, R"({"value":)" + value +
                                               R"(,"system":"http://unitsofmeasure.org","code":")" +
                                               unit + R"("})");
        const bool warns = kinds(contradictions(one, {})).contains(Kind::ImplausibleValue);
        const auto errors = impossible_values(one);
        EXPECT_TRUE(errors.empty() || errors.front().severity == Issue::Severity::Error);
        EXPECT_FALSE(warns && !errors.empty()) << "said once";
        return errors.empty() ? (warns ? "implausible" : "") : "impossible";
    };
    EXPECT_STREQ(told("29463-7", "72.5", "kg"), "");
    EXPECT_STREQ(told("29463-7", "950", "g"), "") << "a premature child, in grams";
    EXPECT_STREQ(told("29463-7", "450", "kg"), "implausible");
    EXPECT_STREQ(told("29463-7", "725", "kg"), "impossible");
    EXPECT_STREQ(told("29463-7", "-3", "kg"), "impossible");
    EXPECT_STREQ(told("29463-7", "72", "cm"), "impossible") << "a weight in centimetres";
    EXPECT_STREQ(told("29463-7", "160", "[lb_av]"), "");
    EXPECT_STREQ(told("8302-2", "1.75", "m"), "");
    EXPECT_STREQ(told("8302-2", "1750", "cm"), "impossible");
    EXPECT_STREQ(told("8310-5", "36.7", "Cel"), "");
    EXPECT_STREQ(told("8310-5", "98.1", "[degF]"), "");
    EXPECT_STREQ(told("8310-5", "44", "Cel"), "implausible");
    EXPECT_STREQ(told("8310-5", "367", "Cel"), "impossible");
    EXPECT_STREQ(told("8310-5", "98.1", "Cel"), "impossible") << "Fahrenheit, called Celsius";
    EXPECT_STREQ(told("8867-4", "0", "/min"), "implausible") << "a heart may stand still";
    EXPECT_STREQ(told("8867-4", "900", "{beats}/min"), "impossible");
    EXPECT_STREQ(told("2823-3", "4.1", "mmol/L"), "");
    EXPECT_STREQ(told("2823-3", "16", "mg/dL"), "") << "by mass: not judged";
    EXPECT_STREQ(told("2823-3", "41", "mmol/L"), "implausible");
    EXPECT_STREQ(told("29463-7", "72", "{widgets}x"), "") << "an unknown unit is not judged";
    EXPECT_STREQ(told("99999-9", "-72", "kg"), "") << "nor an unknown measure";
    const Json bounded = observation("8310-5", R"({"value":100,"code":"Cel","comparator":"<"})");
    EXPECT_TRUE(contradictions(bounded, {}).empty() && impossible_values(bounded).empty());
}

TEST_F(Clinical, APressureThatIsUpsideDown) {
    const auto pressures = [&](const std::string& systolic, const std::string& diastolic) {
        const auto part = [](const std::string& code, const std::string& value) {
            return R"({"code":{"coding":[{"system":"http://loinc.org","code":")" + code +
                   R"("}]},"valueQuantity":{"value":)" + value + R"(,"unit":"mmHg"}})";
        };
        return contradictions(
            json(R"({"resourceType":"Observation","status":"final","component":[)" +
                 part("8480-6", systolic) + "," + part("8462-4", diastolic) +
                 R"(],"referenceRange":[{"low":{"value":9},"high":{"value":12}}]})"),
            {});
    };
    EXPECT_TRUE(pressures("120", "60").empty());
    ASSERT_EQ(pressures("60", "120").size(), 1U);
    EXPECT_EQ(pressures("60", "120").front().where, "Observation.component");
    ASSERT_EQ(pressures("300", "80").size(), 1U);
    EXPECT_EQ(pressures("300", "80").front().where, "Observation.component[0].value");
    const Json range = json(
        R"({"resourceType":"Observation","status":"final","referenceRange":[{"low":{"value":9,)"
        R"("unit":"g"},"high":{"value":3,"unit":"g"}}]})");
    EXPECT_EQ(contradictions(range, {}).size(), 1U);
}

TEST_F(Clinical, ADoseBeyondItsOwnMaximum) {
    const auto told = [&](const std::string& most) {
        return contradictions(
                   prescription(R"({"text":"x"})",
                                R"(,"dosageInstruction":[{"doseAndRate":[{"doseQuantity":{)"
                                R"("value":4000,"code":"mg"}}],"maxDosePerAdministration":)" +
                                    most + "}]"),
                   {})
            .size();
    };
    EXPECT_EQ(told(R"({"value":400,"code":"mg"})"), 1U);
    EXPECT_EQ(told(R"({"value":4,"code":"g"})"), 0U);
    EXPECT_EQ(told(R"({"value":3,"code":"g"})"), 1U);
    EXPECT_EQ(told(R"({"value":3,"code":"mL"})"), 0U);
}

TEST_F(Clinical, TheSameDrugOrAllergyTwice) {
    const std::string paracetamol =
        R"({"coding":[{"system":"http://www.whocc.no/atc","code":"N02BE01"}],)"
        R"("text":"Paracetamol"})";
    const auto request = [&](const std::string& id, const std::string& status) {
        return json(R"({"resourceType":"MedicationRequest","id":")" + id + R"(","status":")" +
                    status + R"(","intent":"order","medicationCodeableConcept":)" + paracetamol +
                    "}");
    };
    const Json earlier[] = {request("m1", "active")};
    EXPECT_EQ(kinds(contradictions(request("m2", "active"), earlier)),
              std::set<Kind>{Kind::SameTherapy});
    EXPECT_TRUE(contradictions(request("m1", "active"), earlier).empty()) << "it is this one";
    EXPECT_TRUE(contradictions(request("m2", "stopped"), earlier).empty());
    const auto allergic = [&](const std::string& id, const std::string& code) {
        return json(R"({"resourceType":"AllergyIntolerance","id":")" + id + R"(","code":)" + code +
                    "}");
    };
    const Json known[] = {allergic("a1", paracetamol)};
    EXPECT_EQ(kinds(contradictions(allergic("a2", paracetamol), known)),
              std::set<Kind>{Kind::SameAllergy});
    EXPECT_TRUE(contradictions(allergic("a2", R"({"text":"Pollen"})"), known).empty());
    const std::string none =
        R"({"coding":[{"system":"http://snomed.info/sct","code":"716186003"}]})";
    EXPECT_EQ(kinds(contradictions(allergic("a2", none), known)),
              std::set<Kind>{Kind::SameAllergy});
}

TEST_F(Clinical, NumbersOfProfessionalsWithAWrongKey) {
    const auto told = [&](const std::string& system, const std::string& value) {
        return doubtful_identifiers(
                   json(R"({"resourceType":"Practitioner","identifier":[{"system":")" + system +
                        R"(","value":")" + value + R"("}]})"))
            .size();
    };
    const std::string rpps = "https://rpps.esante.gouv.fr";
    const std::string finess = "https://finess.esante.gouv.fr";
    EXPECT_EQ(told(rpps, "99700212964"), 0U);
    EXPECT_EQ(told(rpps, "99700212965"), 1U);
    EXPECT_EQ(told(rpps, "9970021296"), 1U);
    EXPECT_EQ(told("urn:oid:1.2.250.1.71.4.2.1", "899700212964"), 0U);
    EXPECT_EQ(told("urn:oid:1.2.250.1.71.4.2.1", "899700212946"), 1U);
    EXPECT_EQ(told(finess, "990000127"), 0U);
    EXPECT_EQ(told(finess, "123"), 1U);
    EXPECT_EQ(told(finess, "2A0000123"), 0U) << "Corsica: its key is not reckoned";
    EXPECT_EQ(told("urn:x:own", "123"), 0U);
}
