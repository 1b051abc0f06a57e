#pragma once

#include <span>
#include <string_view>

namespace hygie::fhir {

/// The code systems that a value set of R4 draws from; empty when R4 does not list its codes.
std::span<const std::string_view> systems_of(std::string_view value_set);

}  // namespace hygie::fhir
