#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "serve/forms.h"
#include "serve/http_server.h"

/// The few pages that a browser sees before the console: plain HTML, both languages side by side,
/// under a content policy that lets nothing else load. The one script asks for a passkey; without
/// it the pages still work, by password.
namespace hygie::serve {

/// Where a passkey is asked for.
struct PasskeyAsk {
    std::string party;      ///< our id; empty: no passkeys at this address
    std::string challenge;  ///< base64url
};

/// One thing that a program asks for, which the person may leave out.
struct AskedScope {
    std::string scope;
    Text words;
    bool allowed = true;
};

struct SignInPage {
    int status = 200;
    Text purpose{};        ///< what it is for
    std::string action{};  ///< path that the form is sent to
    Form kept{};           ///< what the form sends back unchanged
    std::string csrf{};
    Text notice{};           ///< what went wrong, empty at first
    std::string redirect{};  ///< where the answer will lead: the policy must allow it
    Text elsewhere{};        ///< name of an identity provider, empty when there is none
    std::string elsewhere_address{};
    PasskeyAsk passkey{};
    std::vector<AskedScope> asks{};  ///< what is allowed by signing in; empty: nothing to choose
};
/// Fields of its form beside those kept: kChoice when there was something to choose, then
/// kAllowed + a number for each thing allowed; kRefusal when the person wants none of it.
inline constexpr std::string_view kChoice = "choice", kAllowed = "allow-", kRefusal = "refuse";
Response sign_in_page(const SignInPage& page);

/// A person's own passkeys: what is there, one more, one less.
struct PasskeysPage {
    struct Known {
        std::string id;  ///< base64url
        std::string since;
    };
    std::string login{}, name{}, csrf{};
    std::string handle{};  ///< base64url
    std::string ticket{};  ///< what lets the next form in; also the challenge
    std::string party{};
    std::vector<Known> known{};
};
Response passkeys_page(const PasskeysPage& page);

/// One message and nothing to do; `lines` are shown one below the other.
Response message_page(int status, const Text& title, const Text& message,
                      const std::vector<std::string>& lines = {});

/// A page of our own; `body` is HTML. Its forms may be sent to `form_targets`.
Response html_page(int status, const Text& title, const std::string& body,
                   std::string_view form_targets);
/// A text in both languages, as HTML.
std::string html_of(const Text& text);

/// Headers that every answer to a browser bears.
void add_safety_headers(Response& response, std::string_view form_targets);

}  // namespace hygie::serve
