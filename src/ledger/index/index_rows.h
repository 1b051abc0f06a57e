#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ledger/index/index.h"

/// The rows that an index had in memory, written down for its next opening (INDEX_FORMAT.md §4).
namespace hygie::ledger {

inline constexpr std::string_view kRowsName = "rows";

/// Of so many rows, at most.
std::uint64_t rows_bytes(std::uint64_t rows);
/// Neighbours, from `first` on.
Bytes seal_rows(const crypto::Secret32& key, std::uint64_t first, std::span<const IndexRow> rows,
                Random& random);
/// None for anything that was not sealed under that key.
std::optional<std::vector<IndexRow>> open_rows(const crypto::Secret32& key, ByteView sealed);

}  // namespace hygie::ledger
