#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "crypto/aead.h"
#include "fhir/data/schema.h"
#include "fhir/search/blind.h"
#include "fhir/search/search_run.h"
#include "vault/indexing.h"
#include "vault/labels.h"
#include "vault/parting.h"
#include "vault/shared.h"
#include "vault/unassigned.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

using NumberSet = std::vector<CompartmentNumber>;

void make_set(NumberSet& numbers) {
    std::ranges::sort(numbers);
    const auto repeated = std::ranges::unique(numbers);
    numbers.erase(repeated.begin(), repeated.end());
}

/// Both sets; none means no limit yet.
void intersect(std::optional<NumberSet>& narrowed, NumberSet with) {
    make_set(with);
    if (!narrowed) {
        narrowed = std::move(with);
        return;
    }
    NumberSet common;
    std::ranges::set_intersection(*narrowed, with, std::back_inserter(common));
    *narrowed = std::move(common);
}

/// Patients that a query over a type outside FHIR's compartments names: its hits refer to them.
std::vector<std::string> named_patients(const fhir::Query& query) {
    if (!fhir::patient_compartment_params(query.type).empty()) return {};
    for (const fhir::Criterion& criterion : query.all) {
        if (criterion.kind != fhir::Criterion::Kind::Value || !criterion.param ||
            criterion.param->code != "patient" || criterion.modifier != fhir::Modifier::None)
            continue;
        std::vector<std::string> patients;
        for (const fhir::Operand& operand : criterion.any) patients.push_back(operand.text);
        return patients;
    }
    return {};
}

std::unexpected<Error> too_many() {
    return fail(Code::Full,
                {"cette recherche toucherait plus de 2 000 dossiers",
                 "this search would touch more than 2,000 records"},
                {"précisez-la (patient, identifiant, date de naissance), ou demandez un "
                 "export autorisé",
                 "narrow it (patient, identifier, birth date), or ask for an authorised "
                 "export"});
}

bool has_kind(const fhir::Query& query, fhir::Criterion::Kind kind) {
    return std::ranges::any_of(query.all, [&](const auto& one) { return one.kind == kind; });
}

/// Whether what refers to the hits decides about them or comes along: it may lie in other records.
bool looks_back(const fhir::Query& query) {
    return has_kind(query, fhir::Criterion::Kind::Has) ||
           std::ranges::any_of(query.includes, &fhir::Include::reverse);
}

/// The same of what the hits refer to.
bool looks_on(const fhir::Query& query) {
    return has_kind(query, fhir::Criterion::Kind::Chain) ||
           std::ranges::any_of(query.includes, std::logical_not(), &fhir::Include::reverse);
}

/// Whether it is asked which Patients link to the hits: no term leads to their records (blind.h).
bool looks_back_along_links(const fhir::Query& query) {
    const auto asks = [](const auto& one) { return one.type == "Patient"; };
    return std::ranges::any_of(query.includes,
                               [](const fhir::Include& one) {
                                   return one.reverse && one.param && one.source == "Patient";
                               }) ||
           std::ranges::any_of(query.all, [&](const fhir::Criterion& one) {
               return one.kind == fhir::Criterion::Kind::Has &&
                      std::ranges::any_of(one.inner, asks);
           });
}

using Opened = Result<std::shared_ptr<const Record>>;
/// Opens a record, or what a search asks of it.
using Opening = std::function<Opened(CompartmentNumber)>;

/// Which records could hold a hit, or what decides about one; the house left out.
class Candidates {
  public:
    Candidates(Shelf& shelf, const fhir::Query& query, Opening open)
        : shelf_(shelf), query_(query), open_(std::move(open)) {}

    Result<NumberSet> find(const Scope& scope) {
        const auto touched = fhir::types_touched(query_);
        if (std::ranges::none_of(touched, is_in_records)) return NumberSet{};
        const fhir::Narrowed narrowed = fhir::narrow(query_);
        if (narrowed.patients) TRY_STATUS(by_patients(*narrowed.patients, narrowed.patient_terms));
        if (const auto named = named_patients(query_); !named.empty())
            TRY_STATUS(by_patients(named, {}));
        TRY_STATUS(by_ids());
        for (const auto& any : narrowed.all_of_any) TRY_STATUS(by_terms(any));
        if (found_) TRY_STATUS(and_where_they_lead());
        if (!found_ && scope.person.empty())
            TRY_STATUS(everybody());
        else if (!found_)
            TRY_STATUS(by_circle(scope));
        if (found_->size() > kCandidatesMax) return too_many();
        return std::move(*found_);
    }

