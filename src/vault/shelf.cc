#include "vault/shelf.h"

#include <algorithm>
#include <array>

#include "crypto/tokens.h"
#include "fhir/data/json.h"
#include "vault/indexing.h"
#include "vault/unassigned.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

constexpr crypto::KeyScope kScope{};  ///< one key per patient: a record is erased as a whole

/// To make a slice costs about what it costs to open the record. Where those that are searched do
/// not all fit, one in so many is made, so that those which are there stay longer.
constexpr std::uint64_t kSlicedWhenFull = 8;

constexpr std::array<std::string_view, 3> kFrontTypes = {"Patient", "Appointment", "Task"};

std::string subject_of(std::string_view patient) {
    return patient.empty() ? "house" : "Patient/" + std::string(patient);
}

std::int64_t number_from(const crypto::Token& token) {
    return load_be<std::int64_t>(token.data());
}

std::string join_reference(std::string_view type, std::string_view id) {
    std::string reference(type);
    reference += '/';
    reference += id;
    return reference;
}

std::shared_ptr<const Record> front_of(const Record& record,
                                       std::shared_ptr<const Relations> relations) {
    std::vector<fhir::IndexedResource> kept;
    for (const fhir::Compartment::Piece& piece : record.index().pieces()) {
        for (const std::string_view type : kFrontTypes) {
            const std::size_t first = piece.segment->range_of(type).first;
            std::vector<fhir::IndexedResource> all = piece.segment->resources(type);
            for (std::size_t i = 0; i < all.size(); ++i)
                if (piece.is_live(first + i)) kept.push_back(std::move(all[i]));
        }
    }
    Record front(record.number(), record.key(), std::string(record.patient()));
    return std::make_shared<const Record>(
        front.with(make_piece(fhir::Segment::build(kept), std::move(relations))));
}

}  // namespace

bool is_in_front(std::string_view type) {
    return std::ranges::find(kFrontTypes, type) != kFrontTypes.end();
}

VaultKeys::VaultKeys(const crypto::Secret32& root)
    : table(crypto::derive(root, "vault/keys")),
      naming(crypto::derive(root, "vault/names").view()),
      outbox(crypto::derive(root, "vault/outbox")),
      position(crypto::derive(root, "vault/position")) {}

Bytes place_bytes(Place place) {
    Bytes out;
    put_varint(out, place.compartment);
    put_varint(out, place.row);
    return out;
}

Place place_from(ByteView bytes) {
    VarintReader in(bytes);
    const CompartmentNumber compartment = in.number();
    return {.compartment = compartment, .row = in.rest().empty() ? 0 : in.number()};
}

Key Shelf::place_of(std::string_view type, std::string_view id) const {
    return {number_from(crypto::blind(keys_.naming, "place", join_reference(type, id)))};
}

std::int64_t Shelf::name_of(std::string_view term) const {
    return number_from(crypto::blind(keys_.naming, "name", term));
}

Result<std::vector<CompartmentNumber>> Shelf::named(std::string_view term) {
    const std::int64_t name = name_of(term);
    NameCache::Kept kept = names_.find(name);
    if (kept.numbers) return *std::move(kept.numbers);
    std::vector<CompartmentNumber> found;
    const auto [first, last] = keys_of(name);
    TRY_STATUS(store_->scan(Table::Names, first, last, [&](Key key, ByteView) {
        found.push_back(static_cast<CompartmentNumber>(key.minor));
        return true;
    }));
    names_.keep(name, kept.as_of, found);
    return found;
}

Status Shelf::commit(const Batch& batch) {
    TRY_STATUS(store_->commit(batch));
    std::vector<std::int64_t> names;
    std::vector<Key> places;
    std::vector<std::uint64_t> erased;
    for (const Batch::Row& row : batch.rows) {
        if (row.table == Table::Names) names.push_back(row.key.major);
        if (row.table == Table::Places) places.push_back(row.key);
        if (row.table == Table::Bodies && !(row.value && compartment_of_body(*row.value)))
            erased.push_back(static_cast<std::uint64_t>(row.key.major));
    }
    if (!names.empty()) names_.forget(names);
    places_.forget(places);
    sealed_.forget(erased);
    return {};
}

Result<crypto::KeyTable::Found> Shelf::key_of(std::string_view patient) {
    return table_->find_or_make(subject_of(patient), kScope);
}

std::optional<CompartmentNumber> Shelf::number_of(std::string_view patient) const {
    const auto found = table_->find(subject_of(patient), kScope);
    return found ? std::optional(found->slot) : std::nullopt;
}

