#include "guards/files/keep/history.h"

#include <algorithm>

namespace hygie::files {
namespace {

FileState state_of(const Record& record) {
    return {record.key,  record.time,  record.type,  record.meta,
            record.size, record.place, record.target};
}

/// Collects which names changed since, and what they led to before.
class Watcher {
  public:
    Watcher(const Timeline& timeline, const Question& question)
        : timeline_(timeline), question_(question) {}

    void see(const Record& record) {
        if (record.happened <= question_.since) return;
        if (record.kind == RecordKind::Stopped) stopped_.insert(record.actor);
        if (question_.actor && record.actor != *question_.actor) return;
        for (const std::string& path : touched(record)) remember(path, record.actor);
    }

    struct Seen {
        std::optional<FileState> before;
        std::set<std::string> actors;
        std::set<std::string> beside;
        std::string creator;
    };
    const std::map<std::string, Seen>& seen() const { return seen_; }

    /// Whose new files are set aside: those asked for, else those that were stopped, else those
    /// that changed or removed what was there. A file named after a victim ("letter.pdf.locked") is
    /// one of theirs too: who removed the victim may have been a process that lived too shortly to
    /// be known.
    bool sets_aside(const std::string& path, const std::string& actor) const {
        if (question_.actor || is_named_after_a_victim(path)) return true;
        if (actor.empty()) return false;
        return stopped_.empty() ? destroyers_.contains(actor) : stopped_.contains(actor);
    }

  private:
    bool is_named_after_a_victim(const std::string& path) const {
        for (std::size_t end = path.size() - 1; end > 0 && path[end - 1] != '/'; --end) {
            const auto found = seen_.find(path.substr(0, end));
            if (found != seen_.end() && found->second.before) return true;
        }
        return false;
    }

    std::vector<std::string> touched(const Record& record) const {
        std::vector<std::string> paths;
        switch (record.kind) {
            case RecordKind::Present:
                if (record.cause == Cause::Baseline || record.cause == Cause::PreImage) return {};
                paths = timeline_.names_of(record.key);
                paths.push_back(record.path);
                break;
            case RecordKind::Committed:
            case RecordKind::Attributes:
                return timeline_.names_of(record.key);
            case RecordKind::Gone:
                paths.push_back(record.path);
                break;
            case RecordKind::Moved:
                if (record.from == record.path || record.cause == Cause::Baseline) return {};
                // It came from outside, or is a second name.
                if (record.from.empty()) return {record.path};
                for (const std::string& below : timeline_.below(record.from)) {
                    paths.push_back(below);
                    paths.push_back(record.path + below.substr(record.from.size()));
                }
                // In what it changes places with.
                for (const std::string& below : timeline_.below(record.path)) {
                    paths.push_back(below);
                    paths.push_back(record.from + below.substr(record.path.size()));
                }
                paths.push_back(record.path);
                break;
            default:
                break;
        }
        return paths;
    }

    std::set<std::string> beside(const std::string& path,
                                 const std::optional<FileState>& before) const {
        if (!before || before->type != FileType::Regular) return {};
        const std::vector<std::string> names = timeline_.names_of(before->key);
        std::set<std::string> others;
        if (names.size() > 1) others.insert(names.begin(), names.end());
        others.erase(path);
        return others;
    }

    void remember(const std::string& path, const std::string& actor) {
        if (path.empty() || (!question_.path.empty() && !is_inside(path, question_.path))) return;
        const auto [item, is_first] = seen_.try_emplace(path);
        if (is_first) {
            item->second.before = timeline_.at(path);
            item->second.beside = beside(path, item->second.before);
            item->second.creator = actor;
        }
        item->second.actors.insert(actor);
        if (item->second.before) destroyers_.insert(actor);
    }

