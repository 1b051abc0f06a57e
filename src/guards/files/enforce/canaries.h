#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guards/files/enforce/stops.h"
#include "host/disk.h"
#include "host/random.h"

/// Decoys among the files of a share: documents that look like others and that nobody has a reason
/// to change. One that is made unreadable proves at once what its actor is.
namespace hygie::files {

/// How the decoys stand, or what was done with them.
struct CanaryCount {
    std::uint64_t standing = 0;  ///< as they were planted
    std::uint64_t planted = 0;   ///< new ones
    std::uint64_t removed = 0;
    std::uint64_t missing = 0;  ///< somebody deleted or moved them
    std::uint64_t changed = 0;  ///< somebody wrote into them: no decoys any more, never removed
};

class Canaries {
  public:
    Canaries(Disk& disk, Random& random, JudgeState& state)
        : disk_(disk), random_(random), state_(state) {}

    /// Two in each of so many folders below `dirs`, named to be met first and last; renews what is
    /// missing. They belong to whom their folder belongs, and nobody's file is written over. A
    /// guard that runs knows them at once.
    Result<CanaryCount> plant(const std::vector<std::string>& dirs, std::size_t folders);
    /// Takes them all away again, but those that somebody wrote into.
    Result<CanaryCount> remove();
    Result<CanaryCount> look();

    static constexpr std::size_t kFoldersMax = 1000;
    /// Folders looked at to choose from.
    static constexpr std::size_t kWalkMax = 20'000;

  private:
    enum class Health { Standing, Missing, Changed };
    Health health_of(const Canary& canary);
    Result<std::vector<Canary>> sorted_out(CanaryCount& count);
    std::vector<std::string> choose(std::vector<std::string> folders, std::size_t count);
    Status plant_in(const std::string& folder, std::vector<Canary>& canaries, CanaryCount& count);
    std::size_t below(std::size_t end);

    Disk& disk_;
    Random& random_;
    JudgeState& state_;
};

/// A sound document with words of a practice and nobody's name: a Word file, or a PDF.
Bytes canary_document(Random& random);
Bytes canary_pdf(Random& random);

}  // namespace hygie::files
