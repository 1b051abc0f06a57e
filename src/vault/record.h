#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/decision.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "fhir/search/segment.h"

namespace hygie::vault {

/// The number of a patient's record, or of the house: the slot of its key in the key table.
using CompartmentNumber = std::uint64_t;

using Relations = std::vector<access::Relation>;

/// One stored piece of a record: what its resources are and the relations that they say.
struct Piece {
    std::int64_t number = 0;  ///< in Table::Pieces; 0 before it is stored
    std::shared_ptr<const fhir::Segment> segment;
    std::shared_ptr<const Relations> relations;  ///< never null; in order of person
    bool labelled = false;                       ///< whether any has a code of meta.security
    bool shared = false;                         ///< whether any names several patients (shared.h)
};
/// A piece not stored yet.
Piece make_piece(fhir::Segment segment, std::shared_ptr<const Relations> relations);

/// Changes with the format of pieces, with the definitions of what they index and with the time
/// zone of the practice: an index made with another is made anew.
std::uint64_t index_version();

/// Code::Corrupt: what an index says does not read back. Whoever opens the record next has it made
/// anew.
Error damaged_index();

/// The bytes that are sealed, and back. `patient` is the id of the record's patient.
Bytes encode_piece(const Piece& piece, std::string_view patient);
struct DecodedPiece {
    Piece piece;
    std::string patient;
};
/// Code::Stale when it was made with another index_version().
Result<DecodedPiece> decode_piece(std::int64_t number, ByteView bytes);

/// All that one patient's record, or the house, holds at one moment: a snapshot that never changes.
class Record {
  public:
    /// Without any piece yet.
    Record(CompartmentNumber number, const crypto::Secret32& key, std::string patient)
        : number_(number), key_(key), patient_(std::move(patient)) {}

    /// This and newer things.
    Record with(Piece newer) const;
    /// This with its last `count` pieces in one, which is returned too, to be stored under
    /// `number`.
    Record merged(std::size_t count, std::int64_t number, Piece& into) const;
    /// How many of the last pieces are worth merging: sizes then at least double from one piece to
    /// the one before it, so that few pieces are read and little is written again. 0: none.
    std::size_t merge_due() const;

    CompartmentNumber number() const { return number_; }
    const crypto::Secret32& key() const { return key_; }
    /// Id of the patient; empty for the house: what belongs to no patient.
    std::string_view patient() const { return patient_; }
    /// Who treats this patient, as the record itself says; in order of person.
    std::span<const access::Relation> relations() const { return *relations_; }
    const fhir::Compartment& index() const { return index_; }
    std::span<const Piece> pieces() const { return pieces_; }
    /// Whether any resource has a code of meta.security.
    bool is_labelled() const { return labelled_; }
    /// Whether it is a patient's, and any resource in it names others too.
    bool is_shared() const { return shared_; }
    /// Current resources, those deleted left out, of one type or (empty) of all.
    std::vector<fhir::ResourceEntry> entries(std::string_view type) const {
        return index_.entries(type);
    }
    /// What it occupies in memory, about.
    std::size_t bytes() const;

  private:
    CompartmentNumber number_;
    crypto::Secret32 key_;
    std::string patient_;
    std::vector<Piece> pieces_;
    fhir::Compartment index_;
    std::shared_ptr<const Relations> relations_ = std::make_shared<Relations>();
    bool labelled_ = false;
    bool shared_ = false;
};

}  // namespace hygie::vault
