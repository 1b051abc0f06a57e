#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace hygie::app {

/// Appends a second that a disk and a processor allow a ledger at most, measured rather than
/// believed. The least a durable Merkle log can do, in one thread and without encryption, index,
/// files or witnesses: hash each entry and the tree with OpenSSL, write the batch into a
/// preallocated file, fdatasync, one Ed25519 signature. Runs for `seconds` in a file of `dir`,
/// which it removes. The product's figures are given as a share of this one.
Result<double> measure_bound(const std::string& dir, std::size_t batch, std::size_t entry_bytes,
                             double seconds);

}  // namespace hygie::app