  private:
    /// A program has no circle: nothing narrows, so all are looked into while they are few.
    Status everybody() {
        const crypto::KeyTable& table = shelf_.table();
        if (table.live() > kCandidatesMax) return too_many();
        found_.emplace();
        const auto own = shelf_.number_of(kOwnMemory);
        for (CompartmentNumber number = 1; number <= table.slots(); ++number)
            if (number != own && table.get(number)) found_->push_back(number);
        return {};
    }

    /// In their records, or in another's that names them.
    Status by_patients(const std::vector<std::string>& patients,
                       const std::vector<std::string>& terms) {
        NumberSet numbers;
        for (const std::string& patient : patients)
            if (const auto number = shelf_.number_of(patient)) numbers.push_back(*number);
        for (const std::string& term : terms)
            std::ranges::copy(TRY(shelf_.named(term)), std::back_inserter(numbers));
        intersect(found_, std::move(numbers));
        return {};
    }

    Status by_ids() {
        for (const fhir::Criterion& criterion : query_.all) {
            const bool names = criterion.kind == fhir::Criterion::Kind::Id &&
                               criterion.modifier == fhir::Modifier::None;
            if (!names) continue;
            NumberSet numbers;
            for (const fhir::Operand& operand : criterion.any)
                if (const auto number =
                        TRY(shelf_.compartment_at(shelf_.place_of(query_.type, operand.text))))
                    numbers.push_back(*number);
            // What refers to something of the house lies in any record.
            const auto house = shelf_.number_of("");
            if (house && looks_back(query_) && std::ranges::count(numbers, *house) > 0) continue;
            intersect(found_, std::move(numbers));
        }
        return {};
    }

    /// What a record refers to, and what refers to it, lies there, in the house, or with another
    /// patient who is named on one side or the other.
    Status and_where_they_lead() {
        const bool back = looks_back(query_);
        const bool on = looks_on(query_);
        if (!back && !on) return {};
        if (looks_back_along_links(query_)) return found_.reset(), Status();
        if (found_->size() > kCandidatesMax) return too_many();
        NumberSet with = *found_;
        for (const CompartmentNumber number : *found_) {
            const Opened record = open_(number);
            if (!record && record.error().code == Code::Erased) continue;
            if (!record) return std::unexpected(record.error());
            if (!is_of_patient((*record)->patient())) continue;
            if (on) add_named_by(**record, with);
            if (back)
                std::ranges::copy(TRY(records_naming(shelf_, (*record)->patient())),
                                  std::back_inserter(with));
        }
        make_set(with);
        found_ = std::move(with);
        return {};
    }

    void add_named_by(const Record& record, NumberSet& numbers) const {
        if (!record.is_shared() && query_.type != "Patient") return;
        for (const Piece& piece : record.pieces())
            for (const auto& [entry, patient] : piece.segment->references_to("Patient"))
                if (patient != record.patient())
                    if (const auto number = shelf_.number_of(patient)) numbers.push_back(*number);
    }

    Status by_circle(const Scope& scope) {
        std::vector<std::string> terms = {circle_term(scope.person)};
        for (const std::string& party : scope.parties) terms.push_back(circle_term(party));
        TRY_STATUS(by_terms(terms));
        // A patient's circle is the own record, whatever it says of others, and of those whose
        // proxy that person is.
        const auto person = fhir::parse_reference(scope.person);
        const auto own = person.type == "Patient" ? shelf_.number_of(person.id) : std::nullopt;
        if (own) found_->push_back(*own);
        make_set(*found_);
        return {};
    }

    Status by_terms(const std::vector<std::string>& any) {
        NumberSet numbers;
        for (const std::string& term : any) {
            const NumberSet named = TRY(shelf_.named(term));
            std::ranges::copy(named, std::back_inserter(numbers));
        }
        intersect(found_, std::move(numbers));
        return {};
    }

    Shelf& shelf_;
    const fhir::Query& query_;
    const Opening open_;
    std::optional<NumberSet> found_;
};

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

/// A record without what names other patients whose record is closed to the asker.
fhir::Compartment without_closed(const fhir::Compartment& seen, const Record& record,
                                 const Scope& scope) {
    std::map<const fhir::Segment*, std::set<std::size_t>> closed;
    for (const Piece& piece : record.pieces()) {
        if (!piece.shared) continue;
        std::set<std::size_t>& entries = closed[piece.segment.get()];
        for (const auto& [index, patient] : others_named(*piece.segment, record.patient()))
            if (!scope.opens_also(record, piece.segment->entry(index), patient))
                entries.insert(index);
    }
    return seen.without([&](const fhir::Segment& segment, std::size_t index) {
        const auto entries = closed.find(&segment);
        return entries != closed.end() && entries->second.contains(index);
    });
}

