#include "app/definitions.h"

#include <algorithm>

namespace hygie::app {

Result<std::unique_ptr<Definitions>> Definitions::read(Disk& disk, const std::string& dir) {
    std::unique_ptr<Definitions> read(new Definitions());
    std::size_t files = 0;
    TRY_STATUS(read->collect(disk, dir, files));
    const auto words = [&](fhir::Json one) { return read->terminology_.add(one); };
    read->learn(std::move(read->systems_), words);
    read->learn(std::move(read->sets_), words);
    read->learn(std::move(read->structures_),
                [&](fhir::Json one) { return read->profiles_.add(one); });
    if (read->learnt_ > 0 || !read->left_out_.empty()) return read;
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
            if (const auto resource = arena_.parse(as_text(text))) sort_in(*resource);
        }
    }
    return {};
}

void Definitions::sort_in(fhir::Json resource) {
    const std::string_view type = resource["resourceType"].text();
    if (type == "CodeSystem") systems_.push_back(resource);
    if (type == "ValueSet") sets_.push_back(resource);
    if (type == "StructureDefinition" && resource["derivation"].text() == "constraint")
        structures_.push_back(resource);
}

/// Each may stand on others: as long as one more is understood, those left get another try.
template <typename Learn>
void Definitions::learn(std::vector<fhir::Json> waiting, Learn&& one) {
    for (bool moved = true; moved;) {
        const std::size_t before = waiting.size();
        std::erase_if(waiting, [&](fhir::Json definition) {
            const Status learnt = one(definition);
            learnt_ += learnt.has_value();
            return learnt || learnt.error().code == Code::AlreadyThere;
        });
        moved = waiting.size() < before;
    }
    for (const fhir::Json definition : waiting) left_out_.emplace_back(definition["url"].text());
}

}  // namespace hygie::app
