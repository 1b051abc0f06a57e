#include "vault/record.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"
#include "crypto/sha256.h"
#include "fhir/data/schema.h"
#include "fhir/data/zone.h"
#include "vault/labels.h"
#include "vault/shared.h"
#include "vault/unassigned.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

using access::Relation;

constexpr std::uint64_t kPieceFormat = 3;
constexpr std::uint64_t kLabelled = 1;  ///< flags
constexpr std::uint64_t kShared = 2;
/// A relation in memory, with its strings.
constexpr std::size_t kRelationBytes = sizeof(Relation) + 100;
/// Sizes double from piece to piece.
constexpr std::size_t kMergeFactor = 2;

constexpr std::array<std::string_view, 10> kRelationTypes = {
    "Appointment", "CareTeam", "Consent",       "Encounter",      "EpisodeOfCare",
    "Flag",        "Patient",  "RelatedPerson", "ServiceRequest", "Task"};
constexpr unsigned kKindBits = 8;

std::string_view type_in(std::string_view reference) {
    return reference.substr(0, reference.find('/'));
}
std::string join_reference(std::string_view type, std::string_view id) {
    std::string reference;
    reference.reserve(type.size() + 1 + id.size());
    reference += type;
    reference += '/';
    reference += id;
    return reference;
}
std::string_view id_in(std::string_view reference) {
    return reference.substr(std::min(reference.size(), reference.find('/') + 1));
}

/// Whether a newer piece makes an older relation obsolete: what it stands on was written again.
/// That somebody opened the record stays true.
bool is_replaced(const Relation& relation, const fhir::Segment& newer) {
    return relation.kind != Relation::Kind::OpenedRecord &&
           newer.find(type_in(relation.evidence), id_in(relation.evidence)).has_value();
}

bool may_say_relations(const fhir::Segment& segment) {
    return std::ranges::any_of(kRelationTypes, [&](std::string_view type) {
        const auto [first, end] = segment.range_of(type);
        return first != end;
    });
}

/// Relations of older pieces that `newer` leaves standing, and its own.
std::shared_ptr<const Relations> combine(const std::shared_ptr<const Relations>& older,
                                         const Piece& newer) {
    if (newer.relations->empty() && !may_say_relations(*newer.segment)) return older;
    if (older->empty()) return newer.relations;
    auto all = std::make_shared<Relations>();
    all->reserve(older->size() + newer.relations->size());
    std::ranges::copy_if(*older, std::back_inserter(*all), [&](const Relation& relation) {
        return !is_replaced(relation, *newer.segment);
    });
    const auto own = static_cast<std::ptrdiff_t>(all->size());
    std::ranges::copy(*newer.relations, std::back_inserter(*all));
    std::ranges::inplace_merge(*all, all->begin() + own, {}, &Relation::person);
    return all;
}

std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::unexpected<Error> stale() {
    return fail(Code::Stale,
                {"un index du coffre vient d'une version plus ancienne de hygie",
                 "an index of the vault comes from an older version of hygie"},
                {"redémarrez hygie : il le refait", "restart hygie: it makes it anew"});
}

void put_relations(Bytes& out, const Piece& piece) {
    std::vector<std::string_view> persons;
    std::unordered_map<std::string_view, std::size_t> numbers;
    for (const Relation& relation : *piece.relations)
        if (numbers.try_emplace(relation.person, persons.size()).second)
            persons.push_back(relation.person);
    put_varint(out, persons.size());
    for (const std::string_view person : persons) put_text(out, person);
    put_varint(out, piece.relations->size());
    for (const Relation& relation : *piece.relations) {
        const auto entry =
            piece.segment->find(type_in(relation.evidence), id_in(relation.evidence));
        HYGIE_CHECK(entry, "a piece holds the resources that its relations stand on");
        // Usually of all classes: their complement, 0, costs nothing.
        const auto left_out = static_cast<std::uint16_t>(~relation.classes);
        put_varint(
            out, static_cast<std::uint64_t>(relation.kind) | std::uint64_t{left_out} << kKindBits);
        put_varint(out, numbers.at(relation.person));
        put_varint(out, *entry);
        put_varint(out, zigzag(relation.start.time_since_epoch().count()));
        put_varint(out, zigzag(relation.end.time_since_epoch().count()));
    }
}

struct RawRelation {
    std::uint64_t kind, person, entry, start, end;
};

}  // namespace

Error damaged_index() {
    return fail(Code::Corrupt, {"un index du coffre est abîmé", "an index of the vault is damaged"},
                {"recommencez : il est refait ; puis lancez « hygie vault verify »",
                 "try again: it is made anew; then run `hygie vault verify`"})
        .error();
}

