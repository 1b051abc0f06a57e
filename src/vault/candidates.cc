#include "vault/candidates.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "fhir/data/schema.h"
#include "fhir/search/blind.h"
#include "vault/indexing.h"
#include "vault/parting.h"
#include "vault/seen.h"
#include "vault/unassigned.h"

namespace hygie::vault {

namespace {

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

/// Which records could hold a hit, or what decides about one; the house left out.
class Finder {
  public:
    Finder(Shelf& shelf, const fhir::Query& query, const Scope& scope, Opening open)
        : shelf_(shelf), query_(query), scope_(scope), open_(std::move(open)) {}

    Result<Candidates> find() {
        const auto touched = fhir::types_touched(query_);
        if (std::ranges::none_of(touched, is_in_records)) return Candidates{};
        const fhir::Narrowed narrowed = fhir::narrow(query_);
        if (narrowed.patients) TRY_STATUS(by_patients(*narrowed.patients, narrowed.patient_terms));
        if (const auto named = named_patients(query_); !named.empty())
            TRY_STATUS(by_patients(named, {}));
        TRY_STATUS(by_ids());
        for (const auto& any : narrowed.all_of_any) TRY_STATUS(by_terms(any));
        if (found_) TRY_STATUS(keep_few(*found_));
        if (found_) TRY_STATUS(and_where_they_lead());
        const bool lies_anywhere = !found_ || looks_back_along_links(query_);
        if (!found_) found_ = of_house_;
        if (lies_anywhere) TRY_STATUS(and_wherever());
        return Candidates{.numbers = std::move(*found_), .is_partial = is_partial_};
    }

    Result<Within> find_within(std::string_view patient) {
        Within within;
        const auto own = shelf_.number_of(patient);
        within.compartment = TRY(records_naming(shelf_, patient));
        brought_.insert(within.compartment.begin(), within.compartment.end());
        if (own) within.compartment.push_back(*own);
        TRY_STATUS(keep_few(within.compartment));
        if (!leads_on()) return within;
        found_ = within.compartment;
        TRY_STATUS(and_where_they_lead());
        if (own) std::erase(*found_, *own);
        within.beside = {.numbers = std::move(*found_), .is_partial = is_partial_};
        return within;
    }

  private:
    bool leads_on() const { return looks_back(query_) || !that_lead_on(query_).empty(); }

    /// Too many, and the closed ones among them count for nobody: how many there are shows in no
    /// refusal. They are judged as if they had been looked into, and noted.
    Status keep_few(NumberSet& numbers) {
        if (numbers.size() <= kCandidatesMax) return {};
        NumberSet open;
        for (const CompartmentNumber number : numbers) {
            if (!may_look_on()) return too_many();
            const Opened record = open_(number);
            if (!record && record.error().code == Code::Erased) continue;
            if (!record) return std::unexpected(record.error());
            if (!scope_.allows(**record)) continue;
            open.push_back(number);
            if (open.size() > kCandidatesMax) return too_many();
        }
        numbers = std::move(open);
        return {};
    }

    bool may_look_on() { return ++looked_into_ <= kLookedIntoMax; }

    /// Where nothing narrows. What was found already stays alone when this would be too many: less
    /// comes along then, which is said, and what was found is answered all the same.
    Status and_wherever() {
        auto all = scope_.person.empty() ? everybody() : by_circle();
        if (all && all->size() > kCandidatesMax) all = too_many();
        is_partial_ = is_partial_ || (!all && all.error().code == Code::Full && found_);
        if (is_partial_) return {};
        NumberSet with = TRY(std::move(all));
        if (!found_) {
            found_ = std::move(with);
            return {};
        }
        std::ranges::copy(*found_, std::back_inserter(with));
        make_set(with);
        const bool knows = with.size() <= kCandidatesMax || TRY(keep_open(with));
        unite(knows && with.size() <= kCandidatesMax ? std::optional(std::move(with))
                                                     : std::nullopt);
        return {};
    }

