#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/change.h"
#include "guards/files/acts/fanotify.h"

namespace hygie::files {

/// A writer that closed a file; not looked at yet.
struct Closing {
    fan::Event event;
    FileKey key;
    bool is_first = false;     ///< of a new file
    std::uint64_t number = 0;  ///< in the order in which the kernel told
};

/// The closings that nobody has dealt with, by file: whoever is about to let a file change deals
/// with its closing first, so that the version it left is kept. Thread-safe.
class Closings {
  public:
    /// `sort` turns an event into a closing, or says that it is nobody's business.
    using Sort = std::function<std::optional<Closing>(fan::Event)>;
    using Deal = std::function<void(Closing&)>;

    static constexpr std::size_t kWaitingMax = 1024;
    static constexpr std::size_t kReadBytes = 8 << 10;

    Closings(fan::Group& group, Sort sort) : group_(group), sort_(std::move(sort)) {}

    /// Deals with the oldest one. False when there is none.
    bool deal_with_next(const Deal& deal);
    /// Deals with those of this file; returns when none is in anybody's hands. True when there was
    /// one.
    bool deal_with(const FileKey& key, const Deal& deal);
    /// Deals with all that came before, and returns when none of them is in anybody's hands: those
    /// who never cease to close keep nobody. False when there was none.
    bool settle(const Deal& deal);
    /// Something waits, or is in somebody's hands.
    bool pending();

  private:
    Status take_in();
    std::optional<Closing> pick_next(std::uint64_t last);
    void pick_up(const Closing& closing);
    void hand(Closing& closing, const Deal& deal);

    fan::Group& group_;
    Sort sort_;
    std::mutex mutex_;
    std::condition_variable put_down_;
    std::vector<fan::Event> events_;
    std::deque<Closing> waiting_;
    std::unordered_map<FileKey, int, FileKeyHash> counts_;  ///< of waiting_
    struct Hand {
        FileKey key;
        std::uint64_t number = 0;
    };
    std::vector<Hand> in_hand_;
    std::uint64_t told_ = 0;  ///< how many the kernel ever told of
};

}  // namespace hygie::files
