#include "serve/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "host/process.h"
#include "sim/sim_clock.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::serve {
namespace {

class CertificateTest : public testing::Test {
  protected:
    CertificateFiles ensure(const std::vector<std::string>& names = {"hygie.cabinet.example",
                                                                     "192.0.2.7"}) {
        const auto files = ensure_certificate(real_disk(), clock_, random_, dir_ / "tls", names);
        EXPECT_TRUE(files) << files.error().what.en;
        return files.value_or(CertificateFiles{});
    }
    /// What an independent program makes of it.
    static bool openssl_trusts(const CertificateFiles& files, const std::string& name,
                               const std::string& cert) {
        const std::string kind = name.find_first_not_of("0123456789.:") == std::string::npos
                                     ? "-verify_ip"
                                     : "-verify_hostname";
        const auto outcome =
            real_process().run({"openssl", "verify", "-no_check_time", "-x509_strict", "-CAfile",
                                files.authority, "-no-CApath", "-no-CAstore", kind, name, cert},
                               {}, {});
        EXPECT_TRUE(outcome);
        return outcome && outcome->exit_code == 0;
    }
    static Bytes content(const std::string& path) { return *real_disk().read_file(path, 1 << 20); }

    sim::TempDir dir_;
    sim::SimClock clock_;
    sim::SimRandom random_{7};
};

TEST_F(CertificateTest, IsTrustedForItsNamesAndNoOther) {
    const CertificateFiles files = ensure();
    EXPECT_TRUE(files.renewed);
    for (const char* name : {"localhost", "127.0.0.1", "::1", "hygie.cabinet.example", "192.0.2.7"})
        EXPECT_TRUE(openssl_trusts(files, name, files.cert)) << name;
    for (const char* name : {"ameli.fr", "192.0.2.8", "cabinet.example"})
        EXPECT_FALSE(openssl_trusts(files, name, files.cert)) << name;
}

TEST_F(CertificateTest, IsKeptUntilNearItsEndAndTheAuthorityLonger) {
    const CertificateFiles first = ensure();
    const Bytes authority = content(first.authority), cert = content(first.cert);
    clock_.advance(kCertificateLife - kRenewBefore - std::chrono::hours(1));
    EXPECT_FALSE(ensure().renewed);
    clock_.advance(std::chrono::hours(2));
    EXPECT_TRUE(ensure().renewed);
    EXPECT_EQ(content(first.authority), authority) << "clients go on trusting";
    EXPECT_NE(content(first.cert), cert);
    clock_.advance(kAuthorityLife);
    EXPECT_TRUE(ensure().renewed);
    EXPECT_NE(content(first.authority), authority);
}

TEST_F(CertificateTest, IsMadeAgainForANewNameOrADamagedFile) {
    const CertificateFiles files = ensure();
    EXPECT_FALSE(ensure({"192.0.2.7"}).renewed) << "fewer names are borne already";
    EXPECT_TRUE(ensure({"other.example"}).renewed);
    EXPECT_TRUE(openssl_trusts(files, "other.example", files.cert));
    EXPECT_FALSE(ensure({"other.example"}).renewed);
    EXPECT_TRUE(real_disk().write_file(files.key, as_bytes("damaged")));
    EXPECT_TRUE(ensure({"other.example"}).renewed);
    EXPECT_TRUE(openssl_trusts(files, "other.example", files.cert));
}

/// Whoever steals the authority's key can still certify no other site.
TEST_F(CertificateTest, TheAuthorityCanOnlySpeakForItsNames) {
    const CertificateFiles files = ensure();
    const std::string key = dir_ / "forged.key", request = dir_ / "forged.csr",
                      forged = dir_ / "forged.pem", extension = dir_ / "forged.cnf";
    EXPECT_TRUE(real_disk().write_file(
        extension, as_bytes("basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:ameli.fr\n"
                            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
                            "keyUsage=digitalSignature\n")));
    const auto run = [](std::vector<std::string> argv) {
        const auto outcome = real_process().run(argv, {}, {});
        ASSERT_TRUE(outcome);
        ASSERT_EQ(outcome->exit_code, 0) << as_text(outcome->err);
    };
    run({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=forged", "-keyout", key, "-out", request});
    run({"openssl", "x509", "-req", "-in", request, "-CA", files.authority, "-CAkey",
         dir_ / "tls/authority.key", "-extfile", extension, "-days", "30", "-out", forged});
    EXPECT_FALSE(openssl_trusts(files, "ameli.fr", forged));
}

TEST_F(CertificateTest, RefusesNamesThatAreNone) {
    for (const char* name : {"", "a,DNS:b", "a b", "*.example", "UPPER", "a..b", ".a", "a.", "é"})
        EXPECT_FALSE(ensure_certificate(real_disk(), clock_, random_, dir_ / "tls", {name}))
            << name;
}

}  // namespace
}  // namespace hygie::serve
