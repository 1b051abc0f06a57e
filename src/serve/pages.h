#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "serve/forms.h"
#include "serve/http_server.h"

/// The few pages that a browser sees before the console: plain HTML, no script, both languages side
/// by side, under a content policy that lets nothing else load.
namespace hygie::serve {

struct SignInPage {
    int status = 200;
    std::string program;  ///< name of the program that asks
    Form kept;            ///< what the form sends back unchanged
    std::string csrf;
    Text notice{};         ///< what went wrong, empty at first
    std::string redirect;  ///< where the answer will lead: the policy must allow it
    Text elsewhere;        ///< name of an identity provider, empty when there is none
    std::string elsewhere_address;
};
Response sign_in_page(const SignInPage& page);

/// One message and nothing to do.
Response message_page(int status, const Text& title, const Text& message);

/// Headers that every answer to a browser bears.
void add_safety_headers(Response& response, std::string_view form_targets);

}  // namespace hygie::serve
