#include "guards/mail/facts/history.h"

#include <gtest/gtest.h>

#include "guards/mail/facts/envelope.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kMemory = R"({
  "as_of": "2026-06-30",
  "organisations": [{"id": "o1", "name": "Clinique des Tilleuls",
    "own_domains": ["clinique-tilleuls.example"], "own_dmarc": "reject",
    "staff": [{"name": "Jean Dupont", "email": "Jean.Dupont@clinique-tilleuls.example",
               "role": "Directeur"}]}],
  "suppliers": [{"name": "MediFournitures SAS", "domains": ["medifournitures.example"],
    "ibans": ["FR76 3000 6000 0112 3456 7890 189"], "since": "2021-01-01", "clients": ["o1"]}],
  "known_services": [{"name": "Agenda", "domains": ["agenda.example"], "since": "2020-01-01"}],
  "known_correspondents": [{"address": "marie@labo.example", "name": "Marie Curie"}],
  "freemail_like_domains": ["mailfree.example"],
  "sent_or_received_message_ids": ["<m1@x>"], "later": 1})";

TEST(History, AnswersFromItsIndexes) {
    const Result<History> history = parse_history(kMemory);
    ASSERT_TRUE(history.has_value());
    EXPECT_TRUE(history->is_own_domain("mx.clinique-tilleuls.example"));
    EXPECT_FALSE(history->is_own_domain("tilleuls.example"));
    EXPECT_EQ(history->supplier_of_domain("a.medifournitures.example")->name,
              "MediFournitures SAS");
    EXPECT_NE(history->supplier_of_iban("FR7630006000011234567890189"), nullptr);
    EXPECT_EQ(history->supplier_named(" facture de medifournitures du mois ").supplier->name,
              "MediFournitures SAS");
    EXPECT_NE(history->staff_by_name("Dr. DUPONT Jean"), nullptr);
    EXPECT_NE(history->staff_by_email("jean.dupont@clinique-tilleuls.example"), nullptr);
    EXPECT_NE(history->correspondent("marie@labo.example"), nullptr);
    EXPECT_TRUE(history->is_known_domain("labo.example"));
    EXPECT_TRUE(history->is_freemail("mailfree.example"));
    EXPECT_TRUE(history->message_ids.contains("m1@x"));
    EXPECT_EQ(history->look_alikes().find("medifournltures.example").owner, "MediFournitures SAS");
    EXPECT_EQ(history->organisation_of("x@clinique-tilleuls.example")->id, "o1");
}

TEST(History, RemembersNamesThatMeanNothing) {
    EXPECT_EQ(parse_history(kMemory)->unknown_names, std::set<std::string>{"later"});
    std::vector<History> parts;
    parts.push_back(*parse_history(R"({"supliers":[],"suppliers":[{"name":"X","iban":"FR76"}]})"));
    parts.push_back(*parse_history(
        R"({"organisations":[{"own_domain":[],"staff":[{"mail":"a@b.example"}]}],
            "known_services":[{"domain":1}],"known_correspondents":[{"adress":""}]})"));
    EXPECT_EQ(merge(std::move(parts)).unknown_names,
              (std::set<std::string>{"known_correspondents.adress", "known_services.domain",
                                     "organisations.own_domain", "organisations.staff.mail",
                                     "suppliers.iban", "supliers"}));
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"x" + std::to_string(i) + "\":1,";
    many.back() = '}';
    EXPECT_EQ(parse_history(many)->unknown_names.size(), kUnknownNamesMax);
    const std::string long_name(1000, 'x');
    EXPECT_EQ(parse_history("{\"" + long_name + "\":1}")->unknown_names.begin()->size(),
              kUnknownNameBytesMax);
}

TEST(History, KnowsNothingByDefault) {
    History none;
    none.index();
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.supplier_named(" facture ").supplier, nullptr);
    EXPECT_FALSE(none.is_known_domain("a.example"));
    EXPECT_TRUE(none.is_freemail("gmail.com"));
}

TEST(History, JoinsPartsAndRefusesWrongTypes) {
    std::vector<History> parts;
    parts.push_back(*parse_history(kMemory));
    parts.push_back(
        *parse_history(R"({"suppliers":[{"name":"Autre","domains":["autre.example"]}]})"));
    const History all = merge(std::move(parts));
    EXPECT_NE(all.supplier_of_domain("autre.example"), nullptr);
    EXPECT_NE(all.supplier_of_domain("medifournitures.example"), nullptr);
    for (const char* bad :
         {"", "[]", "{\"suppliers\":{}}", "{\"suppliers\":[1]}", "{\"suppliers\":[{\"name\":1}]}",
          "{\"as_of\":[]}", "{\"sent_or_received_message_ids\":[1]}"})
        EXPECT_FALSE(parse_history(bad).has_value()) << bad;
}

TEST(Envelope, ReadsTheSideCar) {
    const Result<Envelope> one = parse_envelope(
        R"({"helo":"mx.a","client_ip":"192.0.2.1","mail_from":"<A@B.example>","rcpt_to":
            "c@d.example","spf":"pass","dkim":"FAIL","dmarc":"none","source_class":"x"})");
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(one->mail_from, "a@b.example");
    EXPECT_EQ(one->rcpt_to, (std::vector<std::string>{"c@d.example"}));
    EXPECT_EQ(one->spf, AuthResult::Pass);
    EXPECT_EQ(one->dkim, AuthResult::Fail);
    EXPECT_EQ(one->dmarc, AuthResult::None);
    EXPECT_TRUE(parse_envelope(R"({"mail_from":""})")->null_sender);
    EXPECT_TRUE(parse_envelope("{}").has_value());
    for (const char* bad : {"", "[]", "{\"spf\":1}", "{\"rcpt_to\":[1]}", "{"})
        EXPECT_FALSE(parse_envelope(bad).has_value()) << bad;
}

}  // namespace
}  // namespace hygie::mail
