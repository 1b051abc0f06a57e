#pragma once

#include <string>
#include <string_view>

#include "access/accounts/account.h"

/// Inside of SCIM: an account as a SCIM user and back.
namespace hygie::serve {

inline constexpr const char* kUserSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
inline constexpr const char* kEnterpriseSchema =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
inline constexpr const char* kHygieSchema = "urn:ietf:params:scim:schemas:extension:hygie:2.0:User";

/// JSON objects, as texts.
std::string scim_user(const access::Account& account, WallTime now, const std::string& url);
/// Everything that the user says about the account; what it does not say is left. Code::BadInput.
Status apply_scim_user(access::Account& account, std::string_view user);
/// A user after the operations of a PatchOp (RFC 7644 §3.5.2).
Result<std::string> patch_scim_user(std::string_view user, std::string_view patch);

}  // namespace hygie::serve
