#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/time.h"
#include "guards/files/acts/actor.h"

/// What is held against one actor, in points, and for how long.
namespace hygie::files {

/// What a mark stands for.
enum class Sign : std::uint8_t {
    Scrambled = 1,   ///< a file whose content is gone
    Damaged = 2,     ///< a file with ciphertext in places, or broken inside
    Emptied = 3,     ///< cut or zeroed
    Rewritten = 4,   ///< nothing of the old content is left, nothing wrong with the new one
    Replaced = 5,    ///< deleted, and a new file that cannot be read stands for it
    Canary = 6,      ///< a file that nobody has a reason to change
    Notes = 7,       ///< the same small new text in several folders
    Extensions = 8,  ///< many files renamed to one new extension
    Breadth = 9,     ///< far more files than this actor ever changed in an hour
    Moved = 10,      ///< canaries deleted or moved: whoever clears up does that too
};

/// What says nothing by itself: it weighs more what the same actor destroyed.
constexpr bool is_hint(Sign sign) {
    return sign == Sign::Notes || sign == Sign::Extensions || sign == Sign::Breadth ||
           sign == Sign::Moved;
}

/// Points are hundredths of a file surely destroyed.
inline constexpr std::uint32_t kOneFile = 100;

struct Mark {
    SteadyTime at{};
    WallTime time{};
    std::uint32_t points = 0;
    Sign sign = Sign::Scrambled;
    std::uint64_t file = 0;  ///< hash of the path: one file counts once
    Actor actor;             ///< as it was seen then
    bool is_open = false;    ///< of what was not closed yet: its closing tells what it is
};

/// Sums over three windows; hints count in those that hold a destroyed file. The short one is
/// measured by the steady clock, which nobody steps.
struct Sums {
    std::uint32_t ten_minutes = 0;
    std::uint32_t day = 0;
    std::uint32_t month = 0;
};

/// Marks of one actor, or of a group of actors, of the last thirty days.
class Suspect {
  public:
    static constexpr std::size_t kMarksMax = 512;
    static constexpr Micros kShort = std::chrono::minutes(10);
    static constexpr Micros kDay = std::chrono::hours(24);
    static constexpr Micros kMonth = std::chrono::hours(24 * 30);

    /// A second mark for the same file counts only for what it is worth more.
    void add(Mark mark);
    Sums sums(SteadyTime at, WallTime time) const;
    const std::deque<Mark>& marks() const { return marks_; }
    /// How many different actors contributed in the short window.
    std::size_t contributors(SteadyTime at) const;
    /// Everyone who contributed in the short window, each process once, the latest last.
    std::vector<Actor> actors(SteadyTime at) const;
    /// Drops the marks about these files.
    void forget(const std::vector<std::uint64_t>& files);
    /// Drops what one file stands for, if that is this.
    void forget(std::uint64_t file, Sign sign);
    /// Drops what one file stands for, if that was seen before it was closed. True when it was.
    bool forget_open(std::uint64_t file);

  private:
    std::deque<Mark> marks_;
};

}  // namespace hygie::files
