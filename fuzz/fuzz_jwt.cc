#include "access/accounts/base64url.h"
#include "access/accounts/jwt.h"
#include "base/check.h"

using namespace hygie;

/// Input: a token, or a key set when it starts with a brace. What is accepted as a token is made of
/// three parts that are spelled again to the same text, and none verifies without a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (text.starts_with('{')) {
        for (const auto others : {access::OtherKeys::Refuse, access::OtherKeys::Skip}) {
            const auto keys = access::parse_jwks(text, others);
            HYGIE_CHECK(!keys || !keys->empty(), "a key set without a key was accepted");
            for (const auto& key : keys.value_or(std::vector<access::PublicKey>{}))
                HYGIE_CHECK(!key.spki.empty(), "a key without bytes was accepted");
        }
        return 0;
    }
    const auto jwt = access::parse_jwt(text);
    if (!jwt) return 0;
    HYGIE_CHECK(!access::name_of(jwt->alg).empty(), "an algorithm outside the list");
    HYGIE_CHECK(jwt->signed_text + "." + access::to_base64url(jwt->signature) == text,
                "a token has two spellings");
    HYGIE_CHECK(jwt->expires > WallTime{} || jwt->payload.contains("exp"), "a token without end");
    HYGIE_CHECK(!access::verify_jwt(*jwt, {}), "a token verified without a key");
    return 0;
}
