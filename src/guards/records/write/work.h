#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "guards/records/write/change.h"

/// The one way in which anything is written: a single request is a transaction of one change.
namespace hygie::records {

/// What a change became.
struct Written {
    int status = 200;
    std::string type{};
    std::string id{};
    std::uint32_t version = 0;  ///< 0: nothing is there (a deletion that found nothing)
    WallTime updated{};
    std::string body{};                   ///< empty for a deletion
    Issues warnings{};                    ///< gaps, and contradictions (kept as DetectedIssue too)
    std::vector<std::string> detected{};  ///< "DetectedIssue/…"
};

/// Changes that happen together or not at all. `arena` holds their bodies.
struct Work {
    fhir::Arena arena{};
    std::vector<Change> changes{};
    bool moves_records = false;  ///< resources may go from one patient's record to another's
};

/// One result for each change, in their order.
using OnWritten = std::move_only_function<void(Answer<std::vector<Written>>)>;

/// Checks, judges and commits; calls `done` once store and ledger keep it, or with the first
/// refusal, here or on another thread. `call` lives until then.
void write(Desk& desk, const Call& call, Work work, OnWritten done);

/// Starts the write and answers the call itself: with `respond` when it is done, or refused.
void write_and_reply(Desk& desk, CallPtr call, Answer<Work> work,
                     http::Response (*respond)(const Desk&, const Call&,
                                               const std::vector<Written>&));

}  // namespace hygie::records
