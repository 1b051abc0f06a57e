#include "vault/group.h"

#include <algorithm>

#include "base/check.h"
#include "event/uuid.h"
#include "fhir/data/json.h"
#include "vault/outbox.h"
#include "vault/settings.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

Key key_of(CompartmentNumber compartment, std::uint64_t minor) {
    return {static_cast<std::int64_t>(compartment), static_cast<std::int64_t>(minor)};
}

bool has_piece(const Record& record, std::int64_t number) {
    return std::ranges::find(record.pieces(), number, &Piece::number) != record.pieces().end();
}

}  // namespace

Bytes encode_state(const VaultState& state) {
    Bytes out;
    for (const std::uint64_t number :
         {state.next_counter, state.resources, state.versions, state.records})
        put_varint(out, number);
    return out;
}

Result<VaultState> decode_state(ByteView bytes) {
    VarintReader in(bytes);
    const VaultState state{in.number(), in.number(), in.number(), in.number()};
    if (in.ok()) return state;
    return fail(Code::Corrupt,
                {"les compteurs du coffre sont abîmés", "the counters of the vault are damaged"},
                {"restaurez la dernière sauvegarde", "restore the last backup"});
}

Result<std::optional<Known>> Group::known(Key place, std::string_view type, std::string_view id) {
    if (const auto newest = newest_.find(place); newest != newest_.end()) return newest->second;
    return doors_.shelf.known(place, type, id);
}

Result<bool> Group::still_holds(const Prepared& prepared) {
    for (const PreparedPart& part : prepared.parts)
        if (!doors_.shelf.table().get(part.compartment)) return false;
    for (const PreparedWrite& write : prepared.writes)
        if (TRY(known(write.place, write.version.type, write.version.id)) != write.before)
            return false;
    return true;
}

/// From the texts, in the order asked: the resources of the caller are gone by now.
Status Group::prepare_again(Prepared& prepared, const std::string& author) {
    std::vector<Write> writes(prepared.writes.size());
    std::vector<fhir::Document> documents;
    for (PreparedWrite& old : prepared.writes) {
        Write& write = writes[old.asked];
        write.kind = old.version.deleted ? Write::Kind::Delete : Write::Kind::Put;
        write.type = old.version.type;
        write.id = old.version.id;
        write.must_be_new = old.must_be_new;
        write.if_match = old.if_match;
        if (old.version.deleted) continue;
        documents.push_back(TRY(fhir::parse(old.version.body)));
        write.resource = documents.back().root;
    }
    prepared = TRY(prepare(doors_.shelf, doors_.clock, doors_.numbers, writes, author,
                           [&](Key place, std::string_view type, std::string_view id) {
                               return known(place, type, id);
                           }));
    return {};
}

/// What the vault says of a commit besides what the caller did.
Status Group::number(event::Event& event) {
    event.source = doors_.origin.source;
    event.node = doors_.origin.node;
    event.time = doors_.clock.now();
    event.counter = state_.next_counter;
    if (event.id.empty()) event.id = event::print_uuid(event::make_uuid(event.time, doors_.random));
    Bytes sealed = TRY(seal_event(doors_.shelf.keys().outbox, event, doors_.random));
    batch_.put(Table::Outbox, {static_cast<std::int64_t>(event.counter)}, std::move(sealed));
    ++state_.next_counter;
    return {};
}

Status Group::open_records(Prepared& prepared) {
    for (PreparedPart& part : prepared.parts) {
        part.piece.number = static_cast<std::int64_t>(TRY(doors_.numbers.take(1)));
        if (records_.contains(part.compartment)) continue;
        auto before = TRY(doors_.shelf.record(part.compartment));
        Record after = before->pieces().empty()
                           ? Record(part.compartment, before->key(), part.patient)
                           : *before;
        records_.emplace(part.compartment, Touched{std::move(before), std::move(after)});
    }
    return {};
}

void Group::store(const PreparedWrite& write) {
    batch_.put(Table::Places, write.place,
               place_bytes({.compartment = write.after.compartment, .row = write.after.row}));
    newest_[write.place] = write.after;
    const bool lived = write.before && !write.before->deleted;
    state_.resources += static_cast<std::uint64_t>(!write.after.deleted);
    state_.resources -= static_cast<std::uint64_t>(lived);
    state_.records += static_cast<std::uint64_t>(!write.before && write.version.type == "Patient");
    ++state_.versions;
}

void Group::store(Prepared& prepared) {
    for (PreparedWrite& write : prepared.writes) {
        store(write);
        batch_.put(Table::Bodies, {static_cast<std::int64_t>(write.after.row)},
                   std::move(write.stored));
    }
    for (PreparedPart& part : prepared.parts) {
        for (const std::int64_t name : part.names) {
            const auto compartment = static_cast<std::int64_t>(part.compartment);
            batch_.put(Table::Names, {name, compartment}, {});
            batch_.put(Table::NamesOf, {compartment, name}, {});
        }
        if (part.rows > 0) {
            Bytes rows;
            put_varint(rows, part.rows);
            batch_.put(Table::Parts, key_of(part.compartment, part.first_row), std::move(rows));
        }
        Record& record = records_.at(part.compartment).after;
        record = record.with(std::move(part.piece));
    }
}

Status Group::admit(Prepared& prepared, const std::string& author, event::Event& event) {
    if (!TRY(still_holds(prepared))) TRY_STATUS(prepare_again(prepared, author));
    TRY_STATUS(open_records(prepared));
    event.detail["digest"] = to_hex(prepared.digest);
    event.detail["versions"] = std::to_string(prepared.writes.size());
    TRY_STATUS(number(event));
    Bytes rows;
    put_varint(rows, prepared.first_row);
    put_varint(rows, prepared.writes.size());
    batch_.put(Table::Commits, {static_cast<std::int64_t>(event.counter)}, std::move(rows));
    store(prepared);
    return {};
}

Status Group::admit(event::Event& event, Batch rows) {
    TRY_STATUS(number(event));
    std::ranges::move(rows.rows, std::back_inserter(batch_.rows));
    return {};
}

/// Merges where it pays, then stores the pieces that are new and erases those that are no more.
Status Group::store_pieces(Touched& touched) {
    Record& after = touched.after;
    for (std::size_t due = after.merge_due(); due > 0; due = after.merge_due()) {
        Piece whole;
        const auto number = static_cast<std::int64_t>(TRY(doors_.numbers.take(1)));
        Record merged = after.merged(due, number, whole);
        // What is damaged is made anew when it is next opened; merged, it would look whole.
        if (after.index().is_damaged()) break;
        after = std::move(merged);
    }
    for (const Piece& piece : after.pieces()) {
        if (has_piece(*touched.before, piece.number)) continue;
        const auto number = static_cast<std::uint64_t>(piece.number);
        batch_.put(
            Table::Pieces, key_of(after.number(), number),
            seal_piece(after.key(), after.number(), number, encode_piece(piece, after.patient())));
    }
    for (const Piece& piece : touched.before->pieces())
        if (!has_piece(after, piece.number))
            batch_.erase(Table::Pieces,
                         key_of(after.number(), static_cast<std::uint64_t>(piece.number)));
    return {};
}

Result<Batch> Group::finish() {
    for (auto& [number, touched] : records_) TRY_STATUS(store_pieces(touched));
    batch_.put(Table::Settings, key_of(Setting::State), encode_state(state_));
    return std::move(batch_);
}

void Group::publish() {
    for (auto& [number, touched] : records_)
        doors_.shelf.publish(std::make_shared<const Record>(std::move(touched.after)));
}

}  // namespace hygie::vault
