#include "access/accounts/jwt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <rapidcheck/gtest.h>

#include "access/accounts/access_kit.h"
#include "access/accounts/assertions.h"
#include "access/accounts/jwt_kit.h"
#include "crypto/sha256.h"

namespace hygie::access {
namespace {

constexpr std::string_view kAudience = "https://hygie.example/oauth/token";
const ActorId kClient{"logiciel"};

const TestKey& es256() {
    static const TestKey key(Alg::ES256);
    return key;
}

class JwtTest : public testing::Test {
  protected:
    std::int64_t now_seconds() {
        return std::chrono::floor<std::chrono::seconds>(bench_.clock.now().time_since_epoch())
            .count();
    }
    std::string claims(const std::string& issuer = "logiciel",
                       std::string_view audience = kAudience, std::int64_t life = 120,
                       const std::string& id = "1", const std::string& more = "") {
        return fmt::format(R"({{"iss":"{0}","sub":"{0}","aud":"{1}","exp":{2},"jti":"{3}"{4}}})",
                           issuer, audience, now_seconds() + life, id, more);
    }
    Status accept(const std::string& token, const std::string& jwks = es256().jwks()) {
        const auto keys = parse_jwks(jwks);
        EXPECT_TRUE(keys);
        const auto jwt = parse_jwt(token);
        if (!jwt) return std::unexpected(jwt.error());
        return assertions_->accept(*jwt, *keys, kClient, kAudience, bench_.clock.now());
    }
    Code refusal(const std::string& token, const std::string& jwks = es256().jwks()) {
        const Status accepted = accept(token, jwks);
        EXPECT_FALSE(accepted) << token;
        return accepted ? Code::Io : accepted.error().code;
    }

