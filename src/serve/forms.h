#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/http_server.h"

/// What browsers and programs send in forms, query strings and cookies, and what goes back into
/// addresses.
namespace hygie::serve {

inline constexpr std::size_t kFormFieldsMax = 128;
inline constexpr std::size_t kFormBytesMax = 64 << 10;

using Form = std::map<std::string, std::string, std::less<>>;

/// application/x-www-form-urlencoded. Code::BadInput for a name given twice (RFC 6749 §3.1), a
/// broken percent sign, a NUL, text that is no UTF-8, and beyond the limits.
Result<Form> parse_form(std::string_view text);
/// The inverse.
std::string spell_form(const Form& form);
/// A field, empty when absent.
std::string_view field(const Form& form, std::string_view name);

/// A cookie of the request, empty when absent.
std::string_view cookie(const Request& request, std::string_view name);

}  // namespace hygie::serve
