#include "guards/mail/door/self_check.h"

#include <gtest/gtest.h>

#include <map>

#include "guards/mail/facts/authenticate.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// A name system that a test writes: "txt a.example" → values. What is not written is not there,
/// and "!" in place of values is a server that does not answer.
class Names final : public Resolver {
  public:
    using Map = std::map<std::string, std::vector<std::string>>;
    explicit Names(Map names) : names_(std::move(names)) {}
    DnsAnswer ask(const std::string& name, DnsType type, SteadyTime) override {
        static constexpr std::array kTypes =
            std::to_array<std::string_view>({"a ", "aaaa ", "mx ", "txt "});
        ++asked;
        const auto it =
            names_.find(std::string(kTypes[static_cast<std::size_t>(type)]) + lower(name));
        if (it == names_.end()) return {.kind = DnsAnswer::Kind::Nothing};
        if (it->second == std::vector<std::string>{"!"}) return {};
        return {.kind = DnsAnswer::Kind::Found, .values = it->second};
    }
    int asked = 0;

  private:
    std::map<std::string, std::vector<std::string>> names_;
};

AuthResult spf(Names names, const std::string& ip, const std::string& domain = "x.example") {
    return check_spf(
        {.ip = ip, .domain = domain, .sender = "jo.smith@" + domain, .helo = "h.example"}, names,
        {});
}

