#pragma once

#include <string_view>

/// Texts whose lines are rows of fields, as programs export them.
namespace hygie::files {

/// Whether the later text is the earlier table with other columns replaced: as many rows, as many
/// fields in each, and columns that stayed as they were, a quarter of all or more, with a tenth of
/// the bytes or more. Whoever replaces names by pseudonyms leaves that; whoever seals does not. A
/// column that holds one value only proves nothing.
bool keeps_columns(std::string_view before, std::string_view after);

}  // namespace hygie::files
