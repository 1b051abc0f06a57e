#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "vault/vault.h"

namespace hygie::app {

/// "Organization/…": the one organisation of the house whose identifier this is (a FINESS number,
/// as Pro Santé Connect says where somebody works today); empty when there is none, or several.
std::string organisation_with(vault::Vault& vault, std::string_view identifier, WallTime now);

/// What the organisation "Organization/…" calls itself; empty when none is known by that name.
std::string organisation_name(vault::Vault& vault, const std::string& reference);

/// Id of the patient whose relative "RelatedPerson/…" is; empty when there is none here.
std::string patient_of(vault::Vault& vault, const std::string& person);

}  // namespace hygie::app
