#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "event/event.h"
#include "host/random.h"

namespace hygie::vault {

/// An event of the vault that the ledger may not have yet, sealed. Code::BadInput when it is too
/// long for the ledger.
Result<Bytes> seal_event(const crypto::Secret32& key, const event::Event& event, Random& random);
/// The inverse; source and node are those of the vault that wrote it.
Result<event::Event> open_event(const crypto::Secret32& key, std::uint64_t counter, ByteView sealed,
                                const SourceId& source, const NodeId& node);

}  // namespace hygie::vault
