#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hygie::mail {

/// What a check of SPF, DKIM or DMARC said (RFC 8601 §2.7). Absent: nobody we trust checked.
enum class AuthResult : std::uint8_t { Absent, Pass, Fail, SoftFail, Neutral, None, Error };
/// Reads "pass", "fail", "softfail", …; anything else, empty included, is Absent or Error.
AuthResult auth_result_named(std::string_view word);
std::string_view name_of(AuthResult result);

/// What the mail server knows beside the message itself.
struct Envelope {
    std::string helo;
    std::string client_ip;
    std::string mail_from;  ///< lower case, empty for <>
    bool null_sender = false;
    std::vector<std::string> rcpt_to;
    AuthResult spf = AuthResult::Absent;
    AuthResult dkim = AuthResult::Absent;
    AuthResult dmarc = AuthResult::Absent;

    /// Somebody that we believe checked who sent it, whatever came out.
    bool is_authenticated() const {
        return spf != AuthResult::Absent || dkim != AuthResult::Absent ||
               dmarc != AuthResult::Absent;
    }
};

/// Reads the JSON side-car `{helo, client_ip, mail_from, rcpt_to, spf, dkim, dmarc}`. All are
/// optional, unknown names are ignored, `rcpt_to` is a text or a list. Code::BadInput otherwise.
Result<Envelope> parse_envelope(std::string_view json);

}  // namespace hygie::mail
