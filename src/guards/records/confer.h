#pragma once

#include "guards/records/plan.h"

namespace hygie::records {

/// Nobody widens what they see by a write to the house: no assignment, shift, team or delegation
/// for oneself beyond where one belongs already, no delegation in another's name, no unit moved
/// under another. Programs and operations keep the house; persons give others, and every write is
/// traced.
Answer<void> check_confers(const Call& call, const Step& step);

}  // namespace hygie::records