TEST(MailSpf, EveryMechanismMatchesAsItShould) {
    const auto one = [](const std::string& record, const std::string& ip) {
        return spf(Names({{"txt x.example", {"other", record}},
                          {"txt i.example", {"v=spf1 ip4:192.0.2.9 ~all"}},
                          {"a x.example", {"192.0.2.1"}},
                          {"aaaa x.example", {"2001:db8::1"}},
                          {"mx x.example", {"m.example"}},
                          {"a m.example", {"192.0.2.2"}},
                          {"a 1.2.0.192.smith.x.example", {"127.0.0.2"}}}),
                   ip);
    };
    EXPECT_EQ(one("v=spf1 ip4:192.0.2.0/28 -all", "192.0.2.15"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 ip4:192.0.2.0/28 -all", "192.0.2.16"), AuthResult::Fail);
    EXPECT_EQ(one("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8:1::5"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 ip6:2001:db8::/32 ~all", "2001:db9::5"), AuthResult::SoftFail);
    EXPECT_EQ(one("V=SPF1 A -all", "192.0.2.1"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 a -all", "::ffff:192.0.2.1"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 a/24//64 -all", "2001:db8::77"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 mx -all", "192.0.2.2"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 include:i.example -all", "192.0.2.9"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 include:i.example -all", "192.0.2.8"), AuthResult::Fail);
    EXPECT_EQ(one("v=spf1 redirect=i.example", "192.0.2.8"), AuthResult::SoftFail);
    EXPECT_EQ(one("v=spf1 exists:%{ir}.%{l1r.}.%{d} -all", "192.0.2.1"), AuthResult::Fail);
    EXPECT_EQ(one("v=spf1 exists:%{ir}.%{l1}.%{d} -all", "192.0.2.1"), AuthResult::Pass);
    EXPECT_EQ(one("v=spf1 ?all", "192.0.2.1"), AuthResult::Neutral);
    EXPECT_EQ(one("v=spf1", "192.0.2.1"), AuthResult::Neutral);
    EXPECT_EQ(one("nothing", "192.0.2.1"), AuthResult::None);
}

TEST(MailSpf, BrokenRecordsAndSilentServersAreNoVerdict) {
    const auto one = [](const std::string& record) {
        return spf(Names({{"txt x.example", {record}}, {"txt silent.example", {"!"}}}),
                   "192.0.2.1");
    };
    for (const char* record :
         {"v=spf1 ip4:nonsense -all", "v=spf1 ip4:192.0.2.0/33 -all", "v=spf1 unknown:x -all",
          "v=spf1 include:absent.example -all", "v=spf1 include:silent.example -all",
          "v=spf1 redirect=absent.example", "v=spf1 exists:%{q} -all", "v=spf1 exists:%{ -all"})
        EXPECT_EQ(one(record), AuthResult::Error) << record;
    EXPECT_EQ(
        spf(Names(Names::Map{{"txt x.example", {"v=spf1 -all", "v=spf1 +all"}}}), "192.0.2.1"),
        AuthResult::Error);
    EXPECT_EQ(spf(Names(Names::Map{}), ""), AuthResult::Absent);
}

TEST(MailSpf, NoRecordAsksForMoreThanTheLimit) {
    Names loop(Names::Map{{"txt x.example", {"v=spf1 include:x.example include:x.example -all"}}});
    EXPECT_EQ(
        check_spf({.ip = "192.0.2.1", .domain = "x.example", .sender = "a@x.example", .helo = "h"},
                  loop, {}),
        AuthResult::Error);
    EXPECT_LE(loop.asked, 12);
    Names voids(Names::Map{
        {"txt x.example", {"v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1 -all"}}});
    EXPECT_EQ(
        check_spf({.ip = "192.0.2.1", .domain = "x.example", .sender = "a@x.example", .helo = "h"},
                  voids, {}),
        AuthResult::Error);
}

/// RFC 8463 appendix A.
constexpr std::string_view kDinner =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

std::map<std::string, std::vector<std::string>> dinner_names() {
    return {{"txt brisbane._domainkey.football.example.com",
             {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}},
            {"txt test._domainkey.football.example.com",
             {"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6"
              "Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+"
              "PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"}}};
}

std::vector<AuthResult> dkim(const std::string& message, WallTime now = {}) {
    Names names(dinner_names());
    std::vector<AuthResult> out;
    for (const DkimResult& one : check_dkim(incoming_of(message), names, now, {}))
        out.push_back(one.result);
    return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST(MailDkim, TheVectorsOfRfc8463Hold) {
    EXPECT_EQ(dkim(std::string(kDinner)), (std::vector{AuthResult::Pass, AuthResult::Pass}));
    // Relaxed: blanks may change, words may not.
    EXPECT_EQ(dkim(replaced(std::string(kDinner), "the game.  Are", "the game. Are")),
              (std::vector{AuthResult::Pass, AuthResult::Pass}));
}

TEST(MailDkim, WhateverIsChangedUnderASignatureBreaksIt) {
    const std::string whole(kDinner);
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"lost the game", "won the game"},
             {"dinner ready", "dinner paid"},
             {"Joe.\r\n", "Joe.\r\nIBAN: x\r\n"},
             {"Subject: Is", "Subject: Pay now\r\nSubject: Is"},
             {"From: Joe", "From: evil@x.example\r\nFrom: Joe"}})
        EXPECT_EQ(dkim(replaced(whole, from, to)),
                  (std::vector{AuthResult::Fail, AuthResult::Fail}))
            << from;
}

TEST(MailDkim, APartSignedProvesNothing) {
    EXPECT_EQ(dkim(replaced(std::string(kDinner), "q=dns/txt;", "q=dns/txt; l=4;"))[0],
              AuthResult::Neutral);
    EXPECT_EQ(dkim(replaced(std::string(kDinner), "h=from : to", "h=to"))[0], AuthResult::Fail);
    EXPECT_EQ(dkim(replaced(std::string(kDinner), "a=ed25519-sha256", "a=rsa-sha1"))[0],
              AuthResult::Error);
    EXPECT_EQ(dkim(replaced(std::string(kDinner), "t=1528637909;", "t=1; x=2;"),
                   WallTime(std::chrono::hours(10'000)))[0],
              AuthResult::Fail);
}

Envelope checked(const std::string& message, std::map<std::string, std::vector<std::string>> more,
                 const std::string& ip = "192.0.2.1",
                 const std::string& sender = "joe@football.example.com") {
    auto all = dinner_names();
    all.merge(more);
    Names names(all);
    Incoming incoming = incoming_of(message);
    incoming.envelope.client_ip = ip;
    incoming.envelope.mail_from = sender;
    check_authentication(incoming, names, {}, {});
    return incoming.envelope;
}

TEST(MailSelfCheck, DmarcWantsTheAuthorsDomain) {
    const std::map<std::string, std::vector<std::string>> reject{
        {"txt _dmarc.example.com", {"v=DMARC1; p=reject"}},
        {"txt thief.example", {"v=spf1 ip4:192.0.2.1 -all"}}};
    EXPECT_EQ(checked(std::string(kDinner), reject).dmarc, AuthResult::Pass);
    const std::string broken = replaced(std::string(kDinner), "lost", "won");
    EXPECT_EQ(checked(broken, reject).dmarc, AuthResult::Fail);
    // Another's SPF proves nothing about the author.
    const Envelope theirs = checked(broken, reject, "192.0.2.1", "x@thief.example");
    EXPECT_EQ(theirs.spf, AuthResult::Pass);
    EXPECT_EQ(theirs.dmarc, AuthResult::Fail);
    // Another's good signature neither.
    const std::string other_author =
        replaced(std::string(kDinner), "joe@football.example.com>", "joe@bank.example>");
    EXPECT_EQ(checked(other_author, reject).dkim, AuthResult::None);
}

TEST(MailSelfCheck, WhatIsNotKnownInTimeIsNoFailure) {
    const std::string broken = replaced(std::string(kDinner), "lost", "won");
    EXPECT_EQ(checked(broken, {{"txt _dmarc.football.example.com", {"!"}}}).dmarc,
              AuthResult::Error);
    EXPECT_EQ(checked(broken, {{"txt _dmarc.example.com", {"v=DMARC1; p=reject"}}}, "").dmarc,
              AuthResult::Error);
    EXPECT_EQ(checked(broken, {}).dmarc, AuthResult::None);
}

// RFC 8617: a seal says that somebody handled the message, not that he is to be believed. Who is,
// the house's own server decides, and says it in "dmarc=".
TEST(MailSelfCheck, ASealOfStrangersProvesNothing) {
    const Result<Message> message =
        parse_message("From: a@bank.example\nTo: c@d.example\nSubject: x\n\nx\n");
    ASSERT_TRUE(message);
    Envelope sealed;
    take_results("mx.d.example; spf=none; dkim=fail; dmarc=fail; arc=pass (i=1)", sealed);
    EXPECT_TRUE(authenticate(*message, sealed).is_forged);
    Envelope believed;
    take_results("mx.d.example; dkim=fail; arc=pass; dmarc=pass (arc override)", believed);
    EXPECT_TRUE(authenticate(*message, believed).is_authentic);
}

}  // namespace
}  // namespace hygie::mail
