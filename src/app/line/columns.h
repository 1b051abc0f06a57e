#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text set in columns for a person to read.
namespace hygie::app {

/// Columns a UTF-8 text takes: its code points, since our texts have neither wide nor combining
/// characters.
std::size_t columns_of(std::string_view text);

/// With blanks behind it up to so many columns; one at least, so that nothing runs together.
std::string padded(std::string_view text, std::size_t columns);

}  // namespace hygie::app
