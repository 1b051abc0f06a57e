#pragma once

#include <cstdint>

#include "vault/store.h"

/// The rows of Table::Settings: (kind, which).
namespace hygie::vault {

enum class Setting : std::int64_t {
    Reserved = 1,     ///< numbers up to here may have been used to seal: u64
    State = 2,        ///< next counter and counts
    Hold = 3,         ///< which: compartment under a legal hold
    Definitions = 5,  ///< version of the definitions that the index was made with: u64
    Zone = 6,         ///< name of the time zone that dates without one are read in
    Erasing = 4,      ///< which: compartment being erased; its patient, boxed
};

constexpr Key key_of(Setting setting, std::uint64_t which = 0) {
    return {static_cast<std::int64_t>(setting), static_cast<std::int64_t>(which)};
}

}  // namespace hygie::vault