    Bench bench_;
    std::unique_ptr<Assertions> assertions_ =
        *Assertions::open(bench_.doors(), "state", bench_.key);
};

TEST_F(JwtTest, AcceptsEachAlgorithmOfTheList) {
    int id = 0;
    for (const Alg alg : {Alg::RS256, Alg::RS384, Alg::PS256, Alg::ES256, Alg::ES384}) {
        const TestKey key(alg);
        EXPECT_TRUE(
            accept(key.sign(claims("logiciel", kAudience, 120, std::to_string(++id))), key.jwks()))
            << name_of(alg);
    }
}

/// RFC 7515 appendix A.3: a token that others made.
TEST_F(JwtTest, VerifiesTheVectorOfTheStandard) {
    const auto keys = parse_jwks(
        R"({"keys":[{"kty":"EC","crv":"P-256",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    ASSERT_TRUE(keys);
    const auto jwt = parse_jwt(
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
        "pmWQxfKTUJqPP3-Kg6NU1Q");
    ASSERT_TRUE(jwt);
    EXPECT_EQ(jwt->issuer, "joe");
    EXPECT_EQ(jwt->expires, WallTime(std::chrono::seconds(1300819380)));
    EXPECT_TRUE(verify_jwt(*jwt, *keys));
}

TEST_F(JwtTest, RefusesAlgNoneAndEveryUnlistedAlgorithm) {
    for (const char* alg :
         {"none", "None", "NONE", "HS256", "HS512", "ES256K", "EdDSA", "", "es256"}) {
        const std::string head = fmt::format(R"({{"alg":"{}","kid":"k1"}})", alg);
        EXPECT_EQ(refusal(es256().sign_raw(head, claims())), Code::BadInput) << alg;
        EXPECT_EQ(
            refusal(to_base64url(as_bytes(head)) + "." + to_base64url(as_bytes(claims())) + "."),
            Code::BadInput);
    }
}

/// The public key used as the secret of an HMAC: the classic confusion.
TEST_F(JwtTest, RefusesThePublicKeyAsAnHmacSecret) {
    const std::string text = to_base64url(as_bytes(R"({"alg":"HS256","kid":"k1"})")) + "." +
                             to_base64url(as_bytes(claims()));
    const crypto::Hash mac = crypto::hmac_sha256(as_bytes(es256().jwks()), as_bytes(text));
    EXPECT_EQ(refusal(text + "." + to_base64url(mac)), Code::BadInput);
}

TEST_F(JwtTest, RefusesForgedAndSwappedKeys) {
    const std::string token = es256().sign(claims());
    const TestKey thief(Alg::ES256);
    EXPECT_EQ(refusal(thief.sign(claims())), Code::Forged) << "same kid, other key";
    EXPECT_EQ(refusal(thief.sign_raw(
                  fmt::format(R"({{"alg":"ES256","kid":"k1","jwk":{}}})", thief.jwk()), claims())),
              Code::Forged)
        << "a key that the token brings along proves nothing";
    EXPECT_EQ(refusal(TestKey(Alg::ES256, "k2").sign(claims())), Code::Forged) << "unknown kid";
    const TestKey rsa(Alg::RS256);
    EXPECT_EQ(refusal(rsa.sign_raw(R"({"alg":"ES256","kid":"k1"})", claims())), Code::Forged);
    const std::string body = token.substr(0, token.rfind('.') + 1);
    EXPECT_EQ(refusal(body + to_base64url(Bytes(64, 0))), Code::Forged) << "r = s = 0";
    EXPECT_EQ(refusal(body + to_base64url(Bytes(63, 1))), Code::Forged);
    EXPECT_EQ(refusal(body), Code::BadInput);
}

RC_GTEST_FIXTURE_PROP(JwtTest, NoBitOfATokenCanChange, ()) {
    const std::string token = es256().sign(claims());
    std::string other = token;
    const auto at = *rc::gen::inRange<std::size_t>(0, token.size());
    const char c = *rc::gen::elementOf(
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."));
    RC_PRE(c != token[at]);
    other[at] = c;
    RC_ASSERT(!accept(other));
    RC_ASSERT(accept(token));
}

TEST_F(JwtTest, RefusesWhatIsForSomebodyElse) {
    EXPECT_EQ(refusal(es256().sign(claims("autre"))), Code::Forged);
    EXPECT_EQ(refusal(es256().sign(claims("logiciel", "https://evil.example/oauth/token"))),
              Code::Forged);
    EXPECT_EQ(refusal(es256().sign(claims("logiciel", "https://hygie.example"))), Code::Forged);
    EXPECT_EQ(refusal(es256().sign(claims("logiciel", kAudience, 120, ""))), Code::Forged)
        << "no jti";
}

TEST_F(JwtTest, RefusesWhatIsExpiredTooLongOrNotYetValid) {
    const auto skew =
        std::chrono::duration_cast<std::chrono::seconds>(Assertions::kClockSkew).count();
    EXPECT_EQ(refusal(es256().sign(claims("logiciel", kAudience, -skew, "a"))), Code::Stale);
    EXPECT_TRUE(accept(es256().sign(claims("logiciel", kAudience, 1 - skew, "b"))));
    EXPECT_EQ(refusal(es256().sign(claims("logiciel", kAudience, 300 + skew + 1, "c"))),
              Code::Stale);
    EXPECT_TRUE(accept(es256().sign(claims("logiciel", kAudience, 300, "d"))));
    for (const char* name : {"iat", "nbf"}) {
        const auto of = [&](std::int64_t ahead) {
            return es256().sign(claims("logiciel", kAudience, 120, name + std::to_string(ahead),
                                       fmt::format(R"(,"{}":{})", name, now_seconds() + ahead)));
        };
        EXPECT_EQ(refusal(of(skew + 1)), Code::Stale) << name;
        EXPECT_TRUE(accept(of(skew))) << name;
    }
}

TEST_F(JwtTest, TakesAnAssertionOnce) {
    const std::string token = es256().sign(claims());
    EXPECT_TRUE(accept(token));
    EXPECT_EQ(refusal(token), Code::Denied);
    EXPECT_EQ(refusal(es256().sign(claims())), Code::Denied) << "same jti, other signature";
    EXPECT_TRUE(accept(es256().sign(claims("logiciel", kAudience, 120, "2"))));
    bench_.clock.advance(std::chrono::minutes(10));
    EXPECT_EQ(refusal(token), Code::Stale) << "it never becomes good again";
}

TEST_F(JwtTest, NoOtherProcessAndNoLaterOneTakesItAgain) {
    const auto other = *Assertions::open(bench_.doors(), "state", bench_.key);
    const std::string token = es256().sign(claims());
    EXPECT_TRUE(accept(token));
    const auto jwt = parse_jwt(token);
    const auto keys = parse_jwks(es256().jwks());
    EXPECT_FALSE(other->accept(*jwt, *keys, kClient, kAudience, bench_.clock.now()));
    assertions_ = *Assertions::open(bench_.doors(), "state", bench_.key);
    EXPECT_EQ(refusal(token), Code::Denied);
    EXPECT_TRUE(accept(es256().sign(claims("logiciel", kAudience, 120, "2"))));
}

TEST_F(JwtTest, RefusesIllFormedTokens) {
    const std::string head = R"({"alg":"ES256","kid":"k1"})";
    for (const std::string& bad :
         {std::string(), std::string("a.b"), std::string("a.b.c.d"), std::string(".."),
          es256().sign_raw(R"({"alg":"ES256","alg":"ES256"})", claims()),
          es256().sign_raw(R"({"alg":"ES256","crit":["exp"]})", claims()),
          es256().sign_raw(R"({"alg":"ES256","b64":false})", claims()),
          es256().sign_raw(R"({"alg":["ES256"]})", claims()), es256().sign_raw("[]", claims()),
          es256().sign_raw(head, "{}"), es256().sign_raw(head, R"({"exp":"soon"})"),
          es256().sign_raw(head, R"({"exp":1e300})"), es256().sign_raw(head, R"({"exp":-1})"),
          es256().sign_raw(head, R"({"exp":1,"exp":9999999999})"),
          es256().sign_raw(head, R"({"exp":1,"sub":1})"),
          es256().sign_raw(head, R"({"exp":1,"aud":1})"), es256().sign(claims()) + "=",
          es256().sign(claims("logiciel", std::string(9000, 'a')))})
        EXPECT_EQ(refusal(bad), Code::BadInput) << bad.substr(0, 80);
}

TEST(Jwks, RefusesKeysThatProveNothing) {
    const TestKey good(Alg::ES256);
    EXPECT_TRUE(parse_jwks(good.jwks()));
    const auto set = [](const std::string& keys) { return R"({"keys":[)" + keys + "]}"; };
    std::string moved = good.jwk();  // a point that is not on the curve
    const std::size_t y = moved.find(R"("y":")") + 5;
    moved[y] = moved[y] == 'A' ? 'B' : 'A';
    for (const std::string& bad :
         {std::string("{}"), std::string("[]"), set(""), set("1"), set("{}"), set(moved),
          set(R"({"kty":"oct","k":"AAAA"})"), set(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"),
          set(R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})"),
          set(good.jwk().substr(0, good.jwk().size() - 1) + R"(,"d":"AA"})"),
          set(good.jwk().substr(0, good.jwk().size() - 1) + R"(,"alg":"RS256"})"),
          TestKey(Alg::RS256, "weak", 1024).jwks(), std::string(kJwksBytesMax + 1, ' ')})
        EXPECT_FALSE(parse_jwks(bad)) << bad.substr(0, 80);
    std::string many = good.jwk();
    for (std::size_t i = 0; i < kJwksKeysMax; ++i) many += "," + good.jwk();
    EXPECT_FALSE(parse_jwks(set(many)));
}

TEST(Jwks, SkipsOtherKeysOfAProviderButNeverSecretOnes) {
    const std::string good = TestKey(Alg::ES256).jwk();
    const std::string set = R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"},)" + good + "]}";
    EXPECT_FALSE(parse_jwks(set));
    const auto keys = parse_jwks(set, OtherKeys::Skip);
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->size(), 1U);
    EXPECT_FALSE(
        parse_jwks(R"({"keys":[{"kty":"oct","k":"AAAA"},)" + good + "]}", OtherKeys::Skip));
}

}  // namespace
}  // namespace hygie::access
