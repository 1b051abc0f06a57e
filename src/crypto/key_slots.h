#pragma once

#include <array>
#include <cstdint>

#include "base/result.h"
#include "crypto/key_table.h"

/// The bytes of the key table's file, without any I/O (FORMAT.md). For key_table.cc; others call
/// key_table.h.
namespace hygie::crypto::detail {

/// A divisor of the sector size, so that a slot is never torn in two by a loss of power.
inline constexpr std::size_t kSlotBytes = 128;

/// The blind name of a subject. Twice as long as a Token: two subjects that shared one would share
/// their keys and their end.
using SubjectToken = std::array<std::uint8_t, 16>;

/// What the header says: who the table is, and the keys that read it.
struct TableKeys {
    std::array<std::uint8_t, 16> id{};
    Secret32 wrapping;
    Secret32 naming;  ///< makes subject tokens; drawn once for the life of the table
};

enum class SlotState : std::uint8_t {
    Empty = 0,   ///< never written: unused, or lost with its process before sync()
    Live = 1,    ///< holds a key
    Erased = 2,  ///< its key was destroyed on purpose
    Lost = 3,    ///< its bytes contradict themselves
};

struct Slot {
    SlotState state = SlotState::Empty;
    KeyScope scope;
    SubjectToken subject{};
    Secret32 key;
};

using SlotBytes = std::array<std::uint8_t, kSlotBytes>;

SubjectToken name_subject(const TableKeys& table, std::string_view subject);

SlotBytes encode_header(const TableKeys& table, Random& random);
/// Code::Denied under another wrapping key, Code::Corrupt when damaged.
Result<TableKeys> decode_header(ByteView header, const Secret32& wrapping);

/// Only live slots have more to write than their state.
SlotBytes encode_slot(const TableKeys& table, KeySlot number, const Slot& slot, Random& random);
/// Anything but exactly what encode_slot wrote for this table and number is Lost. Subject and scope
/// of a lost slot are those read, unproven: enough to destroy it with its neighbours.
Slot decode_slot(const TableKeys& table, KeySlot number, ByteView bytes);

}  // namespace hygie::crypto::detail