    /// Nothing, when together they would be too many.
    void unite(std::optional<NumberSet> with) {
        is_partial_ = is_partial_ || !with;
        if (!with) return;
        std::ranges::copy(*with, std::back_inserter(*found_));
        make_set(*found_);
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
        if (!leads_on()) return {};
        auto with = TRY(where_they_lead(Counted::All));
        if (!with) with = TRY(where_they_lead(Counted::Open));
        unite(std::move(with));
        return {};
    }

    /// All is quick. Open asks of each record whether the asker may see what leads there: how many
    /// are closed shows in no answer.
    enum class Counted : std::uint8_t { All, Open };

    /// Together with what was found; none: too many.
    Result<std::optional<NumberSet>> where_they_lead(Counted counted) {
        const bool back = looks_back(query_);
        const Types on = that_lead_on(query_);
        NumberSet with;
        if (counted == Counted::All) with = *found_;
        for (const CompartmentNumber number : *found_) {
            if (counted == Counted::All && brought_.contains(number)) continue;
            const auto record = TRY(opened(number));
            // One that is closed leads no further than one that is not there.
            if (!record) continue;
            if (counted == Counted::Open) with.push_back(number);
            if (brought_.contains(number) || !is_of_patient(record->patient())) continue;
            NumberSet named;
            add_named_by(*record, on, named);
            NumberSet naming;
            if (back) naming = TRY(records_naming(shelf_, record->patient()));
            if (counted == Counted::Open) {
                if (!TRY(keep_open(named))) return std::nullopt;
                if (!TRY(keep_open(naming, record->patient()))) return std::nullopt;
            }
            std::ranges::copy(named, std::back_inserter(with));
            std::ranges::copy(naming, std::back_inserter(with));
            if (with.size() > kCandidatesMax) make_set(with);
            if (with.size() > kCandidatesMax) return std::nullopt;
        }
        return with;
    }

    /// None where it was erased, or is closed to the asker.
    Opened opened(CompartmentNumber number) const {
        Opened record = open_(number);
        if (!record && record.error().code == Code::Erased) return nullptr;
        if (record && scope_.leads && !scope_.leads(**record)) return nullptr;
        return record;
    }

    /// Leaves those that are open to the asker, and show that they name `patient`, if one is given.
    /// False: that is not known, since they are more than may be looked into.
    Result<bool> keep_open(NumberSet& numbers, std::string_view patient = {}) {
        NumberSet open;
        make_set(numbers);
        for (const CompartmentNumber number : numbers) {
            if (closed_.contains(number)) continue;
            if (!may_look_on()) return false;
            const auto record = TRY(opened(number));
            if (!record)
                closed_.insert(number);
            else if (patient.empty() || shows(*record, patient))
                open.push_back(number);
        }
        numbers = std::move(open);
        return true;
    }

    bool shows(const Record& record, std::string_view patient) const {
        std::deque<fhir::Compartment> masked;
        return std::ranges::any_of(
            seen_of(record, scope_, masked).pieces(), [&](const auto& piece) {
                return std::ranges::any_of(
                    piece.segment->references_to("Patient"), [&](const auto& one) {
                        return one.second == patient && piece.is_live(one.first);
                    });
            });
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
    std::set<CompartmentNumber> closed_;   ///< met where open ones were counted
    std::size_t looked_into_ = 0;          ///< to tell open ones from closed ones
    bool is_partial_ = false;
};

}  // namespace

void make_set(NumberSet& numbers) {
    std::ranges::sort(numbers);
    const auto repeated = std::ranges::unique(numbers);
    numbers.erase(repeated.begin(), repeated.end());
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

Result<Candidates> find_candidates(Shelf& shelf, const fhir::Query& query, const Scope& scope,
                                   Opening open) {
    return Finder(shelf, query, scope, std::move(open)).find();
}

Result<Within> find_within(Shelf& shelf, const fhir::Query& query, const Scope& scope,
                           const Opening& open) {
    Scope whole = scope;
    whole.patient.clear();
    return Finder(shelf, query, whole, open).find_within(scope.patient);
}

}  // namespace hygie::vault
