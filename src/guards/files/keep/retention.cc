#include "guards/files/keep/retention.h"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "guards/files/keep/history.h"

namespace hygie::files {
namespace {

constexpr VersionId kDayUs = 86'400'000'000;

struct Kept {
    FileKey key;
    VersionId superseded = 0;  ///< 0: it is the present one
    bool is_sealed = false;
    bool is_markable = false;  ///< staged, and not marked yet
    std::uint64_t size = 0;
};

/// Follows which version of each file is the present one.
class Ages {
  public:
    void take(const Record& record) {
        timeline_.apply(record);
        switch (record.kind) {
            case RecordKind::Present:
                take_present(record);
                break;
            case RecordKind::Committed:
                follow(record.key, record.version, record.time);
                break;
            case RecordKind::Gone:
            case RecordKind::Moved:
                weigh(record.key, record.time);
                break;
            case RecordKind::Sealed:
                if (const auto it = kept_.find(record.version); it != kept_.end())
                    it->second.is_sealed = true;
                break;
            case RecordKind::Hashed:
                if (const auto it = kept_.find(record.version); it != kept_.end())
                    it->second.is_markable = false;
                break;
            case RecordKind::Dropped:
                kept_.erase(record.version);
                break;
            default:
                break;
        }
    }

    const std::map<VersionId, Kept>& kept() const { return kept_; }

  private:
    void take_present(const Record& record) {
        const bool is_whole = record.cause != Cause::PreImage;
        if (record.place != Place::None)
            kept_[record.time] = {record.key, is_whole ? 0 : record.time, false,
                                  record.place == Place::Staged, record.size};
        if (is_whole) follow(record.key, record.time, record.time);
    }

    void follow(const FileKey& key, VersionId version, VersionId time) {
        VersionId& latest = latest_[key];
        if (const auto old = kept_.find(latest); old != kept_.end() && latest != version)
            old->second.superseded = time;
        latest = version;
        weigh(key, time);
    }

    /// A file without a name is past; one that has a name again is present.
    void weigh(const FileKey& key, VersionId time) {
        const auto found = kept_.find(latest_[key]);
        if (found == kept_.end()) return;
        const bool has_name = !timeline_.names_of(key).empty();
        if (has_name) found->second.superseded = 0;
        if (!has_name && found->second.superseded == 0) found->second.superseded = time;
    }

    Timeline timeline_;
    std::map<VersionId, Kept> kept_;
    std::unordered_map<FileKey, VersionId, FileKeyHash> latest_;
};

std::optional<Chore::Duty> duty_for_age(const Kept& kept, Micros age, bool is_last_of_day,
                                        const RetentionRules& rules) {
    if (age > rules.longest || (age > rules.every && !is_last_of_day)) return Chore::Duty::Drop;
    if (age > rules.clear && !kept.is_sealed) return Chore::Duty::Seal;
    return std::nullopt;
}

}  // namespace

std::vector<Chore> chores(std::span<const Record> records, VersionId now,
                          const RetentionRules& rules) {
    Ages ages;
    for (const Record& record : records) ages.take(record);
    std::vector<Chore> due;
    std::set<std::pair<FileKey, VersionId>> days;
    // Newest first: the first of a day that is met is its last.
    for (auto it = ages.kept().rbegin(); it != ages.kept().rend(); ++it) {
        const auto& [version, kept] = *it;
        std::optional<Chore::Duty> duty;
        if (kept.superseded != 0 && kept.superseded <= now) {
            const Micros age(static_cast<std::int64_t>(now - kept.superseded));
            const bool is_last_of_day = days.emplace(kept.key, version / kDayUs).second;
            duty = duty_for_age(kept, age, is_last_of_day, rules);
        }
        if (!duty && kept.is_markable && !kept.is_sealed && kept.size >= rules.marked_bytes_min)
            duty = Chore::Duty::Mark;
        if (duty) due.push_back({*duty, kept.key, version, kept.size});
    }
    return due;
}

}  // namespace hygie::files
