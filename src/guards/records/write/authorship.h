#pragma once

#include <string>

#include "guards/records/write/plan.h"

/// What a person may change of what others wrote. Programs, and who keeps the house, are not bound
/// by it.
namespace hygie::records {

/// How the vault remembers who makes something: the person, else the account.
std::string author_of(const access::Actor& actor);

/// Refuses to delete from a record what another wrote, and to change a signed document of another
/// (it may be said to be entered in error): a record is mended, not emptied (code de la santé
/// publique, R.1112-2 and R.4127-45). In the directory, refuses to change what is neither one's own
/// nor of one's own making, and to write definitions that bind the whole house.
Answer<void> check_authorship(Sight& sight, const Work& work, const Plan& plan);

}  // namespace hygie::records