Status Shelf::destroy_key(const std::string& patient) {
    const auto number = number_of(patient);
    TRY(table_->shred(subject_of(patient), std::nullopt));
    if (!number) return {};
    forget(*number);
    bodies_.drop(*number);
    return {};
}

Status Shelf::finish_erasure(std::span<const Key> markers) {
    // Reads under way may hold up the log; what is left in it is sealed under a key that is no
    // more, and the next copy of the log overwrites it.
    const auto scrub = [this]() -> Status {
        Status done = store_->scrub();
        if (!done && done.error().code == Code::Busy) return {};
        return done;
    };
    TRY_STATUS(scrub());
    Batch done;
    for (const Key& marker : markers) done.erase(Table::Settings, marker);
    TRY_STATUS(commit(done));
    return scrub();
}

Result<std::shared_ptr<const Record>> Shelf::load(CompartmentNumber number) {
    const crypto::Secret32 key = TRY(table_->get(number));
    std::vector<std::pair<std::int64_t, Result<Bytes>>> opened;
    const auto [first, last] = keys_of(static_cast<std::int64_t>(number));
    TRY_STATUS(store_->scan(Table::Pieces, first, last, [&](Key at, ByteView value) {
        opened.emplace_back(at.minor,
                            open_piece(key, number, static_cast<std::uint64_t>(at.minor), value));
        return opened.back().second.has_value();
    }));
    Record record(number, key, "");
    for (auto& [piece_number, plain] : opened) {
        DecodedPiece decoded = TRY(decode_piece(piece_number, TRY(std::move(plain))));
        if (record.pieces().empty()) record = Record(number, key, std::move(decoded.patient));
        record = record.with(std::move(decoded.piece));
    }
    return std::make_shared<const Record>(std::move(record));
}

Result<std::shared_ptr<const Record>> Shelf::record(CompartmentNumber number) {
    return cache_.get(number, [&] { return load(number); });
}

Result<std::shared_ptr<const Record>> Shelf::front(CompartmentNumber number) {
    return fronts_.get(number, [&]() -> Result<std::shared_ptr<const Record>> {
        const auto whole = TRY(record(number));
        auto front = front_of(*whole, lasting_of(*whole));
        if (whole->index().is_damaged()) return std::unexpected(damaged_index());
        return front;
    });
}

Result<std::shared_ptr<const Record>> Shelf::slice(CompartmentNumber number,
                                                   std::string_view type) {
    if (auto open = cache_.peek(number)) return open;
    std::shared_ptr<const Record> whole;
    const auto is_there = [&](const Slices& there) { return there.has(type); };
    if (slices_.is_full() && sliced_++ % kSlicedWhenFull != 0) {
        const auto there = slices_.peek(number);
        if (!there || !is_there(*there)) return record(number);
    }
    const auto more = [&](const auto& there) -> Result<std::shared_ptr<const Slices>> {
        whole = TRY(record(number));
        const bool is_of_it = there && there->state() == state_of(*whole);
        const Slices slices = is_of_it ? *there : Slices(*whole, lasting_of(*whole));
        if (slices.are_too_little()) return std::make_shared<const Slices>(slices);
        auto made = std::make_shared<const Slices>(slices.with(*whole, type));
        if (whole->index().is_damaged()) return std::unexpected(damaged_index());
        return made;
    };
    const auto slices = TRY(slices_.get(number, is_there, more));
    if (whole) return whole;
    if (slices->are_too_little()) return record(number);
    return slices->open(type);
}

/// The same as those of its outline, in the same place in memory as a rule.
std::shared_ptr<const Relations> Shelf::lasting_of(const Record& record) {
    const auto outline =
        this->outline(record.number());  // of what is newest, which this may not be
    const std::int64_t state = state_of(record);
    const bool is_of_it = outline && state != 0 && (*outline)->state() == state;
    return is_of_it ? (*outline)->relations() : lasting_relations(record);
}

Result<std::shared_ptr<const Outline>> Shelf::outline(CompartmentNumber number) {
    return outlines_.get(number, [&]() -> Result<std::shared_ptr<const Outline>> {
        return Outline::of(*TRY(record(number)));
    });
}

void Shelf::publish(std::shared_ptr<const Record> record) {
    const CompartmentNumber number = record->number();
    const bool is_house = !is_of_patient(record->patient());
    cache_.publish(std::move(record));
    // Afterwards, so that a front that is being made of the older state is made again.
    outlines_.drop(number);
    fronts_.drop(number);
    slices_.drop(number);
    if (is_house) ++house_version_;
}

void Shelf::forget(CompartmentNumber number) {
    cache_.drop(number);
    outlines_.drop(number);
    fronts_.drop(number);
    slices_.drop(number);
    ++house_version_;  // whose it was is not known here
}

