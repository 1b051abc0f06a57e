#include <map>

#include "base/check.h"
#include "crypto/key_table.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

using namespace hygie;
using crypto::KeyTable;

namespace {

const std::string kDir = "keys";
const std::string kFile = "keys/slots";
constexpr crypto::KeyScope kScope{1, 2026};

/// A sound table of a few keys, one of them destroyed, and what it holds.
struct Sound {
    crypto::Secret32 wrapping;
    std::map<crypto::KeySlot, crypto::Secret32> keys;
    Bytes file;

    Sound() {
        sim::SimDisk disk;
        sim::SimRandom random(1);
        {
            const auto table = KeyTable::open(disk, random, kDir, wrapping).value();
            for (const char* subject : {"p/1", "p/2", "p/3"}) {
                const auto found = table->find_or_make(subject, kScope).value();
                keys[found.slot] = found.key;
            }
            const std::vector<crypto::KeySlot> gone = table->shred("p/2", {}).value();
            for (const crypto::KeySlot slot : gone) keys.erase(slot);
        }
        file = disk.read_file(kFile, 1 << 16).value();
    }
};

/// Opens `file` as a table and works with it: a slot gives its own key or none.
void use(const Sound& sound, ByteView file) {
    sim::SimDisk disk;
    sim::SimRandom random(2);
    HYGIE_CHECK(disk.make_dirs(kDir) && disk.write_file(kFile, file), "no disk to work on");
    const auto opened = KeyTable::open(disk, random, kDir, sound.wrapping);
    if (!opened) return;
    KeyTable& table = **opened;
    for (crypto::KeySlot slot = 0; slot <= table.slots() + 1; ++slot) {
        const auto key = table.get(slot);
        if (!key) continue;
        const auto known = sound.keys.find(slot);
        HYGIE_CHECK(known != sound.keys.end() && known->second == *key, "a slot gives another key");
    }
    const auto last = table.slots();
    const auto made = table.find_or_make("p/4", kScope);
    HYGIE_CHECK(made && made->slot > last, "a slot number came back");
    HYGIE_CHECK(table.shred("p/1", {}), "a damaged table cannot shred");
    HYGIE_CHECK(!table.find("p/1", kScope), "a shredded key is found");
    HYGIE_CHECK(table.rewrap(sound.wrapping), "a damaged table cannot be wrapped again");
}

}  // namespace

/// The bytes as they are, then as changes to a sound table: pairs of a place and a byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Sound sound;
    use(sound, ByteView(data, size));
    Bytes changed = sound.file;
    for (std::size_t i = 0; i + 3 <= size; i += 3)
        changed[load_be<std::uint16_t>(data + i) % changed.size()] = data[i + 2];
    use(sound, changed);
    return 0;
}
