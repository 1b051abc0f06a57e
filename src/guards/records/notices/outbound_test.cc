#include "guards/records/notices/outbound.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hygie::records {
namespace {

const std::vector<std::string> kAllowed = {
    "https://dossier.example/fhir", "https://agenda.example:8443", "http://127.0.0.1:9000/in/"};

bool may_go_to(std::string_view url) {
    return check_endpoint(url, kAllowed).has_value();
}

TEST(Outbound, OnlyBelowWhatIsConfigured) {
    for (const std::string url :
         {"https://dossier.example/fhir", "https://dossier.example/fhir/notify?x=1",
          "https://dossier.example/fhir?x=1", "https://agenda.example:8443/",
          "https://agenda.example:8443/any/where", "http://127.0.0.1:9000/in/box"})
        EXPECT_TRUE(may_go_to(url)) << url;
    for (const std::string url :
         {"https://dossier.example/", "https://dossier.example/fhirx",
          "https://dossier.example:444/fhir", "https://agenda.example/",
          "https://other.example/fhir", "https://dossier.example.other.example/fhir",
          "http://127.0.0.1:9001/in/box", "http://127.0.0.1:9000/out"})
        EXPECT_FALSE(may_go_to(url)) << url;
    EXPECT_FALSE(check_endpoint("https://dossier.example/fhir", {}));
}

TEST(Outbound, NoAddressThatReadsTwoWays) {
    for (const std::string url :
         {"https://dossier.example@other.example/fhir", "https://dossier.example\\@x/fhir",
          "https://dossier.example/fhir/../admin", "https://dossier.example/fhir/%2e%2e/admin",
          "https://dossier.example/fhir/./x", "https://dossier.example/fhir#x",
          "https://DOSSIER.example/fhir", "https:///fhir", "https://dossier.example/fhir x",
          "https://dossier.example/fhir\n", "ftp://dossier.example/fhir", "//dossier.example/fhir",
          "https://dossier.example?x", "file:///etc/passwd", ""})
        EXPECT_FALSE(may_go_to(url)) << url;
}

TEST(Outbound, PlainHttpStaysOnThisMachineWhateverIsConfigured) {
    const std::vector<std::string> all = {"http://dossier.example", "http://localhost:9000",
                                          "http://127.0.0.1.example", "http://169.254.169.254",
                                          "http://[::1]:9000"};
    EXPECT_FALSE(check_endpoint("http://dossier.example/", all));
    EXPECT_FALSE(check_endpoint("http://localhost:9000/", all));
    EXPECT_FALSE(check_endpoint("http://127.0.0.1.example/", all));
    EXPECT_FALSE(check_endpoint("http://169.254.169.254/latest", all));
    EXPECT_TRUE(check_endpoint("http://[::1]:9000/", all));
}

TEST(Outbound, HeadersThatHttpNeedsAreNotForTheAsking) {
    for (const std::string line : {"Authorization: Bearer abc", "X-Key:1"})
        EXPECT_TRUE(is_sendable_header(line)) << line;
    for (const std::string line : {"Host: x", "content-length: 3", "Transfer-Encoding: chunked",
                                   "A: b\r\nC: d", ": x", "no colon", "A b: c", "Expect: x"})
        EXPECT_FALSE(is_sendable_header(line)) << line;
}

}  // namespace
}  // namespace hygie::records
