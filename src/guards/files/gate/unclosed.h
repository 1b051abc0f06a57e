#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "guards/files/acts/change.h"

namespace hygie::files {

/// Files that somebody was let change and has not closed: whoever never closes is judged too, by
/// what lies still in them. Thread-safe.
class Unclosed {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// More are judged when they are closed.
    static constexpr std::size_t kFilesMax = 4096;
    /// One that changes again is looked at so often; each time after twice the pause.
    static constexpr int kLooksMax = 10;
    static constexpr std::chrono::milliseconds kPause{100};
    /// Of one actor, so many may lie open and not looked at when it wants to change the next.
    static constexpr std::size_t kOfOneMax = 3;
    /// A new one whose maker waits, or that holds nothing yet, is looked at again after so long.
    static constexpr std::chrono::milliseconds kFresh{20};
    static constexpr std::size_t kRememberedMax = 4;
    static constexpr std::size_t kActorsMax = 1024;
    static constexpr std::size_t kBornMax = 65'536;

    struct File {
        FileKey key;
        pid_t tid = 0;
        Time since{};  ///< when it was let change
    };

    /// A new one holds nobody up: what it is may be known later.
    enum class Age { Old, New };
    void add(const FileKey& key, pid_t tid, const std::string& actor, Time now, Age age);
    /// A file that nobody knew yet was seen empty.
    void note_birth(const FileKey& key);
    /// New: it was born since it was last closed.
    Age close(const FileKey& key);
    void remove(const FileKey& key);
    /// A new one of somebody who may begin to read much: of each the last few are remembered …
    void remember(const FileKey& key, pid_t tid, const std::string& actor);
    /// … and looked at from here on, now that it did.
    void recall(const std::string& actor, Time now);
    /// Its last new one is an archive, perhaps: it has read so many files since it began that …
    static constexpr int kGatheredMin = 4;
    bool is_gathering(const std::string& actor) const;
    /// … and twice as many as when this was last asked for: it is time to look.
    bool is_time_to_look(const std::string& actor) const;
    /// Those that it began and has not closed.
    std::vector<File> take_look(const std::string& actor);
    /// Those whose turn it is; all, or those of one actor.
    std::vector<File> due(Time now, const std::optional<std::string>& actor = std::nullopt) const;
    /// It was looked at and told.
    void looked(const FileKey& key, Time now);
    /// There was nothing to be seen in it yet.
    void was_empty(const FileKey& key, Time now);
    /// Its new files may hold more by now, and that matters.
    void hasten(const std::string& actor, Time now);
    /// How many of this actor's, beside one, were never looked at.
    std::size_t unseen(const std::string& actor, const FileKey& beside) const;
    bool is_any_unseen() const;

  private:
    struct Entry {
        pid_t tid = 0;
        std::string actor;
        Time since{};
        int looks = 0;
        Time next{};
        Age age = Age::Old;
        Time last{};  ///< when it was looked at
    };
    mutable std::mutex mutex_;
    std::unordered_map<FileKey, Entry, FileKeyHash> files_;
    std::unordered_map<std::string, std::size_t> unseen_;
    std::unordered_map<std::string, std::deque<std::pair<FileKey, pid_t>>> remembered_;
    std::unordered_set<FileKey, FileKeyHash> born_;
    struct Gathering {
        int read = 0;  ///< different files, since it began its last new one
        int next = kGatheredMin;
    };
    std::unordered_map<std::string, Gathering> gathering_;
    void seen(const Entry& entry);
};

}  // namespace hygie::files
