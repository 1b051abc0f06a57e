#pragma once

#include "guards/records/plan.h"

namespace hygie::records {

/// Nobody widens what they see by a write to the house: once all of it stood, its writer must
/// belong nowhere, and at no time, where that one does not belong already — by whatever name, role,
/// shift or unit it is said. No delegation in another's name, no unit moved under another. Programs
/// and operations keep the house; persons give others, and every write is traced.
Answer<void> check_confers(Sight& sight, const Plan& plan);

}  // namespace hygie::records
