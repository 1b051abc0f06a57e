#pragma once

#include <functional>
#include <string>
#include <vector>

#include "access/circles/circle_accesses.h"
#include "host/disk.h"

/// A world and its journal, from files: what others' simulators and exports write.
namespace hygie::access {

inline constexpr std::uint64_t kWorldFileBytesMax = std::uint64_t{4} << 30;
inline constexpr std::size_t kWorldFilesMax = 1'000'000;

/// FHIR R4 from `path`: a file, or every .json and .ndjson file of a directory and of those below.
/// A file is one resource, a Bundle, an array of resources, or one resource a line. What is no FHIR
/// is counted in `skipped`, not fatal; Code::BadInput when there is no resource at all.
struct Loaded {
    ReadFacts facts;
    std::size_t files = 0;
    std::size_t skipped = 0;
};
Result<Loaded> load_world(Disk& disk, const std::string& path);

/// The same from text: a resource, a Bundle, an array, or one resource a line.
void read_world(std::string_view text, Loaded& into);

/// Past accesses from the same shapes of files (see parse_access). Lines that are none are counted.
struct LoadedAccesses {
    std::vector<PastAccess> accesses;
    std::size_t skipped = 0;
};
Result<LoadedAccesses> load_accesses(Disk& disk, const std::string& path);

}  // namespace hygie::access
