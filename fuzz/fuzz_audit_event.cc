#include "base/bytes.h"
#include "base/check.h"
#include "event/balp.h"

using namespace hygie;

/// Accepted ⇒ kept whole: the export is accepted too, and gives the same event.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = event::from_audit_event(as_text({data, size}));
    if (!read) return 0;
    const auto again = event::from_audit_event(event::to_audit_event(*read, {}));
    HYGIE_CHECK(again.has_value() && *again == *read, "an AuditEvent changed on its way");
    return 0;
}
