#pragma once

#include <string>
#include <string_view>

namespace hygie::records {

/// The methods of a path below the base ("Patient/1"): "GET, HEAD, PUT"; empty where nothing is.
/// Whether a resource is there does not count.
std::string allowed_methods(std::string_view path);

}  // namespace hygie::records
