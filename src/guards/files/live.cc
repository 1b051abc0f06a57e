#include "guards/files/live.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <future>

#include "guards/files/scan.h"
#include "guards/files/whereabouts.h"

namespace hygie::files {
namespace {

/// The kernel's clock for files is that coarse.
constexpr std::int64_t kTickNs = 10'000'000;

/// Compares the share with the last that is known of it.
class Look {
  public:
    explicit Look(const History& history) : writers_(open_for_writing().inodes) {
        for (const Record& record : history.records()) {
            Last& last = last_[record.key];
            last.time = record.time;
            if (record.changed_ns != 0) last.changed_ns = record.changed_ns;
        }
    }

    /// What must be done for a file that should be as `wanted` and is known as `known`.
    std::optional<Step> step(const std::string& path, const FileState& known) const {
        struct stat info{};
        if (::lstat(path.c_str(), &info) < 0)
            return errno == ENOENT || errno == ENOTDIR ? std::optional(Step::Recreate)
                                                       : std::nullopt;
        if (known.type != FileType::Regular || !S_ISREG(info.st_mode)) return std::nullopt;
        const Stamp now = Stamp::of(info);
        const bool is_other = now.size != known.size || now.modified_ns != known.meta.modified_ns;
        return is_other || is_touched_by_a_writer(info, known.key) ? std::optional(Step::Replace)
                                                                   : std::nullopt;
    }

  private:
    struct Last {
        VersionId time = 0;
        std::int64_t changed_ns = 0;
    };

    /// A writer can put the time of change back, but not the kernel's own.
    bool is_touched_by_a_writer(const struct stat& info, const FileKey& key) const {
        const auto found = last_.find(key);
        if (found == last_.end() || !writers_.contains({info.st_dev, info.st_ino})) return false;
        const std::int64_t changed_ns = Stamp::of(info).changed_ns;
        return changed_ns != found->second.changed_ns &&
               changed_ns + kTickNs > static_cast<std::int64_t>(found->second.time) * 1000;
    }

    std::set<Inode> writers_;
    std::unordered_map<FileKey, Last, FileKeyHash> last_;
};

void add(Plan& plan, PlanItem item) {
    const auto at = std::ranges::lower_bound(plan.items, item.path, {}, &PlanItem::path);
    const bool is_planned = at != plan.items.end() && at->path == item.path;
    if (is_planned && at->step != Step::Attributes) return;
    plan.bytes += item.wanted->size;
    plan.actors.insert(item.actors.begin(), item.actors.end());
    if (!is_planned) {
        plan.items.insert(at, std::move(item));
        return;
    }
    at->step = item.step;
    at->actors.merge(item.actors);
}

}  // namespace

Result<Plan> plan_of(StoreDoors doors, const std::string& state, const History& history,
                     const Question& question) {
    if (question.actor) return history.plan(question);
    auto looking = std::async(std::launch::async, [&] { return Look(history); });
    auto going_back =
        std::async(std::launch::async, [&] { return history.timeline(question.since); });
    auto [plan, now] = history.plan_and_present(question);
    const Whereabouts whereabouts = TRY(Whereabouts::look(doors.disk, state));
    const Timeline then = going_back.get();
    const Look look = looking.get();
    for (const auto& [path, known] : now.all()) {
        if (!question.path.empty() && !is_inside(path, question.path)) continue;
        if (!whereabouts.has_share(path) || whereabouts.is_away(path, known.key.volume())) continue;
        const auto wanted = then.at(path);
        const auto step = wanted ? look.step(path, known) : std::nullopt;
        if (!step) continue;
        const auto is_there = *step == Step::Replace ? std::optional(known) : std::nullopt;
        PlanItem item{*step, path, wanted, is_there, {std::string()}, {}};
        for (const std::string& name : then.names_of(wanted->key))
            if (name != path) item.beside.insert(name);
        add(plan, std::move(item));
    }
    tie_names(plan);
    return plan;
}

}  // namespace hygie::files
