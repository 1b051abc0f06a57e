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

/// Whether what refers to the hits decides about them or comes along, and lies in records.
bool looks_back(std::span<const fhir::Criterion> all) {
    return std::ranges::any_of(all, [](const fhir::Criterion& one) {
        return std::ranges::any_of(one.inner, [&](const fhir::Criterion::Inner& inner) {
            return (one.kind == fhir::Criterion::Kind::Has && is_in_records(inner.type)) ||
                   looks_back(inner.all);
        });
    });
}
bool looks_back(const fhir::Query& query) {
    return looks_back(query.all) ||
           std::ranges::any_of(query.includes, [](const fhir::Include& one) {
               return one.reverse && is_in_records(one.source);
           });
}

using Types = std::set<std::string_view>;

void add_chained(std::string_view type, std::span<const fhir::Criterion> all, Types& types) {
    for (const fhir::Criterion& one : all) {
        if (one.kind != fhir::Criterion::Kind::Chain) continue;
        types.insert(type);
        for (const fhir::Criterion::Inner& inner : one.inner)
            add_chained(inner.type, inner.all, types);
    }
}

/// Types of which is asked what they refer to: it decides about the hits or comes along.
Types that_lead_on(const fhir::Query& query) {
    Types types;
    add_chained(query.type, query.all, types);
    for (const fhir::Include& one : query.includes)
        if (!one.reverse) types.insert(one.source);
    return types;
}

bool may_be_patient(const fhir::SearchParam* param) {
    return param && std::ranges::count(param->targets, "Patient") > 0;
}

/// Whether it is asked which Patients link to the hits: no term leads to their records (blind.h).
bool looks_back_along_links(const fhir::Query& query) {
    const auto asks = [](const auto& one) { return one.type == "Patient"; };
    return std::ranges::any_of(query.includes,
                               [](const fhir::Include& one) {
                                   return one.reverse && one.source == "Patient" &&
                                          may_be_patient(one.param);
                               }) ||
           std::ranges::any_of(query.all, [&](const fhir::Criterion& one) {
               return one.kind == fhir::Criterion::Kind::Has && may_be_patient(one.param) &&
                      std::ranges::any_of(one.inner, asks);
           });
}

using Opened = Result<std::shared_ptr<const Record>>;
/// Opens a record, or what a search asks of it.
using Opening = std::function<Opened(CompartmentNumber)>;

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

/// Which records could hold a hit, or what decides about one; the house left out.
class Candidates {
  public:
    Candidates(Shelf& shelf, const fhir::Query& query, const Scope& scope, Opening open)
        : shelf_(shelf), query_(query), scope_(scope), open_(std::move(open)) {}

    Result<NumberSet> find() {
        const auto touched = fhir::types_touched(query_);
        if (std::ranges::none_of(touched, is_in_records)) return NumberSet{};
        const fhir::Narrowed narrowed = fhir::narrow(query_);
        if (narrowed.patients) TRY_STATUS(by_patients(*narrowed.patients, narrowed.patient_terms));
        if (const auto named = named_patients(query_); !named.empty())
            TRY_STATUS(by_patients(named, {}));
        TRY_STATUS(by_ids());
        for (const auto& any : narrowed.all_of_any) TRY_STATUS(by_terms(any));
        if (found_ && found_->size() > kCandidatesMax) return too_many();
        if (found_) TRY_STATUS(and_where_they_lead());
        const bool lies_anywhere = !found_ || looks_back_along_links(query_);
        if (!found_) found_ = of_house_;
        if (lies_anywhere) TRY_STATUS(and_wherever());
        return std::move(*found_);
    }

  private:
    /// Where nothing narrows. What was found already stays alone when this would be too many: less
    /// comes along then, and all of it is answered that was before anything was looked for here.
    Status and_wherever() {
        auto all = scope_.person.empty() ? everybody() : by_circle();
        if (all && all->size() > kCandidatesMax) all = too_many();
        if (!all && all.error().code == Code::Full && found_) return {};
        unite(TRY(std::move(all)));
        return {};
    }

    /// Nothing, when together they would be too many.
    void unite(NumberSet with) {
        if (found_) std::ranges::copy(*found_, std::back_inserter(with));
        make_set(with);
        if (!found_ || with.size() <= kCandidatesMax) found_ = std::move(with);
    }