void Shelf::forget_bodies(CompartmentNumber number) {
    bodies_.drop(number);
}

Result<std::optional<Place>> Shelf::place_at(Key place) {
    const PlaceCache::Kept kept = places_.find(place);
    if (kept.is_here) return kept.place;
    const std::optional<Bytes> value = TRY(store_->get(Table::Places, place));
    const auto where = value ? std::optional(place_from(*value)) : std::nullopt;
    places_.keep(place, kept.as_of, where);
    return where;
}

Result<std::optional<CompartmentNumber>> Shelf::compartment_at(Key place) {
    const auto where = TRY(place_at(place));
    if (!where) return std::nullopt;
    return where->compartment;
}

Result<std::optional<Known>> Shelf::known(Key place, std::string_view type, std::string_view id) {
    const auto compartment = TRY(compartment_at(place));
    if (!compartment) return std::nullopt;
    const auto opened = TRY(record(*compartment));
    const auto entry = opened->index().find(type, id);
    if (!entry)
        return fail(Code::AlreadyThere,
                    {"cet identifiant ne peut pas servir ici", "this id cannot be used here"},
                    {"choisissez-en un autre", "choose another one"});
    return Known{*compartment, entry->version, entry->updated, entry->deleted, entry->body};
}

Result<std::shared_ptr<const Body>> Shelf::body(std::uint64_t row) {
    if (auto kept = bodies_.find(row); kept.body) {
        TRY(table_->get(kept.compartment));
        return std::move(kept.body);
    }
    SealedCache::Kept sealed = sealed_.find(row);
    std::optional<Bytes> stored = std::move(sealed.stored);
    if (stored->empty()) {
        stored = TRY(store_->get(Table::Bodies, {static_cast<std::int64_t>(row)}));
        if (stored) sealed_.keep(row, sealed.as_of, *stored);
    }
    Opened opened = TRY(open_stored(row, stored));
    auto body = std::make_shared<const Body>(std::move(opened.body));
    bodies_.put(row, opened.compartment, body);
    // An erasure destroys the key, then drops: whoever comes second forgets.
    if (!table_->get(opened.compartment)) bodies_.drop(opened.compartment);
    return body;
}

Result<Body> Shelf::stored_body(std::uint64_t row) {
    const auto stored = TRY(store_->get(Table::Bodies, {static_cast<std::int64_t>(row)}));
    return TRY(open_stored(row, stored)).body;
}

Result<Shelf::Opened> Shelf::open_stored(std::uint64_t row, const std::optional<Bytes>& stored) {
    const auto compartment = stored ? compartment_of_body(*stored) : std::nullopt;
    if (stored && !compartment)
        return fail(
            Code::Erased, {"ce dossier a été effacé", "this record was erased"},
            {"rien à faire, l'effacement est définitif", "nothing to do, the erasure is final"});
    if (!stored)
        return fail(Code::Corrupt,
                    {"une version manque dans le coffre", "a version is missing in the vault"},
                    {"lancez « hygie vault verify », puis restaurez la dernière sauvegarde",
                     "run `hygie vault verify`, then restore the last backup"});
    auto body = TRY(open_body(TRY(table_->get(*compartment)), row, *stored));
    return Opened{*compartment, std::move(body)};
}

Result<Record> Shelf::rebuild(CompartmentNumber number) {
    const crypto::Secret32 key = TRY(table_->get(number));
    std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;  // first row, rows
    const auto [first, last] = keys_of(static_cast<std::int64_t>(number));
    TRY_STATUS(store_->scan(Table::Parts, first, last, [&](Key at, ByteView value) {
        parts.emplace_back(at.minor, VarintReader(value).number());
        return true;
    }));
    IndexBuilder builder(number_of(kUnassigned) == number);
    for (const auto& [start, rows] : parts)
        for (std::uint64_t row = start; row < start + rows; ++row) {
            auto body = stored_body(row);
            // An earlier version that spoke of a patient who was erased.
            if (!body && body.error().code == Code::Erased) continue;
            TRY_STATUS(builder.add_stored(row, TRY(std::move(body))));
        }
    // What moved to another record since is the business of that one.
    TRY_STATUS(builder.keep_if([&](std::string_view type, std::string_view id) -> Result<bool> {
        return TRY(compartment_at(place_of(type, id))) == number;
    }));
    std::string patient = builder.patient();
    for (const std::string_view apart : {kUnassigned, kOwnMemory})
        if (number_of(apart) == number) patient = apart;
    Record record(number, key, std::move(patient));
    return record.with(builder.take());
}

}  // namespace hygie::vault
