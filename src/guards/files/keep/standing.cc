#include "guards/files/keep/standing.h"

#include "guards/files/keep/history.h"

namespace hygie::files {
namespace {

/// Whether somebody listens at a local socket, asked without disturbing.
bool is_listening(const std::string& path) {
    constexpr std::size_t kTableBytesMax = 1 << 20;
    const auto file = real_disk().open("/proc/net/unix", Open::Read);
    if (!file) return false;
    Bytes table(kTableBytesMax);
    const auto size = (*file)->read_at(0, table);
    if (!size) return false;
    return as_text(ByteView(table).first(*size)).find(' ' + path + '\n') != std::string_view::npos;
}

}  // namespace

Result<Standing> standing_of(StoreDoors doors, const std::string& state) {
    const History history = TRY(History::read(doors, state));
    Standing standing;
    Timeline timeline;
    for (const Record& record : history.records()) {
        timeline.apply(record);
        standing.last = record.time;
        if (record.kind == RecordKind::Present && record.place != Place::None) ++standing.versions;
        if (record.kind == RecordKind::Hashed) ++standing.marked;
    }
    for (const auto& [path, file] : timeline.all())
        if (file.type == FileType::Regular) ++standing.files;
    const StatePaths paths(state);
    standing.is_running = !doors.disk.lock(paths.lock).has_value();
    standing.is_standing_in = !standing.is_running && is_listening(paths.handover);
    const auto add = [&](const std::string& dir, std::uint64_t& sum) -> Status {
        if (!doors.disk.exists(dir)) return {};
        for (const DirEntry& entry : TRY(doors.disk.list(dir)))
            if (!entry.is_dir) sum += doors.disk.file_size(join(dir, entry.name)).value_or(0);
        return {};
    };
    TRY_STATUS(add(paths.packs, standing.packed_bytes));
    for (const VolumeLine& volume : TRY(read_volumes(doors.disk, state)))
        for (const std::string& folder : TRY(Stage::at(volume.stage)).all_folders())
            TRY_STATUS(add(folder, standing.staged_bytes));
    return standing;
}

}  // namespace hygie::files
