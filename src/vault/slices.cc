#include "vault/slices.h"

#include <algorithm>

#include "base/check.h"
#include "fhir/search/segment_slice.h"
#include "vault/outline.h"
#include "vault/unassigned.h"

namespace hygie::vault {

Slices::Slices(const Record& record, std::shared_ptr<const Relations> relations)
    : number_(record.number()),
      key_(record.key()),
      patient_(record.patient()),
      state_(state_of(record)),
      are_too_little_(record.is_labelled() || record.is_shared() ||
                      !is_of_patient(record.patient())),
      relations_(std::move(relations)) {}

bool Slices::has(std::string_view type) const {
    return are_too_little_ || std::ranges::find(slices_, type, &Slice::type) != slices_.end();
}

Slices Slices::with(const Record& record, std::string_view type) const {
    Slices next = *this;
    Slice slice{.type = std::string(type), .pieces = {}};
    for (const Piece& piece : record.pieces())
        if (Bytes bytes = fhir::slice(*piece.segment, type); !bytes.empty())
            slice.pieces.push_back(std::move(bytes));
    next.slices_.push_back(std::move(slice));
    return next;
}

std::shared_ptr<const Record> Slices::open(std::string_view type) const {
    const auto slice = std::ranges::find(slices_, type, &Slice::type);
    Record record(number_, key_, patient_);
    const auto add = [&](fhir::Segment segment, std::shared_ptr<const Relations> relations) {
        record = record.with({.number = 0,
                              .segment = std::make_shared<const fhir::Segment>(std::move(segment)),
                              .relations = std::move(relations)});
    };
    static const auto none = std::make_shared<const Relations>();
    for (const Bytes& bytes : slice->pieces) {
        auto segment = fhir::decode(bytes);
        HYGIE_CHECK(segment, "a slice never left this memory");
        // What is newer may replace relations, which these are not to be.
        add(*std::move(segment), &bytes == &slice->pieces.back() ? relations_ : none);
    }
    if (slice->pieces.empty()) add(fhir::Segment::build({}), relations_);
    return std::make_shared<const Record>(std::move(record));
}

std::size_t Slices::bytes() const {
    std::size_t sum = sizeof(*this) + patient_.size() + slices_.capacity() * sizeof(Slice);
    for (const Slice& slice : slices_) {
        sum += slice.pieces.capacity() * sizeof(Bytes);
        for (const Bytes& bytes : slice.pieces) sum += bytes.capacity();
    }
    return sum;
}

}  // namespace hygie::vault
