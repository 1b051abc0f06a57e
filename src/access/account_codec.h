#pragma once

#include "access/account.h"
#include "base/cbor.h"
#include "event/event.h"

/// How accounts and the traces of their changes are spelled inside the sealed file (FORMAT.md).
namespace hygie::access {

struct AccountBook {
    std::vector<Account> accounts;  ///< by login
    std::vector<event::Event> untraced;
};

/// Code::BadInput when a trace cannot be spelled.
Result<Bytes> encode_book(const AccountBook& book);
/// Of nothing: an empty book. Code::Corrupt for anything but what encode_book() writes.
Result<AccountBook> decode_book(ByteView bytes);

/// Microseconds since 1970; earlier times and WallTime::min() as 0.
std::uint64_t to_number(WallTime time);
Result<WallTime> to_time(std::uint64_t number);

void write_texts(cbor::Writer& out, const std::vector<std::string>& texts);
Result<std::vector<std::string>> read_texts(cbor::Reader& in, std::size_t count_max);

}  // namespace hygie::access
