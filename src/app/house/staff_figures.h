#pragma once

#include <cstddef>

namespace hygie::app {

/// What a change of who belongs where costs.
struct StaffFigures {
    double resources = 0;  ///< of the house
    double p50_ms = 0, p99_ms = 0;
    double stale = 0;  ///< answers that did not know the change before them
};

/// In a made-up house of so many people: somebody moves to another ward, and the next question
/// about that person is answered. From the write to the answer.
StaffFigures measure_staff(std::size_t people);

}  // namespace hygie::app
