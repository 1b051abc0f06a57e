#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "event/atna.h"
#include "event/balp.h"
#include "event/cef.h"
#include "event/ndjson.h"
#include "event/test_origin.h"

using namespace hygie;

namespace {

/// Every export takes every event that came in.
void export_all(const event::Event& read) {
    const event::Place place{"fuzz.example/log", 1};
    const auto resource = event::to_audit_event(read, place);
    HYGIE_CHECK(event::check_audit_event(resource).has_value(), "an export is no AuditEvent");
    HYGIE_CHECK(is_utf8(event::to_syslog(read, place)), "a syslog message is not UTF-8");
    HYGIE_CHECK(event::to_cef(read, place).find('\n') == std::string::npos, "CEF of two lines");
}

}  // namespace

/// Accepted ⇒ printed on one line, and read from it as the same event.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    event::TestOrigin origin;
    const auto read = event::parse_line(as_text({data, size}), origin.origin());
    if (!read) return 0;
    export_all(*read);
    std::string line;
    event::print_line(*read, line);
    HYGIE_CHECK(line.find('\n') == line.npos, "a printed event takes two lines");
    const auto again = event::parse_line(line, origin.origin());
    // Defaults and escapes may make the printed line longer than the limit of input.
    if (!again && line.size() > limits::kEventBytesMax) return 0;
    HYGIE_CHECK(again.has_value() && *again == *read, "a printed event reads as another");
    return 0;
}
