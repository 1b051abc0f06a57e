#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "host/random.h"

/// Time-based one-time passwords (RFC 6238 over RFC 4226: SHA-1, 30 s, 6 digits, as every
/// authenticator application knows them) and recovery codes.
namespace hygie::access {

inline constexpr std::size_t kOtpSecretBytes = 20;
inline constexpr std::size_t kRecoveryCodes = 10;

/// The code of a time step.
std::string otp_code(ByteView secret, std::uint64_t step);
std::uint64_t otp_step(WallTime time);
/// The step a code belongs to: now, one before or one after, and later than `last`.
std::optional<std::uint64_t> match_otp(ByteView secret, std::string_view code, WallTime now,
                                       std::uint64_t last);
/// otpauth://totp/…: what an authenticator application reads as a QR code.
std::string otp_address(ByteView secret, std::string_view issuer, std::string_view login);

/// Codes of 60 random bits, "k4m7-x2pq-9rtw", each good for one sign-in without the device.
std::vector<std::string> make_recovery_codes(Random& random);
/// Groups of four symbols of 5 random bits that nobody mistakes on paper, `groups` of them.
std::string make_readable_secret(Random& random, std::size_t groups);
/// What is stored of a code; blanks, dashes and case do not matter.
std::string recovery_hash(std::string_view code);

}  // namespace hygie::access
