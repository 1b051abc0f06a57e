#include "app/house/definitions.h"

#include <algorithm>

namespace hygie::app {

Result<std::unique_ptr<Definitions>> Definitions::read(Disk& disk, const std::string& dir) {
    std::unique_ptr<Definitions> read(new Definitions());
    std::size_t files = 0;
    TRY_STATUS(read->collect(disk, dir, files));
    read->set_.learn();
    if (read->learnt() > 0 || !read->left_out().empty()) return read;
    return fail(
        Code::BadInput,
        {"ce dossier ne contient aucune définition FHIR", "this folder holds no FHIR definition"},
        {"donnez le dossier d'un paquet FHIR décompressé (« package », avec ses .json)",
         "give the folder of an unpacked FHIR package ('package', with its .json files)"});
}

Status Definitions::collect(Disk& disk, const std::string& dir, std::size_t& files) {
    auto entries = TRY(disk.list(dir));
    std::ranges::sort(entries, {}, &DirEntry::name);
    for (const DirEntry& entry : entries) {
        const std::string path = join(dir, entry.name);
        if (entry.is_dir) {
            TRY_STATUS(collect(disk, path, files));
        } else if (entry.name.ends_with(".json") && files < kFilesMax) {
            ++files;
            // package.json, .index.json and the like are no resources.
            const Bytes text = TRY(disk.read_file(path, kFileBytesMax));
            set_.take(as_text(text));
        }
    }
    return {};
}

}  // namespace hygie::app
