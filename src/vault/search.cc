#include <algorithm>
#include <deque>

#include "crypto/aead.h"
#include "fhir/search/search_run.h"
#include "vault/candidates.h"
#include "vault/indexing.h"
#include "vault/seen.h"
#include "vault/unassigned.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

std::string seal_position(const std::string& position, const VaultKeys& keys, Random& random) {
    if (position.empty()) return {};
    return to_hex(crypto::box(keys.position, {}, as_bytes(position), random));
}

Result<std::string> open_position(const std::string& sealed, const VaultKeys& keys) {
    if (sealed.empty()) return std::string();
    if (const auto boxed = from_hex(sealed))
        if (const auto position = crypto::unbox(keys.position, {}, *boxed))
            return std::string(as_text(*position));
    return fail(Code::BadInput,
                {"ce lien vers la suite n'est pas de ce serveur",
                 "this link to the next page is not of this server"},
                {"reprenez la recherche au début", "start the search again"});
}

/// Of each record what a search asks for: its front, a slice, or all of it.
class Parts {
  public:
    /// `whole` opens a record, and makes a damaged index anew.
    Parts(Shelf& shelf, const fhir::Query& query, const Scope& scope, Opening whole)
        : shelf_(shelf), scope_(scope), whole_(std::move(whole)) {
        const auto types = fhir::types_touched(query);
        asks_front_ = scope.patient.empty() && std::ranges::all_of(types, is_in_front);
        if (scope.patient.empty() && types.size() == 1) slice_ = types.front();
        house_ = shelf.number_of("");
    }

    Opened open(CompartmentNumber number) const {
        if (is_whole(number)) return whole_(number);
        auto found = part(number);
        if (!found && found.error().code == Code::Corrupt) return anew(number);
        return found;
    }
    /// What open() gave, or more of it where that is damaged or not enough.
    Opened checked(std::shared_ptr<const Record> record) const {
        const CompartmentNumber number = record->number();
        if (is_whole(number)) return record;
        if (record->index().is_damaged()) return anew(number);
        // What somebody's rights narrow by a search may need all that the record holds.
        const bool may_need_all = !slice_.empty() && scope_.narrows;
        if (may_need_all && scope_.narrows(*record, record->index())) return whole_(number);
        return record;
    }

  private:
    bool is_whole(CompartmentNumber number) const {
        return number == house_ || !(asks_front_ || !slice_.empty());
    }
    Opened part(CompartmentNumber number) const {
        return asks_front_ ? shelf_.front(number) : shelf_.slice(number, slice_);
    }
    Opened anew(CompartmentNumber number) const {
        TRY(whole_(number));
        return part(number);
    }

    Shelf& shelf_;
    const Scope& scope_;
    const Opening whole_;
    std::optional<CompartmentNumber> house_;
    bool asks_front_ = false;
    std::string_view slice_;  ///< the one type that is asked about; empty: there are several
};

/// Records that are opened before the first of them is judged.
constexpr std::size_t kAskedAhead = 32;

/// What judging and searching begin with lies apart from each record, nowhere near the processor as
/// a rule: asked for of all at once, memory is waited for once and not at every record.
void ask_ahead(std::span<const Opened> records) {
    const auto each = [&](auto&& ask) {
        for (const Opened& record : records)
            if (record) ask(**record);
    };
    each([](const Record& record) {
        __builtin_prefetch(record.relations().data());
        __builtin_prefetch(record.index().pieces().data());
    });
    each([](const Record& record) {
        for (const fhir::Compartment::Piece& piece : record.index().pieces())
            __builtin_prefetch(piece.segment.get());
    });
    each([](const Record& record) {
        for (const fhir::Compartment::Piece& piece : record.index().pieces())
            __builtin_prefetch(&piece.segment->data());
    });
}

/// What a search looks into, in order: records of one patient's compartment, or all that could hold
/// a hit; then those beside.
class Looked {
  public:
    /// Judges each of these records, and keeps what is seen of those that are open to the asker.
    Status add(std::span<const CompartmentNumber> left, const Parts& parts, const Scope& scope) {
        while (!left.empty()) {
            const auto some = left.first(std::min(left.size(), kAskedAhead));
            left = left.subspan(some.size());
            std::vector<Opened> opened;
            for (const CompartmentNumber number : some) opened.push_back(parts.open(number));
            ask_ahead(opened);
            for (Opened& record : opened) {
                if (record) record = parts.checked(*std::move(record));
                if (!record && record.error().code == Code::Erased) continue;
                if (!record) return std::unexpected(record.error());
                if (!scope.allows(**record)) continue;
                compartments_.push_back(&seen_of(**record, scope, masked_));
                records_.push_back(*std::move(record));
            }
        }
        return {};
    }

    std::span<const std::shared_ptr<const Record>> records() const { return records_; }
    std::span<const fhir::Compartment* const> compartments() const { return compartments_; }

  private:
    std::vector<std::shared_ptr<const Record>> records_;
    std::vector<const fhir::Compartment*> compartments_;
    std::deque<fhir::Compartment> masked_;
};

}  // namespace

Result<Page> Vault::search(fhir::Query query, const Scope& scope) {
    Shelf& shelf = state_->shelf;
    query.position = TRY(open_position(query.position, shelf.keys()));
    const CompartmentNumber house = TRY(state_->number_of(""));
    const Opening whole = [&](CompartmentNumber number) { return state_->open(number); };
    std::optional<Scope> of_no_patient;
    if (!scope.patient.empty()) of_no_patient.emplace(scope).patient.clear();
    const Scope& everywhere = of_no_patient ? *of_no_patient : scope;
    const Parts parts(shelf, query, everywhere, whole);
    const auto open = [&](CompartmentNumber number) -> Opened {
        return parts.checked(TRY(parts.open(number)));
    };
    Looked looked;
    Candidates beside;
    std::size_t hits_from = SIZE_MAX;
    if (scope.patient.empty()) {
        beside = TRY(find_candidates(shelf, query, scope, open));
        const auto unassigned = shelf.number_of(kUnassigned);
        if (unassigned && std::ranges::count(beside.numbers, *unassigned) == 0)
            beside.numbers.push_back(*unassigned);
    } else {
        Within within = TRY(find_within(shelf, query, scope, open));
        TRY_STATUS(looked.add(within.compartment, Parts(shelf, query, scope, whole), scope));
        hits_from = looked.records().size();
        beside = std::move(within.beside);
    }
    std::erase(beside.numbers, house);
    beside.numbers.push_back(house);
    TRY_STATUS(looked.add(beside.numbers, parts, everywhere));

    const auto records = looked.records();
    fhir::Space space{.compartments = looked.compartments(), .hits_from = hits_from};
    if (scope.includes)
        space.includes = [&](std::size_t at, std::string_view type) {
            return scope.includes(*records[at], type);
        };
    auto found = fhir::run(query, space);
    // What was met damaged makes the answer worth nothing, an error included.
    for (const auto& record : records)
        if (record->index().is_damaged()) return std::unexpected(damaged_index());
    const fhir::Hits hits = TRY(std::move(found));

    Page page{.total = hits.total, .is_partial = beside.is_partial};
    for (const fhir::Hit& hit : hits.page)
        page.page.push_back({records[hit.compartment], hit.entry});
    for (const fhir::Hit& hit : hits.included)
        page.included.push_back({records[hit.compartment], hit.entry});
    page.next = seal_position(hits.next, shelf.keys(), state_->doors.random);
    return page;
}

}  // namespace hygie::vault
