#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/fold.h"

/// Numbers that move money or start a call.
namespace hygie::mail {

/// Every IBAN of the text whose country and length exist (ISO 13616), checksum verified or not.
std::vector<Iban> find_ibans(std::string_view text, std::string_view where);
/// Bitcoin (base58check, bech32) by checksum, Ethereum by shape.
std::vector<CryptoAddress> find_wallets(std::string_view text, std::string_view where);
/// Numbers that somebody could dial. `call_ends` are the places of words that ask for a call.
std::vector<Phone> find_phones(std::string_view text, const Folded& folded,
                               const std::vector<std::size_t>& call_at, std::string_view where);

}  // namespace hygie::mail
