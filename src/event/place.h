#pragma once

#include <cstdint>
#include <string>

namespace hygie::event {

/// Where an event stands in a ledger: an export carries it, so that its reader can ask for the
/// proof.
struct Place {
    std::string origin;  ///< name of the log
    std::uint64_t index = 0;
};

}  // namespace hygie::event
