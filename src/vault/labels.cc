#include "vault/labels.h"

#include <algorithm>

#include "access/decide/circle.h"
#include "base/check.h"
#include "fhir/data/schema.h"

namespace hygie::vault {
namespace {

std::uint16_t security_param() {
    static const std::uint16_t number = [] {
        const fhir::SearchParam* param = fhir::find_search_param("Patient", "_security");
        HYGIE_CHECK(param != nullptr, "R4 searches by _security");
        return param->number;
    }();
    return number;
}

}  // namespace

bool has_labels(const fhir::Segment& segment) {
    return segment.has_codes(security_param());
}

std::uint8_t labels_of(const fhir::Segment& segment, std::size_t index) {
    std::uint8_t labels = 0;
    for (const std::string_view code : segment.codes(index, security_param()))
        labels |= access::label_of(code);
    return labels;
}

std::uint8_t labels_of(const Record& record, std::string_view type, std::string_view id) {
    std::uint32_t newest = 0;
    std::uint8_t labels = 0;
    if (!record.is_labelled()) return labels;
    for (const Piece& piece : record.pieces()) {
        const auto found = piece.segment->find(type, id);
        if (!found || piece.segment->entry(*found).version < newest) continue;
        newest = piece.segment->entry(*found).version;
        labels = labels_of(*piece.segment, *found);
    }
    return labels;
}

}  // namespace hygie::vault
