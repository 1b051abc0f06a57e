#include "access/accounts/passkey_kit.h"
#include "base/check.h"

using namespace hygie;

/// Every part of what a browser hands over, one at a time beside parts that are right. What is
/// accepted names our site and our question, and holds the key that it registers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const access::TestAuthenticator key;
    static const access::RelyingParty party{"https://hygie.example:8443", "hygie.example"};
    static const std::string challenge = access::to_base64url(Bytes(40, 7));
    static const access::PasskeyCreation right = key.create(key.creation(challenge));
    static const access::Passkey known =
        *access::check_creation(right, party, challenge, WallTime{});
    static const access::PasskeyAssertion signed_right = key.sign(key.assertion(challenge, 2));
    const ByteView input(data, size);
    const auto registers = [&](Bytes access::PasskeyCreation::* part) {
        access::PasskeyCreation given = right;
        given.*part = to_bytes(input);
        return access::check_creation(given, party, challenge, WallTime{});
    };
    if (const auto made = registers(&access::PasskeyCreation::authenticator_data)) {
        HYGIE_CHECK(!made->id.empty() && made->id.size() < size, "an id out of nowhere");
        const crypto::Hash ours = crypto::sha256(as_bytes(party.id));
        HYGIE_CHECK(std::ranges::equal(input.first(ours.size()), ours), "of another site");
    }
    if (registers(&access::PasskeyCreation::client_data))
        HYGIE_CHECK(as_text(input).contains(challenge) && as_text(input).contains("origin"),
                    "an answer to no question");
    (void)registers(&access::PasskeyCreation::key);
    const auto proves = [&](Bytes access::PasskeyAssertion::* part) {
        access::PasskeyAssertion given = signed_right;
        given.*part = to_bytes(input);
        return access::check_assertion(given, known, party, challenge).has_value();
    };
    for (const auto part :
         {&access::PasskeyAssertion::client_data, &access::PasskeyAssertion::authenticator_data})
        HYGIE_CHECK(!proves(part) || to_bytes(input) == signed_right.*part, "not what was signed");
    (void)proves(&access::PasskeyAssertion::signature);
    (void)access::passkey_alg(as_text(input));
    (void)access::relying_party(as_text(input));
    return 0;
}
