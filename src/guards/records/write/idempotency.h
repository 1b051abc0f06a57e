#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guards/records/sight/sight.h"
#include "guards/records/write/work.h"

/// Requests that may be sent again: with an Idempotency-Key
/// (draft-ietf-httpapi-idempotency-key-header), what was written is remembered in the same commit,
/// and a repetition is answered from it, after a crash too. It is kept as a Basic resource among
/// what the program remembers for itself (vault/unassigned.h), sealed once more.
namespace hygie::records {

inline constexpr std::size_t kIdempotencyKeyMax = 255;

/// What a key remembers of one change.
struct Remembered {
    int status = 0;
    std::string type{};
    std::string id{};
    std::uint32_t version = 0;  ///< 0: nothing is there
};

/// The id of the Basic of this call's key; empty when the call has none. Code::BadInput for a key
/// that is too long.
Result<std::string> memory_id(const Desk& desk, const Call& call);

/// What was written under the key already; none when it is new. Refuses (422) a key that was used
/// for another request.
Answer<std::optional<std::vector<Remembered>>> recall(Desk& desk, const Call& call,
                                                      const std::string& id);

/// The Basic resource to write beside the changes.
fhir::Json memory_of(const Desk& desk, const Call& call, fhir::Arena& arena, const std::string& id,
                     const std::vector<Remembered>& changes);

}  // namespace hygie::records
