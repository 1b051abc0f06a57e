#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "guards/files/acts/smb.h"
#include "guards/files/backup/backup.h"
#include "guards/files/backup/restic.h"
#include "guards/files/enforce/enforcer.h"
#include "guards/files/judge/tools.h"

/// The texts of other programs and of the kernel that the guard of files reads, and its own: what
/// is accepted is spelled again to the same meaning.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hygie;
    const std::string_view text = as_text({data, size});
    if (const auto sessions = files::parse_smbstatus(text))
        for (const files::SmbSession& session : *sessions)
            HYGIE_CHECK(session.pid > 0, "a process has a number");
    (void)files::peer_of(text, {1, 42});
    (void)files::parse_passwd(text);
    (void)files::waited_for(text);
    (void)files::parse_tools(text);
    (void)files::parse_diff(text);
    (void)files::parse_backup(text);
    if (const auto manifest = files::parse_manifest(text))
        HYGIE_CHECK(*files::parse_manifest(files::print_manifest(*manifest)) == *manifest,
                    "a manifest has one meaning");
    if (const auto stops = files::parse_stops(text))
        HYGIE_CHECK(files::parse_stops(files::print_stops(*stops)).has_value(),
                    "what was read can be written");
    return 0;
}