Bytes encode_piece(const Piece& piece, std::string_view patient) {
    Bytes out;
    put_varint(out, kPieceFormat);
    put_text(out, patient);
    put_varint(out, (piece.labelled ? kLabelled : 0) | (piece.shared ? kShared : 0));
    put_relations(out, piece);
    append(out, fhir::encode(*piece.segment));
    return out;
}

Result<DecodedPiece> decode_piece(std::int64_t number, ByteView bytes) {
    VarintReader in(bytes);
    const std::uint64_t format = in.number();
    if (format > 0 && format < kPieceFormat) return stale();
    if (format != kPieceFormat) return std::unexpected(damaged_index());
    DecodedPiece decoded{.piece = {}, .patient = std::string(in.text())};
    const std::uint64_t flags = in.number();
    decoded.piece.labelled = (flags & kLabelled) != 0;
    decoded.piece.shared = (flags & kShared) != 0;
    std::vector<std::string_view> persons;
    for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left)
        persons.push_back(in.text());
    std::vector<RawRelation> raw;
    const std::uint64_t count = in.number();
    raw.reserve(std::min<std::size_t>(count, in.rest().size()));
    for (std::uint64_t left = count; left > 0 && in.ok(); --left)
        raw.push_back({in.number(), in.number(), in.number(), in.number(), in.number()});
    if (!in.ok()) return std::unexpected(damaged_index());
    decoded.piece.number = number;
    decoded.piece.segment = std::make_shared<fhir::Segment>(TRY(fhir::decode(in.rest())));
    auto relations = std::make_shared<Relations>();
    relations->reserve(raw.size());
    for (const RawRelation& each : raw) {
        if (each.person >= persons.size() || each.entry >= decoded.piece.segment->size())
            return std::unexpected(damaged_index());
        const fhir::ResourceEntry entry =
            decoded.piece.segment->entry(static_cast<std::size_t>(each.entry));
        relations->push_back(
            {.person = std::string(persons[static_cast<std::size_t>(each.person)]),
             .kind = static_cast<Relation::Kind>(each.kind & ((1U << kKindBits) - 1)),
             .start = WallTime(Micros(unzigzag(each.start))),
             .end = WallTime(Micros(unzigzag(each.end))),
             .evidence = join_reference(entry.type, entry.id),
             .classes = static_cast<std::uint16_t>(~(each.kind >> kKindBits))});
    }
    // As they were stored in order, there is nothing to sort as a rule.
    if (!std::ranges::is_sorted(*relations, {}, &Relation::person))
        std::ranges::stable_sort(*relations, {}, &Relation::person);
    decoded.piece.relations = std::move(relations);
    return decoded;
}

Piece make_piece(fhir::Segment segment, std::shared_ptr<const Relations> relations) {
    const bool labelled = has_labels(segment);
    const bool shared = names_several(segment);
    return {.number = 0,
            .segment = std::make_shared<const fhir::Segment>(std::move(segment)),
            .relations = std::move(relations),
            .labelled = labelled,
            .shared = shared};
}

std::uint64_t index_version() {
    const crypto::Hash zone = crypto::sha256(as_bytes(fhir::zone_in_force()->name()));
    return (fhir::definitions_version() + kPieceFormat - 1) ^ load_be<std::uint64_t>(zone.data());
}

Record Record::with(Piece newer) const {
    Record next = *this;
    next.relations_ = combine(relations_, newer);
    next.index_ = index_.with(newer.segment);
    next.labelled_ = labelled_ || newer.labelled;
    next.shared_ = shared_ || (newer.shared && is_of_patient(patient_));
    next.pieces_.push_back(std::move(newer));
    return next;
}

std::size_t Record::merge_due() const {
    std::size_t size = 0;
    std::size_t count = 0;
    while (count < pieces_.size()) {
        const std::size_t older = pieces_[pieces_.size() - 1 - count].segment->size();
        if (count > 0 && older > kMergeFactor * size) break;
        size += older;
        ++count;
    }
    return count > 1 ? count : 0;
}

Record Record::merged(std::size_t count, std::int64_t number, Piece& into) const {
    const auto tail = pieces_.end() - static_cast<std::ptrdiff_t>(count);
    fhir::Compartment part;
    auto relations = std::make_shared<const Relations>();
    for (auto piece = tail; piece != pieces_.end(); ++piece) {
        part = part.with(piece->segment);
        relations = combine(relations, *piece);
    }
    into = make_piece(part.merged(), std::move(relations));
    into.number = number;
    Record next(number_, key_, patient_);
    for (auto piece = pieces_.begin(); piece != tail; ++piece) next = next.with(*piece);
    return next.with(into);
}

std::size_t Record::bytes() const {
    std::size_t relations = relations_->size();
    for (const Piece& piece : pieces_)
        if (piece.relations != relations_) relations += piece.relations->size();
    return sizeof(Record) + patient_.size() + index_.bytes() + relations * kRelationBytes;
}

}  // namespace hygie::vault
