#pragma once

#include "guards/records/write/plan.h"

namespace hygie::records {

/// Persons widen by a write to the house neither what they see nor what others see: once all of it
/// stood, everybody must belong nowhere, and at no time, where they do not belong already — by
/// whatever name, role, shift or unit it is said. No delegation in another's name, no unit moved
/// under another. Programs and operations keep the house; who treats may delegate what is theirs.
Answer<void> check_confers(Sight& sight, const Plan& plan);

}  // namespace hygie::records