/// Of another's record, what names the patient whose compartment is searched.
fhir::Compartment naming(const fhir::Compartment& seen, const Record& record,
                         std::string_view patient) {
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const fhir::ResourceEntry& entry : entries_naming(record, patient))
        names.emplace(entry.type, entry.id);
    return seen.without([&](const fhir::Segment& segment, std::size_t index) {
        const fhir::ResourceEntry entry = segment.entry(index);
        return !names.contains({entry.type, entry.id});
    });
}

/// What a search sees of a record: all, but what is hidden from the asker.
const fhir::Compartment& seen_of(const Record& record, const Scope& scope,
                                 std::deque<fhir::Compartment>& masked) {
    const fhir::Compartment* seen = &record.index();
    const bool is_anothers = is_of_patient(record.patient()) && !scope.patient.empty() &&
                             record.patient() != scope.patient;
    if (is_anothers) seen = &masked.emplace_back(naming(*seen, record, scope.patient));
    if (scope.hides && record.is_labelled())
        seen = &masked.emplace_back(
            seen->without([&](const fhir::Segment& segment, std::size_t index) {
                const std::uint8_t labels = labels_of(segment, index);
                return labels != 0 && scope.hides(record, segment.entry(index).type, labels);
            }));
    if (scope.opens_also && record.is_shared())
        seen = &masked.emplace_back(without_closed(*seen, record, scope));
    if (!scope.narrows) return *seen;
    auto left = scope.narrows(record, *seen);
    return left ? masked.emplace_back(*std::move(left)) : *seen;
}

/// The compartment of a patient: the own record, and those of others who share something.
Result<NumberSet> records_of(Shelf& shelf, std::string_view patient) {
    NumberSet numbers = TRY(records_naming(shelf, patient));
    if (const auto own = shelf.number_of(patient)) numbers.push_back(*own);
    if (numbers.size() > kCandidatesMax) return too_many();
    return numbers;
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

}  // namespace

Result<Page> Vault::search(fhir::Query query, const Scope& scope) {
    query.position = TRY(open_position(query.position, state_->shelf.keys()));
    const CompartmentNumber house = TRY(state_->number_of(""));
    NumberSet numbers;
    const Parts parts(state_->shelf, query, scope,
                      [&](CompartmentNumber number) { return state_->open(number); });
    if (scope.patient.empty())
        numbers = TRY(
            Candidates(state_->shelf, query, std::bind_front(&Parts::open, &parts)).find(scope));
    else
        numbers = TRY(records_of(state_->shelf, scope.patient));
    std::erase(numbers, house);
    const auto unassigned = state_->shelf.number_of(kUnassigned);
    if (scope.patient.empty() && unassigned && std::ranges::count(numbers, *unassigned) == 0)
        numbers.push_back(*unassigned);
    numbers.push_back(house);

    std::vector<std::shared_ptr<const Record>> records;
    std::vector<const fhir::Compartment*> compartments;
    std::deque<fhir::Compartment> masked;
    for (std::span<const CompartmentNumber> left(numbers); !left.empty();) {
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
            compartments.push_back(&seen_of(**record, scope, masked));
            records.push_back(*std::move(record));
        }
    }
    const bool house_is_last = !records.empty() && records.back()->number() == house;
    const std::size_t hits_from =
        scope.patient.empty() ? records.size() : records.size() - (house_is_last ? 1 : 0);
    fhir::Space space{.compartments = compartments, .hits_from = hits_from};
    if (scope.includes)
        space.includes = [&](std::size_t at, std::string_view type) {
            return scope.includes(*records[at], type);
        };
    auto found = fhir::run(query, space);
    // What was met damaged makes the answer worth nothing, an error included.
    for (const auto& record : records)
        if (record->index().is_damaged()) return std::unexpected(damaged_index());
    const fhir::Hits hits = TRY(std::move(found));

    Page page{.page = {}, .included = {}, .total = hits.total, .next = {}};
    for (const fhir::Hit& hit : hits.page)
        page.page.push_back({records[hit.compartment], hit.entry});
    for (const fhir::Hit& hit : hits.included)
        page.included.push_back({records[hit.compartment], hit.entry});
    page.next = seal_position(hits.next, state_->shelf.keys(), state_->doors.random);
    return page;
}

}  // namespace hygie::vault
