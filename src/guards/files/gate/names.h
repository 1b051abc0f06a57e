#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "guards/files/acts/fanotify.h"
#include "guards/files/acts/urgent_mutex.h"

namespace hygie::files {

/// What the kernel told about names, until the clerk has dealt with it. Whoever stands at the door
/// sees at once who took names away and whom the judge does not know of yet. Thread-safe.
class Names {
  public:
    /// The key of the actor who took a name from something, or changed it, that others know; none
    /// when it was its own, or new.
    using Debtor = std::function<std::optional<std::string>(const fan::Event&)>;
    /// Told of each process that is seen taking a name away, before anything else.
    using Glimpse = std::function<void(pid_t)>;

    static constexpr std::size_t kWaitingMax = 8192;

    Names(fan::Group& group, Debtor debtor, Glimpse glimpse)
        : group_(group), debtor_(std::move(debtor)), glimpse_(std::move(glimpse)) {}

    /// All that waits, in order, to be dealt with now, until it is put down.
    const std::vector<fan::Event>& take();
    /// What was taken is told.
    void put_down();
    /// Glimpses at what the kernel told since; it waits as before. False when no more may wait.
    bool look();
    /// Something waits, or is being dealt with.
    bool pending();
    /// The actor took a name away from others, or gave it to another file, and that is not told
    /// yet.
    bool owes(const std::string& actor);
    struct OldName {
        fan::Handle dir;
        std::string name;
    };
    /// What the file that `is_it` knows was called before the first rename that is not told yet.
    std::optional<OldName> old_name(const std::function<bool(const fan::Event&)>& is_it);

  private:
    void take_in();

    fan::Group& group_;
    Debtor debtor_;
    Glimpse glimpse_;
    UrgentMutex mutex_;
    std::deque<fan::Event> waiting_;
    std::set<std::string> owing_;    ///< of waiting_
    std::vector<fan::Event> taken_;  ///< being dealt with
    std::set<std::string> in_hand_;  ///< of taken_
};

}  // namespace hygie::files
