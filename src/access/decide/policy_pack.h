#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/circle.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/sha256.h"

/// The policy pack: profession × class of data, windows, limits, as signed and versioned data
/// (FORMAT_POLICY.md). It narrows what circles open; it opens nothing by itself.
namespace hygie::access {

inline constexpr std::size_t kPolicyBytesMax = 256 << 10;
inline constexpr std::size_t kPolicyRowsMax = 200;
inline constexpr Second kBreakGlassSecondsMax = 3600;
inline constexpr unsigned kDelegationDepthMax = 3;

/// One line of the matrix.
struct PolicyRow {
    std::string name;
    Text title;
    std::vector<std::string> codes;  ///< TRE-G15 professions, or "role:…"
    Classes read = 0;
    Classes write = 0;
    bool break_glass = false;
    bool operator==(const PolicyRow&) const = default;
};

/// When an actor sees more patients than is usual (rate_gate.h); factors of the learned baseline.
struct RatePolicy {
    Second window = 3600;
    std::uint32_t floor = 20;  ///< patients per window that are never too many
    std::uint32_t slow = 3;
    std::uint32_t justify = 6;
    std::uint32_t cut = 15;
    bool operator==(const RatePolicy&) const = default;
};

struct Policy {
    std::string name;
    std::uint32_t version = 0;
    std::string from;  ///< date
    std::vector<PolicyRow> rows{};
    std::array<Window, kRelationKinds> windows{};
    Classes step_up = 0;  ///< classes for which a second factor is needed
    bool desk_needs_reason = false;
    unsigned delegation_depth = 2;
    Second break_glass_seconds = kBreakGlassSecondsMax;
    std::uint32_t motive_chars = 15;
    RatePolicy rates{};
    crypto::Hash hash{};  ///< SHA-256 of the pack's bytes: what decisions name

    /// The line for a profession, else for the role; an empty line when there is none.
    const PolicyRow& row_of(Role role, std::string_view profession) const;
    const Window& window_of(Relation::Kind kind) const {
        return windows[static_cast<std::size_t>(kind)];
    }
};

/// Code::BadInput names the field that is missing, unknown, doubled or out of bounds.
Result<Policy> parse_policy(std::string_view text);

/// "hygie-policy-signature/1 <public key> <signature>\n", both in base64.
std::string sign_policy(std::string_view text, const crypto::SigningKey& key);
/// Code::Forged unless one of `keys` signed these bytes.
Status check_signature(std::string_view text, std::string_view signature,
                       std::span<const crypto::PublicKey> keys);

/// The French default, inside the program.
std::string_view default_policy_text();
const Policy& default_policy();

std::string_view name_of(Relation::Kind kind);
std::string_view name_of(Post post);

}  // namespace hygie::access