    const Timeline& timeline_;
    const Question& question_;
    std::map<std::string, Seen> seen_;
    std::set<std::string> stopped_;
    std::set<std::string> destroyers_;
};

std::optional<Step> step_for(const std::optional<FileState>& wanted,
                             const std::optional<FileState>& now) {
    if (!wanted) return now ? std::optional(Step::SetAside) : std::nullopt;
    if (!now) return Step::Recreate;
    const bool is_same = wanted->type == now->type && wanted->target == now->target &&
                         (wanted->version == now->version || wanted->type != FileType::Regular ||
                          (wanted->size == 0 && now->size == 0));
    if (!is_same) return Step::Replace;
    Meta meta = now->meta;
    // Times of folders follow what happens inside them.
    if (wanted->type == FileType::Folder) meta.modified_ns = wanted->meta.modified_ns;
    return meta == wanted->meta ? std::nullopt : std::optional(Step::Attributes);
}

}  // namespace

std::string_view name_of(Step step) {
    switch (step) {
        case Step::Recreate:
            return "recreate";
        case Step::Replace:
            return "replace";
        case Step::Attributes:
            return "attributes";
        case Step::SetAside:
            return "set-aside";
    }
    return "";
}

// ---- Timeline --------------------------------------------------------------------------------

/// Most records are of a file by the name that it has already.
Timeline::Names::iterator Timeline::name(const std::string& path, const FileKey& key) {
    const auto [name, is_new] = names_.try_emplace(path);
    if (!is_new && name->second.key == key) return name;
    if (!is_new) std::erase(paths_[name->second.key], name);
    paths_[key].push_back(name);
    name->second.key = key;
    return name;
}

void Timeline::take(const std::string& path) {
    const auto found = names_.find(path);
    if (found == names_.end()) return;
    std::erase(paths_[found->second.key], found);
    names_.erase(found);
}

/// All names of one file show the same.
void Timeline::show(const FileState& state) {
    files_[state.key] = state;
    if (const auto paths = paths_.find(state.key); paths != paths_.end())
        for (const auto& name : paths->second) name->second = state;
}

std::optional<FileState> Timeline::at(const std::string& path) const {
    const auto found = names_.find(path);
    if (found == names_.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string> Timeline::names_of(const FileKey& key) const {
    std::vector<std::string> all;
    if (const auto found = paths_.find(key); found != paths_.end())
        for (const auto& name : found->second) all.push_back(name->first);
    return all;
}

std::vector<std::string> Timeline::below(const std::string& path) const {
    std::vector<std::string> all;
    if (names_.contains(path)) all.push_back(path);
    const std::string prefix = path + '/';
    for (auto it = names_.lower_bound(prefix); it != names_.end() && it->first.starts_with(prefix);
         ++it)
        all.push_back(it->first);
    return all;
}

void Timeline::move(const Record& record) {
    std::vector<std::pair<std::string, FileState>> moved;
    const auto from = names_.find(record.from);
    // In an exchange the old name leads to the other file already.
    const bool has_from = from != names_.end() && from->second.key == record.key;
    if (has_from) {
        const bool is_folder = from->second.type == FileType::Folder;
        const auto take_all = [&](const std::vector<std::string>& paths, const std::string& was,
                                  const std::string& is) {
            for (const std::string& path : paths) {
                moved.emplace_back(is + path.substr(was.size()), names_.at(path));
                take(path);
            }
        };
        // Nobody renames a folder over one that holds anything: what is known there belongs to one
        // that changes places with it.
        if (is_folder && record.from != record.path) {
            take(record.path);
            take_all(below(record.path), record.path, record.from);
        }
        take_all(is_folder ? below(record.from) : std::vector{record.from}, record.from,
                 record.path);
    } else if (const auto file = files_.find(record.key); file != files_.end()) {
        moved.emplace_back(record.path, file->second);
    }
    for (auto& [path, state] : moved) name(path, state.key)->second = std::move(state);
}

void Timeline::apply(const Record& record) {
    switch (record.kind) {
        case RecordKind::Present: {
            FileState state = state_of(record);
            if (record.cause == Cause::PreImage) {
                unconfirmed_[record.time] = std::move(state);
                break;
            }
            (void)name(record.path, record.key);
            show(state);
            break;
        }
        case RecordKind::Committed: {
            const auto found = unconfirmed_.find(record.version);
            if (found == unconfirmed_.end()) break;
            show(found->second);
            unconfirmed_.erase(found);
            break;
        }
        case RecordKind::Gone: {
            const auto found = names_.find(record.path);
            if (found != names_.end() && found->second.key == record.key) take(record.path);
            break;
        }
        case RecordKind::Moved:
            move(record);
            break;
        case RecordKind::Attributes:
            if (const auto file = files_.find(record.key); file != files_.end())
                file->second.meta = record.meta;
            if (const auto paths = paths_.find(record.key); paths != paths_.end())
                for (const auto& name : paths->second) name->second.meta = record.meta;
            break;
        default:
            break;
    }
}

std::map<std::string, std::size_t> changes_of(const Plan& plan) {
    std::map<std::string, std::size_t> changes;
    for (const PlanItem& item : plan.items)
        for (const std::string& actor : item.actors) ++changes[actor];
    return changes;
}

void tie_names(Plan& plan) {
    for (const PlanItem& item : plan.items)
        for (const std::string& name : item.beside) {
            const auto other = std::ranges::lower_bound(plan.items, name, {}, &PlanItem::path);
            if (other != plan.items.end() && other->path == name && other->wanted &&
                other->wanted->key == item.wanted->key)
                other->beside.insert(item.path);
        }
}

// ---- History ---------------------------------------------------------------------------------

Result<History> History::read(StoreDoors doors, const std::string& state) {
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Refuse));
    History history;
    TRY_STATUS(Journal::read(doors.disk, StatePaths(state).log, key, [&](Record&& record) {
        if (record.kind == RecordKind::Sealed)
            history.sealed_[record.version] = history.records_.size();
        // What was told later must agree with it.
        if (!record.hash.empty())
            history.hashed_.try_emplace(record.version, history.records_.size());
        history.records_.push_back(std::move(record));
        return Status();
    }));
    return history;
}

const Record* History::sealed(VersionId version) const {
    const auto found = sealed_.find(version);
    return found == sealed_.end() ? nullptr : &records_[found->second];
}

const Record* History::hashed(VersionId version) const {
    const auto found = hashed_.find(version);
    return found == hashed_.end() ? nullptr : &records_[found->second];
}

Plan History::plan(const Question& question) const {
    return plan_and_present(question).plan;
}

History::PlanAndPresent History::plan_and_present(const Question& question) const {
    Timeline timeline;
    Watcher watcher(timeline, question);
    for (const Record& record : records_) {
        watcher.see(record);
        timeline.apply(record);
    }
    Plan plan;
    for (const auto& [path, seen] : watcher.seen()) {
        PlanItem item{Step::Recreate,    path,        seen.before,
                      timeline.at(path), seen.actors, seen.beside};
        const auto step = step_for(item.wanted, item.now);
        if (!step) continue;
        if (*step == Step::SetAside && !watcher.sets_aside(path, seen.creator)) {
            ++plan.spared;
            continue;
        }
        item.step = *step;
        if (*step == Step::Recreate || *step == Step::Replace) plan.bytes += item.wanted->size;
        plan.actors.insert(item.actors.begin(), item.actors.end());
        plan.items.push_back(std::move(item));
    }
    tie_names(plan);
    return {std::move(plan), std::move(timeline)};
}

Timeline History::timeline(VersionId until) const {
    Timeline timeline;
    for (const Record& record : records_)
        // Bytes that were kept before a change are nobody's state until they are named as one.
        if (record.happened <= until || record.cause == Cause::PreImage) timeline.apply(record);
    return timeline;
}

std::vector<VersionLine> History::log(const std::string& path) const {
    Timeline timeline;
    std::set<FileKey> keys;
    // Twice: the file may have had this name only later.
    for (const Record& record : records_) {
        timeline.apply(record);
        if (record.path == path || record.from == path) keys.insert(record.key);
    }
    std::vector<VersionLine> lines;
    for (const Record& record : records_) {
        const bool is_act = record.kind == RecordKind::Present || record.kind == RecordKind::Gone ||
                            record.kind == RecordKind::Moved ||
                            record.kind == RecordKind::Attributes;
        if (is_act && keys.contains(record.key))
            lines.push_back({record.time, record.happened, record.path, record.size, record.cause,
                             record.kind, record.actor, record.from});
    }
    return lines;
}

}  // namespace hygie::files
