#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "crypto/secret.h"
#include "crypto/tokens.h"
#include "guards/files/acts/change.h"
#include "guards/files/judge/judge.h"

namespace hygie::files {

/// When reading becomes carrying away. Counts are different files within ten minutes.
struct TheftPolicy {
    std::size_t files_alert = 200;
    std::size_t files_cut = 300;
    std::size_t folders_min = 10;  ///< a folder of pictures is looked at; ten patients are not
    std::size_t usual_times = 5;   ///< an actor may read so many times what it ever read before
    static constexpr Micros kWindow = std::chrono::minutes(10);
};

/// Notices bulk reading: who copies a share reads every file once, in many folders, far more than
/// this person ever did. Knows no world; one thread at a time.
class TheftWatch {
  public:
    explicit TheftWatch(TheftPolicy policy = {}) : policy_(policy) {}

    /// A Read, or a new file (an archive made of what was read). Rung Delay is an alert; Freeze
    /// means that a workstation is to be cut. A local actor is only reported.
    Conclusion take(const Change& change);
    /// Somebody looked, and it was honest: what was read until now counts as usual, and no more.
    void forgive(const std::string& key);

    /// What is usual must survive a restart: how much was read at most on each of thirty days,
    /// under names blinded with `key` (FORMAT_JUDGE.md). load takes what save made; call it before
    /// the first change.
    Bytes save(const crypto::Secret32& key, WallTime now) const;
    Status load(const crypto::Secret32& key, ByteView habits);

    static constexpr std::size_t kActorsMax = 4096;

  private:
    struct Reading {
        SteadyTime at{};
        std::uint64_t file = 0;
        std::uint64_t folder = 0;
    };
    using Days = std::map<std::int64_t, std::size_t>;
    struct Reader {
        std::deque<Reading> readings;
        std::unordered_map<std::uint64_t, std::size_t> files;
        std::unordered_map<std::uint64_t, std::size_t> folders;
        Days days;  ///< most files within a window, by day
        Rung rung = Rung::Preserve;
        bool archived = false;

        void forget_before(SteadyTime time);
        std::size_t usual() const;
    };

    Reader& reader(const std::string& key);
    Conclusion conclude(const Change& change, Reader& reader, bool is_archive);

    TheftPolicy policy_;
    std::unordered_map<std::string, Reader> readers_;
    std::optional<crypto::Secret32> habits_key_;
    std::map<crypto::Token, Days> habits_;  ///< of those not seen since the start
};

}  // namespace hygie::files
