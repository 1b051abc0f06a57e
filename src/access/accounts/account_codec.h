#pragma once

#include "access/accounts/account.h"
#include "base/cbor.h"
#include "event/event.h"

/// How accounts and the traces of their changes are spelled inside the sealed file (FORMAT.md).
namespace hygie::access {

struct AccountBook {
    std::vector<Account> accounts;  ///< by login
    std::vector<event::Event> untraced;
    std::vector<UnitHold> holds;  ///< oldest first
};

/// Code::BadInput when a trace cannot be spelled.
Result<Bytes> encode_book(const AccountBook& book);
/// Of nothing: an empty book. Code::Corrupt for anything but what encode_book() writes.
Result<AccountBook> decode_book(ByteView bytes);

/// Of a book that is one list: its version and the list.
inline constexpr std::uint64_t kListFields = 2;

/// Microseconds since 1970; earlier times and WallTime::min() as 0.
std::uint64_t to_number(WallTime time);
Result<WallTime> to_time(std::uint64_t number);

/// A sealed book that is one list under its version; what read_list() reads.
template <typename Entry>
Bytes write_list(std::uint64_t version, const std::vector<Entry>& entries,
                 void (*write_entry)(cbor::Writer&, const Entry&)) {
    Bytes bytes;
    cbor::Writer out(bytes);
    out.array(kListFields);
    out.number(version);
    out.array(entries.size());
    for (const Entry& entry : entries) write_entry(out, entry);
    return bytes;
}

/// Of such a book: entries by `read_entry`. Empty for nothing; `corrupt` says what is damaged.
template <typename Entry>
Result<std::vector<Entry>> read_list(ByteView bytes, std::uint64_t version, std::size_t count_max,
                                     Result<Entry> (*read_entry)(cbor::Reader&),
                                     std::unexpected<Error> (*corrupt)()) {
    std::vector<Entry> entries;
    if (bytes.empty()) return entries;
    cbor::Reader in(bytes);
    if (TRY(in.array()) != kListFields || TRY(in.number()) != version) return corrupt();
    const std::uint64_t count = TRY(in.array());
    if (count > count_max) return corrupt();
    for (std::uint64_t i = 0; i < count; ++i) entries.push_back(TRY(read_entry(in)));
    if (!in.done()) return corrupt();
    return entries;
}

void write_texts(cbor::Writer& out, const std::vector<std::string>& texts);
Result<std::vector<std::string>> read_texts(cbor::Reader& in, std::size_t count_max);

}  // namespace hygie::access
