#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/text.h"

namespace hygie {

/// A sentence with numbers in it. Each "{}" becomes the next number, and each "[file|files]" behind
/// it the form that this number wants: English has the first for one alone, French for none too.
Text counted(const Text& pattern, std::initializer_list<std::uint64_t> numbers);

}  // namespace hygie
