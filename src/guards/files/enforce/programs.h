#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "guards/files/acts/actors.h"
#include "guards/files/acts/change.h"
#include "guards/files/acts/fanotify.h"

namespace hygie::files {

/// Whether mounts of this type are watched: file systems of this machine, whose programs can be
/// read without asking another machine or program.
bool holds_programs(std::string_view type);
/// The places of the mounts to watch, from the text of /proc/self/mountinfo.
std::vector<std::string> mounts_to_watch(std::string_view mountinfo);
/// Whether only root can have put a program here, with its package: it counts by its name alone.
bool is_of_system(std::string_view path);

/// Meets every program that this machine runs, wherever it lies: the gate knows the share alone,
/// and false support installs elsewhere. Told after the fact it holds nobody up; where tools are
/// refused, each start waits for an answer that asks no disk but the program's own.
///
/// When the guard dies nothing waits any more: the one thread that answers has descriptors of its
/// own, which neither the deadman nor a program that is being started inherits.
class Programs {
  public:
    enum class How { Report, Refuse };
    struct Asks {
        /// What the tool is called; nothing for all else, which is not asked about again until it
        /// is written anew. Must not open anything, as the next.
        std::function<std::optional<std::string>(const Change&)> recognise;
        std::function<bool(const Change&)> is_wanted;
        /// Called by a thread of its own.
        std::function<void(const Change&, const std::string&)> report;
    };

    /// Call it before the process forks or is confined. What lies in `except` is somebody else's.
    static Result<std::unique_ptr<Programs>> start(How how, std::vector<std::string> except);
    /// When it returns programs are met.
    void meet_all(Asks asks);
    ~Programs();

  private:
    Programs(How how, std::vector<std::string> except);
    std::uint64_t mask() const;
    Status open();
    void run(const std::stop_token& stop);
    void answer_all(const std::stop_token& stop);
    void watch_mounts();
    void meet(const fan::Event& event);
    void tell(const std::stop_token& stop);

    static constexpr std::size_t kToldMax = 1024;

    How how_;
    std::vector<std::string> except_;
    std::string own_program_;
    Actors actors_{nullptr};
    fan::Group group_;  ///< in the table of descriptors of the thread that answers
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Status> opened_;
    bool is_begun_ = false;
    bool is_watching_ = false;
    Asks asks_;
    std::deque<std::pair<Change, std::string>> found_;
    std::jthread answers_;
    std::jthread tells_;
};

}  // namespace hygie::files
