#include "access/circles/policy_diff.h"

#include <algorithm>
#include <map>

namespace hygie::access {
namespace {

std::map<std::string, const PolicyRow*> by_code(const Policy& policy) {
    std::map<std::string, const PolicyRow*> rows;
    for (const PolicyRow& row : policy.rows)
        for (const std::string& code : row.codes) rows[code] = &row;
    return rows;
}

const PolicyRow& row_for(const Policy& policy, const std::map<std::string, const PolicyRow*>& rows,
                         const std::string& code) {
    const auto found = rows.find(code);
    return found != rows.end() ? *found->second : policy.row_of(Role::Care, code);
}

void add_changes(const std::string& code, const PolicyRow& before, const PolicyRow& after,
                 std::vector<MatrixChange>& changes) {
    for (const bool writing : {false, true}) {
        const Classes old_classes = writing ? before.write : before.read;
        const Classes new_classes = writing ? after.write : after.read;
        for (std::size_t i = 0; i < kDataClasses; ++i) {
            const Classes one = bit(DataClass(i));
            if ((old_classes & one) == (new_classes & one)) continue;
            changes.push_back({.code = code,
                               .title = after.title.fr.empty() ? before.title : after.title,
                               .data = DataClass(i),
                               .writing = writing,
                               .gains = (new_classes & one) != 0});
        }
    }
}

}  // namespace

std::vector<MatrixChange> diff_matrix(const Policy& before, const Policy& after) {
    const auto old_rows = by_code(before);
    const auto new_rows = by_code(after);
    std::map<std::string, const PolicyRow*> codes = old_rows;
    codes.insert(new_rows.begin(), new_rows.end());
    std::vector<MatrixChange> changes;
    for (const auto& [code, row] : codes)
        add_changes(code, row_for(before, old_rows, code), row_for(after, new_rows, code), changes);
    return changes;
}

std::vector<std::string> diff_limits(const Policy& before, const Policy& after) {
    std::vector<std::string> changed;
    for (std::size_t i = 1; i < kRelationKinds; ++i)
        if (before.windows[i] != after.windows[i])
            changed.push_back("windows." + std::string(name_of(Relation::Kind(i))));
    if (before.step_up != after.step_up) changed.emplace_back("step_up");
    if (before.desk_needs_reason != after.desk_needs_reason)
        changed.emplace_back("desk_needs_reason");
    if (before.delegation_depth != after.delegation_depth) changed.emplace_back("delegation_depth");
    if (before.break_glass_seconds != after.break_glass_seconds ||
        before.motive_chars != after.motive_chars)
        changed.emplace_back("break_glass");
    if (before.rates != after.rates) changed.emplace_back("rates");
    const auto glass = [](const Policy& policy) {
        std::vector<std::string> codes;
        for (const PolicyRow& row : policy.rows)
            if (row.break_glass) codes.insert(codes.end(), row.codes.begin(), row.codes.end());
        std::ranges::sort(codes);
        return codes;
    };
    if (glass(before) != glass(after)) changed.emplace_back("rows.break_glass");
    return changed;
}

WorldDiff diff_worlds(const CircleWorld& before, const CircleWorld& after, Second now) {
    WorldDiff diff;
    const std::uint64_t questions =
        std::uint64_t{before.index().actors()} * before.index().patients() * kDataClasses * 2;
    diff.every = static_cast<std::size_t>(questions / kDiffQuestionsMax) + 1;
    for (ActorNumber actor = 0; actor < before.index().actors(); ++actor) {
        PersonChange change{.actor = actor};
        for (std::size_t p = 0; p < before.index().patients(); p += diff.every) {
            bool gains = false;
            bool loses = false;
            for (std::size_t i = 0; i < kDataClasses; ++i) {
                const auto patient = static_cast<PatientNumber>(p);
                const Query query{.now = now, .data = DataClass(i), .strong = true};
                const bool was = before.index().allows(actor, patient, query);
                const bool is = after.index().allows(actor, patient, query);
                gains = gains || (is && !was);
                loses = loses || (was && !is);
            }
            change.gains += gains ? 1U : 0U;
            change.losses += loses ? 1U : 0U;
        }
        if (change.gains > 0 || change.losses > 0) diff.persons.push_back(change);
    }
    return diff;
}

}  // namespace hygie::access