    /// A program has no circle: all are looked into while they are few.
    Result<NumberSet> everybody() {
        const crypto::KeyTable& table = shelf_.table();
        if (table.live() > kCandidatesMax) return too_many();
        NumberSet numbers;
        const auto own = shelf_.number_of(kOwnMemory);
        for (CompartmentNumber number = 1; number <= table.slots(); ++number)
            if (number != own && table.get(number)) numbers.push_back(number);
        return numbers;
    }

    /// In their records, or in another's that names them: which leads to nobody else.
    Status by_patients(const std::vector<std::string>& patients,
                       const std::vector<std::string>& terms) {
        NumberSet numbers;
        for (const std::string& patient : patients)
            if (const auto number = shelf_.number_of(patient)) numbers.push_back(*number);
        const std::set<CompartmentNumber> own(numbers.begin(), numbers.end());
        for (const std::string& term : terms)
            for (const CompartmentNumber number : TRY(shelf_.named(term)))
                if (!own.contains(number)) {
                    numbers.push_back(number);
                    brought_.insert(number);
                }
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
            const bool is_of_house = house && std::ranges::count(numbers, *house) > 0;
            intersect(is_of_house && looks_back(query_) ? of_house_ : found_, std::move(numbers));
        }
        return {};
    }

    /// What a record refers to, and what refers to it, lies there, in the house, or with another
    /// patient who is named on one side or the other: one step on. Where that would be too many,
    /// they are left out, and what was found without them stays.
    Status and_where_they_lead() {
        const bool back = looks_back(query_);
        const Types on = that_lead_on(query_);
        if (!back && on.empty()) return {};
        NumberSet with = *found_;
        for (const CompartmentNumber number : *found_) {
            if (brought_.contains(number)) continue;
            const Opened record = open_(number);
            if (!record && record.error().code == Code::Erased) continue;
            if (!record) return std::unexpected(record.error());
            if (!is_of_patient((*record)->patient())) continue;
            // One that is closed leads no further than one that is not there.
            if (scope_.leads && !scope_.leads(**record)) continue;
            add_named_by(**record, on, with);
            if (back)
                std::ranges::copy(TRY(records_naming(shelf_, (*record)->patient())),
                                  std::back_inserter(with));
            if (with.size() > kCandidatesMax) make_set(with);
            if (with.size() > kCandidatesMax) return {};
        }
        make_set(with);
        found_ = std::move(with);
        return {};
    }

    /// Whom the asker sees named there by resources of these types.
    void add_named_by(const Record& record, const Types& types, NumberSet& numbers) const {
        if (types.empty() || !(record.is_shared() || types.contains("Patient"))) return;
        std::deque<fhir::Compartment> masked;
        for (const auto& piece : seen_of(record, scope_, masked).pieces())
            for (const auto& [entry, patient] : piece.segment->references_to("Patient")) {
                if (patient == record.patient() || !piece.is_live(entry) ||
                    !types.contains(piece.segment->entry(entry).type))
                    continue;
                if (const auto number = shelf_.number_of(patient)) numbers.push_back(*number);
            }
    }

    Result<NumberSet> by_circle() {
        std::vector<std::string> terms = {circle_term(scope_.person)};
        for (const std::string& party : scope_.parties) terms.push_back(circle_term(party));
        NumberSet numbers = TRY(with_any(terms));
        // A patient's circle is the own record, whatever it says of others, and of those whose
        // proxy that person is.
        const auto person = fhir::parse_reference(scope_.person);
        const auto own = person.type == "Patient" ? shelf_.number_of(person.id) : std::nullopt;
        if (own) numbers.push_back(*own);
        make_set(numbers);
        return numbers;
    }

    Status by_terms(const std::vector<std::string>& any) {
        intersect(found_, TRY(with_any(any)));
        return {};
    }

    Result<NumberSet> with_any(const std::vector<std::string>& terms) {
        NumberSet numbers;
        for (const std::string& term : terms)
            std::ranges::copy(TRY(shelf_.named(term)), std::back_inserter(numbers));
        return numbers;
    }

    Shelf& shelf_;
    const fhir::Query& query_;
    const Scope& scope_;
    const Opening open_;
    std::optional<NumberSet> found_;
    std::optional<NumberSet> of_house_;    ///< that is asked for by id: who refers to it, too
    std::set<CompartmentNumber> brought_;  ///< found because they name patients of others
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
        numbers =
            TRY(Candidates(state_->shelf, query, scope, [&](CompartmentNumber number) -> Opened {
                    return parts.checked(TRY(parts.open(number)));
                }).find());
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
