#include "guards/files/keep/state_folder.h"

#include <fmt/format.h>

#include <sstream>

namespace hygie::files {
namespace {

constexpr std::size_t kVolumesBytesMax = 64 << 10;

}  // namespace

Result<crypto::Secret32> state_key(StoreDoors doors, const std::string& state, Absent absent) {
    const std::string path = StatePaths(state).key;
    crypto::Secret32 key;
    if (!doors.disk.exists(path)) {
        if (absent == Absent::Refuse)
            return fail(Code::NotFound,
                        {"aucun état du garde des fichiers dans " + state,
                         "no state of the file guard in " + state},
                        {"donnez le dossier --state de « hygie guard files »",
                         "give the --state folder of 'hygie guard files'"});
        doors.random.fill(key.mutable_view());
        TRY_STATUS(doors.disk.replace_file(path, key.view()));
        return key;
    }
    const auto file = TRY(doors.disk.open(path, Open::Read));
    if (TRY(file->size()) != 32 || TRY(file->read_at(0, key.mutable_view())) != 32)
        return fail(Code::Corrupt,
                    {"la clé de cet état est abîmée", "the key of this state is damaged"},
                    {"rétablissez ce fichier depuis une copie : sans lui, rien ne se relit",
                     "bring this file back from a copy: without it nothing can be read"});
    return key;
}

Result<std::vector<VolumeLine>> read_volumes(Disk& disk, const std::string& state) {
    const std::string path = StatePaths(state).volumes;
    std::vector<VolumeLine> lines;
    if (!disk.exists(path)) return lines;
    const Bytes bytes = TRY(disk.read_file(path, kVolumesBytesMax));
    std::istringstream text{std::string(as_text(bytes))};
    for (std::string line; std::getline(text, line);) {
        std::istringstream words(line);
        unsigned number = 0;
        VolumeLine volume;
        words >> number >> std::hex >> volume.id >> volume.type;
        std::getline(words >> std::ws, volume.stage);
        volume.number = static_cast<std::uint8_t>(number);
        // A state folder that was moved took its stage along.
        const std::string here = join(state, volume.stage.substr(volume.stage.rfind('/') + 1));
        if (!disk.exists(volume.stage) && disk.exists(here)) volume.stage = here;
        lines.push_back(std::move(volume));
    }
    return lines;
}

Status write_volumes(Disk& disk, const std::string& state, const std::vector<VolumeLine>& lines) {
    std::string text;
    for (const VolumeLine& line : lines)
        text += fmt::format("{} {:x} {} {}\n", line.number, line.id, line.type, line.stage);
    return disk.replace_file(StatePaths(state).volumes, as_bytes(text));
}

}  // namespace hygie::files
