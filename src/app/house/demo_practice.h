#pragma once

#include <string>
#include <vector>

#include "app/house/core.h"

/// The practice of `hygie demo`: French people laid over Synthea records (demo/make_practice).
namespace hygie::app {

/// Somebody of the practice, with what the demonstration gives to sign in.
struct DemoPerson {
    access::Account account{};
    std::string circle{};    ///< "team" or "none": whether patients are in this person's care
    std::string password{};  ///< new at each start; empty for a program
    std::string token{};     ///< good for a working day
};

struct DemoPractice {
    std::vector<DemoPerson> people{};
    std::vector<std::string> patients{};  ///< ids; the first one has an account
    /// The first person of a role, within a circle when one is named.
    const DemoPerson& one(access::Role role, std::string_view circle = {}) const;
};

/// NDJSON of transaction bundles: the house first, then one patient a line.
Result<std::string> demo_bundles();

/// Reads the practice; at the first start also puts it into the vault, with an agenda around today.
Result<DemoPractice> move_in(Context& context, Store& store, const CoreDirs& dirs,
                             const crypto::RootKey& root, bool is_first);
/// Gives everybody a password and a session.
Status open_accounts(Context& context, Core& core, DemoPractice& practice);

}  // namespace hygie::app
