#pragma once

#include "base/cbor.h"
#include "base/result.h"
#include "base/text.h"

/// An error on its way to another process (FORMAT.md).
namespace hygie::link {

/// Sentences of an order or a refusal; identifiers and targets of orders.
inline constexpr std::size_t kTextBytesMax = 4096;

/// Why the core will not go on.
struct Refused {
    Code code = Code::Denied;
    Text what;
    Text remedy;
    bool operator==(const Refused&) const = default;
};

Refused refused(const Error& error);
std::unexpected<Error> as_error(const Refused& refused);

inline constexpr std::uint64_t kRefusalItems = 5;
/// The five items of a refusal; texts are cut to kTextBytesMax, and dropped when they are not
/// UTF-8.
void write_refusal(cbor::Writer& out, const Refused& refused);
/// Code::Corrupt for any other spelling.
Result<Refused> read_refusal(cbor::Reader& in);

}  // namespace hygie::link
