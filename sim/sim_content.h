#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "sim/chance.h"

namespace hygie::sim {

inline constexpr std::size_t kSectorBytes = 512;

/// How much of what was not synced survives a loss of power: `eighths` out of 8, each sector and
/// name for itself.
struct Survival {
    std::uint64_t eighths;
    /// All, nothing, half, nearly all or nearly nothing: bugs hide at the ends as well as in the
    /// middle.
    static Survival draw(Chance& chance) {
        constexpr std::uint64_t kChoices[] = {0, 1, 4, 7, 8};
        return {kChoices[chance.below(std::size(kChoices))]};
    }
    bool keeps(Chance& chance) const { return chance.odds(eighths, 8); }
};

/// The bytes of one simulated file: what programs see now, and every older version of each sector
/// that the disk may still hold because no sync came after it. Copies are cheap: pages are shared
/// until they are written.
class SimContent {
  public:
    std::uint64_t size() const { return size_; }
    std::size_t read(std::uint64_t offset, std::span<std::uint8_t> out) const;
    void write(std::uint64_t offset, ByteView bytes);
    /// Cuts, or grows with zeros.
    void resize(std::uint64_t size);

    /// What is seen now is what the disk holds.
    void sync();
    bool synced() const { return past_sectors_.empty() && past_sizes_.empty(); }
    /// A failed sync: each unsynced sector did or did not reach the disk, and the memory of it is
    /// gone.
    void lose_sectors(Chance& chance);
    /// A loss of power: sectors as above, and the size is any it had since the last sync, or one in
    /// between.
    void lose_power(Chance& chance);

  private:
    static constexpr std::size_t kPageBytes = 4096;
    using Page = std::array<std::uint8_t, kPageBytes>;
    using Sector = std::array<std::uint8_t, kSectorBytes>;

    void store(std::uint64_t offset, ByteView bytes);
    void remember_sectors(std::uint64_t begin, std::uint64_t end);
    void choose_sectors(Chance& chance, Survival survival);
    std::uint64_t choose_size(Chance& chance, Survival survival) const;
    void set_size(std::uint64_t size);

    std::vector<std::shared_ptr<Page>> pages_;  ///< null: all zeros
    std::uint64_t size_ = 0;
    /// Since the last sync, oldest first; the first is what is surely on the disk.
    std::map<std::uint64_t, std::vector<Sector>> past_sectors_;
    std::vector<std::uint64_t> past_sizes_;
};

}  // namespace hygie::sim
