#pragma once

#include "guards/records/write/plan.h"

namespace hygie::records {

/// Warns of an appointment to come that gives somebody, or a place, two things to do at one time:
/// beside those that are open to the writer, or written with it. Names the other appointment, and
/// nothing of who comes to it.
Answer<void> warn_of_double_booking(Sight& sight, Work& work, const Plan& plan, const Step& step,
                                    Issues& issues);

}  // namespace hygie::records
