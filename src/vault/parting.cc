#include "vault/parting.h"

#include <algorithm>
#include <array>

#include "fhir/search/blind.h"
#include "fhir/search/search_extract.h"
#include "vault/indexing.h"
#include "vault/shared.h"
#include "vault/unassigned.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

constexpr std::string_view kAbsent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// Where a resource says of whom it is, when it is of one alone.
constexpr std::array<std::string_view, 5> kSubjects = {"subject", "patient", "for", "beneficiary",
                                                       "individual"};

bool names(std::string_view reference, std::string_view patient) {
    const fhir::Reference to = fhir::parse_reference(reference);
    return to.type == "Patient" && to.id == patient;
}

bool speaks_of(std::string_view body, std::string_view patient) {
    const std::string reference = "Patient/" + std::string(patient);
    for (auto at = body.find(reference); at != body.npos; at = body.find(reference, at + 1)) {
        const auto behind = body.substr(at + reference.size());
        if (behind.starts_with('"') || behind.starts_with('/')) return true;
    }
    return false;
}

bool is_about(fhir::Json resource, std::string_view patient) {
    return std::ranges::any_of(kSubjects, [&](std::string_view element) {
        return names(resource[element]["reference"].text(), patient);
    });
}

fhir::Json masked(fhir::Arena& arena, fhir::Json value, std::string_view patient) {
    if (value.is_array()) {
        std::vector<fhir::Json> items;
        for (const fhir::Json item : value.items()) items.push_back(masked(arena, item, patient));
        return arena.array(items);
    }
    if (!value.is_object()) return value;
    if (names(value["reference"].text(), patient)) {
        const fhir::Json reason =
            arena.object({{"url", arena.string(kAbsent)}, {"valueCode", arena.string("masked")}});
        return arena.object({{"extension", arena.array({&reason, 1})}});
    }
    std::vector<fhir::Member> members;
    for (const fhir::Member& member : value.members())
        members.push_back({member.name, masked(arena, member.value, patient)});
    return arena.object(members);
}

/// Whose records take what somebody leaves: patients who are here.
std::function<Result<bool>(const std::string&)> stays(Shelf& shelf, std::string_view patient) {
    return [&shelf, patient](const std::string& id) -> Result<bool> {
        if (id == patient || !shelf.number_of(id)) return false;
        const auto known = TRY(shelf.known(shelf.place_of("Patient", id), "Patient", id));
        return known && !known->deleted;
    };
}

/// Of one record, the newest of what names that patient and others.
class Collecting {
  public:
    Collecting(Shelf& shelf, std::string_view patient) : shelf_(shelf), patient_(patient) {}

    Status add(const Record& record) {
        const bool is_own = record.patient() == patient_;
        for (const Piece& piece : record.pieces()) {
            std::vector<std::size_t> shared;
            for (const auto& [entry, named] : others_named(*piece.segment, record.patient()))
                if (is_own || named == patient_) shared.push_back(entry);
            const auto repeated = std::ranges::unique(shared);
            shared.erase(repeated.begin(), repeated.end());
            for (const std::size_t entry : shared)
                TRY_STATUS(add(record, piece.segment->entry(entry)));
        }
        return {};
    }

    std::map<std::string, std::vector<Parted>> parted;

  private:
    Status add(const Record& record, const fhir::ResourceEntry& entry) {
        const auto newest = record.index().find(entry.type, entry.id);
        if (!newest || newest->version != entry.version || newest->deleted) return {};
        const auto body = TRY(shelf_.body(entry.body));
        // What is filed with somebody by what it refers to is of that one alone.
        if (!speaks_of(body->text, patient_)) return {};
        fhir::Document document = TRY(fhir::parse(body->text));
        std::string to(record.patient());
        const bool is_own = to == patient_;
        if (is_own && is_about(document.root, patient_)) return {};
        document.root = without_patient(document.arena, document.root, patient_);
        if (is_own)
            to = TRY(patient_of(document.root, entry.id, fhir::extract(document.root),
                                stays(shelf_, patient_)));
        if (!is_of_patient(to)) return {};
        parted[to].push_back(
            {std::string(entry.type), std::string(entry.id), entry.version, std::move(document)});
        return {};
    }

    Shelf& shelf_;
    const std::string_view patient_;
};

/// Rows of one record whose bodies speak of a patient.
Status add_rows(Shelf& shelf, const Record& record, std::string_view patient,
                std::vector<Key>& rows) {
    std::vector<std::pair<std::int64_t, std::int64_t>> parts;  // first row, rows
    const auto [first, last] = keys_of(static_cast<std::int64_t>(record.number()));
    TRY_STATUS(shelf.store().scan(Table::Parts, first, last, [&](Key key, ByteView value) {
        parts.emplace_back(key.minor, VarintReader(value).number());
        return true;
    }));
    for (const auto& [start, count] : parts)
        for (std::int64_t row = start; row < start + count; ++row) {
            const auto body = shelf.stored_body(static_cast<std::uint64_t>(row));
            if (!body && body.error().code == Code::Erased) continue;
            if (!body) return std::unexpected(body.error());
            if (!speaks_of(body->text, patient)) continue;
            const auto document = TRY(fhir::parse(body->text));
            const std::string_view type = document.root["resourceType"].text();
            // Who else a patient is says nothing of who that is.
            if (type == "Patient") continue;
            const auto newest = record.index().find(type, document.root["id"].text());
            if (newest && newest->body == static_cast<std::uint64_t>(row))
                return fail(Code::Stale,
                            {"ce dossier vient de changer", "this record has just changed"},
                            {"recommencez", "try again"});
            rows.push_back({row});
        }
    return {};
}

}  // namespace

fhir::Json without_patient(fhir::Arena& arena, fhir::Json resource, std::string_view patient) {
    return masked(arena, arena.with(resource, "text", {}), patient);
}

Result<std::vector<CompartmentNumber>> records_naming(Shelf& shelf, std::string_view patient) {
    auto numbers = TRY(shelf.named(fhir::patient_term(patient)));
    if (const auto own = shelf.number_of(patient)) std::erase(numbers, *own);
    return numbers;
}

Result<std::map<std::string, std::vector<Parted>>> parted_from(Shelf& shelf,
                                                               std::string_view patient) {
    Collecting collecting(shelf, patient);
    std::vector<CompartmentNumber> numbers = TRY(records_naming(shelf, patient));
    const auto own = shelf.number_of(patient);
    if (own) numbers.push_back(*own);
    for (const CompartmentNumber number : numbers) {
        const auto record = shelf.load(number);
        // Of a record that cannot be read all is erased with its patient: what it shares is
        // unknown.
        if (!record && (record.error().code == Code::Erased || number == own)) continue;
        if (!record) return std::unexpected(record.error());
        TRY_STATUS(collecting.add(**record));
    }
    return std::move(collecting.parted);
}

Result<std::map<CompartmentNumber, std::vector<Key>>> left_with_others(Shelf& shelf,
                                                                       std::string_view patient) {
    std::map<CompartmentNumber, std::vector<Key>> left;
    for (const CompartmentNumber number : TRY(records_naming(shelf, patient))) {
        const auto record = shelf.load(number);
        if (!record && record.error().code == Code::Erased) continue;
        if (!record) return std::unexpected(record.error());
        TRY_STATUS(add_rows(shelf, **record, patient, left[number]));
    }
    return left;
}

}  // namespace hygie::vault
