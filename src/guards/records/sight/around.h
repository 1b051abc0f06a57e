#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "guards/records/sight/sight.h"

namespace hygie::records {

/// The house and the records that a search by this actor over that type may look into when nothing
/// narrows it: the actor's circle. Nothing is judged yet.
Answer<std::vector<std::shared_ptr<const vault::Record>>> records_around(Sight& sight,
                                                                         std::string_view type);

}  // namespace hygie::records
