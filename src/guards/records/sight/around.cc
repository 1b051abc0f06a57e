#include "guards/records/sight/around.h"

#include <mutex>
#include <set>

#include "fhir/search/search_query.h"
#include "guards/records/sight/search.h"

namespace hygie::records {

/// The vault shows each of them to the one who allows; a search that only counts is how it is asked
/// to.
Answer<std::vector<std::shared_ptr<const vault::Record>>> records_around(Sight& sight,
                                                                         std::string_view type) {
    std::mutex mutex;
    std::set<std::string> patients;
    vault::Scope scope = circle_of(sight.call());
    scope.allows = [&](const vault::Record& record) {
        const std::lock_guard lock(mutex);
        patients.emplace(record.patient());
        return false;
    };
    fhir::Query query = TRY(fhir::parse_query(
        type, {}, {.base = sight.desk().options.base, .now = sight.desk().rooms.clock.now()}));
    query.summary = fhir::Query::Summary::Count;
    TRY(sight.desk().rooms.vault.search(query, scope));
    std::vector<std::shared_ptr<const vault::Record>> records;
    for (const std::string& patient : patients) {
        // The house may be empty still.
        if (auto record = sight.desk().rooms.vault.record(patient)) records.push_back(*record);
    }
    return records;
}

}  // namespace hygie::records
