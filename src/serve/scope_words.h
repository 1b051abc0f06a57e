#pragma once

#include <string_view>

#include "access/decide/decision.h"
#include "base/text.h"

namespace hygie::serve {

/// What a scope would let a program do, for the person who is asked to allow it.
Text words_of_scope(std::string_view scope);

}  // namespace hygie::serve
