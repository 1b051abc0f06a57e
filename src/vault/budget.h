#pragma once

#include <cstddef>

/// What the vault keeps opened so as not to open it again, in bytes: decided here and nowhere else.
/// A server of a million resources (6,500 patients) may take 256 MB under load: this, 40 MB of
/// program, 10 MB of rows of the ledger's index, 20 MB of FHIR's definitions, and what is under
/// way.
namespace hygie::vault::budget {

/// Records to read and search in, 25 kB each: those of whom people work with at the moment.
inline constexpr std::size_t kRecords = 10 << 20;
/// What searches over one type ask of the others, at about 5 kB each.
inline constexpr std::size_t kSlices = 30 << 20;
/// What searches across patients ask of records, at about 5 kB each. To make one anew costs twenty
/// times what it costs to open a record to read in it.
inline constexpr std::size_t kFronts = 40 << 20;
/// What reading by id asks of records, at about 3 kB each.
inline constexpr std::size_t kOutlines = 16 << 20;
inline constexpr std::size_t kBodies = 10 << 20;       ///< unsealed lately
inline constexpr std::size_t kSealed = 14 << 20;       ///< read lately, still sealed
inline constexpr std::size_t kPagesToWrite = 8 << 20;  ///< of the database
inline constexpr std::size_t kPagesToRead = 1 << 20;   ///< … for each of kReaders
inline constexpr std::size_t kReaders = 4;
/// Rows with random keys on their way to the database, 104 bytes each: twice as many for a page of
/// it are half the bytes written, and twice as long to open the vault after it (recent_rows.h).
inline constexpr std::size_t kRecentRows = 1 << 16;

inline constexpr std::size_t kAll = kRecords + kSlices + kFronts + kOutlines + kBodies + kSealed +
                                    kPagesToWrite + kReaders * kPagesToRead + kRecentRows * 104;
static_assert(kAll <= 140 << 20, "a server of a million resources must fit into 256 MB");

}  // namespace hygie::vault::budget
