#include "crypto/key_table.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <ranges>
#include <shared_mutex>
#include <unordered_map>

#include "crypto/key_slots.h"
#include "crypto/wipe.h"

namespace hygie::crypto {
namespace {

using detail::kSlotBytes;
using detail::Slot;
using detail::SlotState;
using detail::SubjectToken;
using detail::TableKeys;

/// Slot numbers are set aside this many at a time, by growing the file before any of them is given
/// out: after a crash the size of the file tells which numbers may have been.
constexpr std::uint64_t kReserveSlots = 1024;
/// Slots read or written at once when the whole file is.
constexpr std::uint64_t kChunkSlots = 1024;
/// Subjects whose names are remembered in clear, in memory, to spare the HMAC of their token.
constexpr std::size_t kNamesMax = 1 << 20;

/// The header stands where slot 0 would, so numbers start at 1.
std::uint64_t offset_of(KeySlot number) {
    return number * kSlotBytes;
}

std::string file_in(const std::string& dir) {
    return join(dir, "slots");
}
/// Where replace_file and rewrap prepare the next version; it holds wrapped keys too.
std::string draft_in(const std::string& dir) {
    return join(dir, "slots.tmp");
}

struct TokenHash {
    std::size_t operator()(const SubjectToken& token) const {
        return load_be<std::size_t>(token.data());  // the token is a hash already
    }
};

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
        return std::hash<std::string_view>{}(name);
    }
};

std::unexpected<Error> refused() {
    return fail(
        Code::Io,
        {"le disque n'a pas gardé la dernière écriture de la table des clés",
         "the disk did not keep the last write to the key table"},
        {"vérifiez le disque, puis redémarrez hygie", "check the disk, then restart hygie"});
}

}  // namespace

/// Two locks, taken in this order: `io` for whoever writes the file, `memory` for what is known of
/// it. Finding a key takes only `memory`, shared.
struct KeyTable::State {
    /// The numbers of one subject's slots, oldest first; lost slots are among them, to be destroyed
    /// with the rest.
    using Numbers = std::vector<KeySlot>;

    State(Disk& disk_, Random& random_, std::string dir_, TableKeys table_)
        : disk(disk_), random(random_), dir(std::move(dir_)), table(std::move(table_)) {}

    Disk& disk;
    Random& random;
    const std::string dir;

    mutable std::shared_mutex memory;
    TableKeys table;         ///< only `wrapping` ever changes; `naming` is read without a lock
    std::deque<Slot> slots;  ///< slot n at n - 1
    std::unordered_map<SubjectToken, Numbers, TokenHash> subjects;
    mutable std::unordered_map<std::string, const Numbers*, NameHash, std::equal_to<>> names;
    std::uint64_t live = 0;
    std::uint64_t reserved = 0;  ///< numbers up to here are set aside in the file
    std::uint64_t durable = 0;   ///< slots up to here survive a loss of power

    std::mutex io;
    std::unique_ptr<File> file;  ///< opened at the first change
    std::uint64_t written = 0;   ///< slots up to here are in the file
    bool broken = false;  ///< a write failed: what the file holds is unknown, so no more of them

    // With `memory` held:
    const Slot& slot(KeySlot number) const { return slots[number - 1]; }
    std::optional<Found> look_up(const Numbers& numbers, KeyScope scope) const;
    void remember(std::string_view subject, const Numbers& numbers) const;
    void add(Slot slot);
    Found make(std::string_view subject, const SubjectToken& token, KeyScope scope,
               const Secret32& key);
    void forget(const Numbers& numbers);

    // With `io` held:
    Status begin_change();
    Status keep(Status done);
    Status write_fresh();
    Status sync_file();
    Status write_tombstones(const Numbers& numbers);
    Status write_all(const TableKeys& under, File& out);

    Status load(File& from);
    Status reserve();
    std::optional<Found> find(std::string_view subject, KeyScope scope) const;
    template <typename Choose>
    Result<std::vector<KeySlot>> destroy(Choose choose);
};

// --- what is known -----------------------------------------------------------------------------

std::optional<KeyTable::Found> KeyTable::State::look_up(const Numbers& numbers,
                                                        KeyScope scope) const {
    // The newest first: that is the scope in use.
    for (const KeySlot number : std::views::reverse(numbers)) {
        const Slot& candidate = slot(number);
        if (candidate.scope == scope && candidate.state == SlotState::Live)
            return Found{number, candidate.key, false};
    }
    return std::nullopt;
}

void KeyTable::State::remember(std::string_view subject, const Numbers& numbers) const {
    if (names.size() >= kNamesMax) names.clear();
    names.emplace(subject, &numbers);
}

void KeyTable::State::add(Slot slot) {
    const KeySlot number = slots.size() + 1;
    if (slot.state == SlotState::Live || slot.state == SlotState::Lost)
        subjects[slot.subject].push_back(number);
    if (slot.state == SlotState::Live) ++live;
    slots.push_back(std::move(slot));
}

KeyTable::Found KeyTable::State::make(std::string_view subject, const SubjectToken& token,
                                      KeyScope scope, const Secret32& key) {
    add({SlotState::Live, scope, token, key});
    remember(subject, subjects[token]);
    return {slots.size(), key, true};
}

/// Drops keys from memory. `numbers` are slots of `subjects` whose names are no longer remembered.
void KeyTable::State::forget(const Numbers& numbers) {
    for (const KeySlot number : numbers) {
        Slot& gone = slots[number - 1];
        if (gone.state == SlotState::Live) --live;
        gone.key = Secret32();
        const auto subject = subjects.find(gone.subject);
        gone.subject = {};
        gone.state = SlotState::Erased;
        std::erase(subject->second, number);
        if (subject->second.empty()) subjects.erase(subject);
    }
}

std::optional<KeyTable::Found> KeyTable::State::find(std::string_view subject,
                                                     KeyScope scope) const {
    {
        const std::shared_lock lock(memory);
        const auto name = names.find(subject);
        if (name != names.end()) return look_up(*name->second, scope);
    }
    const SubjectToken token = detail::name_subject(table, subject);
    const std::unique_lock lock(memory);
    const auto known = subjects.find(token);
    if (known == subjects.end()) return std::nullopt;
    remember(subject, known->second);
    return look_up(known->second, scope);
}

// --- the file ----------------------------------------------------------------------------------

/// Reads every slot. A part of a slot at the end is a reservation cut by a crash: its number is
/// skipped like the others of that reservation.
Status KeyTable::State::load(File& from) {
    const std::uint64_t size = TRY(from.size());
    const std::uint64_t count = (size + kSlotBytes - 1) / kSlotBytes - 1;
    Bytes chunk;
    for (std::uint64_t done = 0; done < count; done += kChunkSlots) {
        const std::uint64_t now = std::min(kChunkSlots, count - done);
        chunk.assign(now * kSlotBytes, 0);
        (void)TRY(from.read_at(offset_of(done + 1), chunk));
        for (std::uint64_t i = 0; i < now; ++i)
            add(detail::decode_slot(table, done + i + 1,
                                    ByteView(chunk).subspan(i * kSlotBytes, kSlotBytes)));
    }
    written = durable = reserved = slots.size();
    return {};
}

/// Opens the file for writing, once, and destroys what an interrupted rewrap may have left behind:
/// it would outlive a shred.
Status KeyTable::State::begin_change() {
    if (broken) return refused();
    if (file) return {};
    TRY_STATUS(wipe_and_remove(disk, draft_in(dir)));
    file = TRY(disk.open(file_in(dir), Open::ReadWrite));
    return {};
}

/// Passes the outcome of a write on, and remembers a failure for good.
Status KeyTable::State::keep(Status done) {
    if (!done) broken = true;
    return done;
}

Status KeyTable::State::reserve() {
    const std::lock_guard writing(io);
    TRY_STATUS(begin_change());
    std::uint64_t target = 0;
    {
        const std::shared_lock lock(memory);
        if (slots.size() < reserved) return {};  // another thread did it
        target = reserved + kReserveSlots;
    }
    if (Status grown = file->preallocate(offset_of(target + 1)); !grown) {
        // A full disk is no damage: nothing was given out, and it may be tried again.
        return grown.error().code == Code::Full ? grown : keep(grown);
    }
    const std::unique_lock lock(memory);
    reserved = target;
    return {};
}

Status KeyTable::State::write_fresh() {
    Bytes bytes;
    std::uint64_t last = 0;
    {
        const std::shared_lock lock(memory);
        last = slots.size();
        for (KeySlot number = written + 1; number <= last; ++number)
            append(bytes, detail::encode_slot(table, number, slot(number), random));
    }
    if (bytes.empty()) return {};
    TRY_STATUS(keep(file->write_at(offset_of(written + 1), bytes)));
    written = last;
    return {};
}

Status KeyTable::State::sync_file() {
    TRY_STATUS(keep(file->sync()));
    const std::unique_lock lock(memory);
    durable = written;
    return {};
}

Status KeyTable::State::write_tombstones(const Numbers& numbers) {
    Slot tombstone;
    tombstone.state = SlotState::Erased;
    for (const KeySlot number : numbers) {
        const auto bytes = detail::encode_slot(table, number, tombstone, random);
        TRY_STATUS(keep(file->write_at(offset_of(number), bytes)));
    }
    return {};
}

Status KeyTable::State::write_all(const TableKeys& under, File& out) {
    TRY_STATUS(out.truncate(0));
    TRY_STATUS(out.write_at(0, detail::encode_header(under, random)));
    Bytes chunk;
    for (std::uint64_t done = 0; done < slots.size(); done += kChunkSlots) {
        chunk.clear();
        const std::uint64_t end = std::min<std::uint64_t>(done + kChunkSlots, slots.size());
        for (KeySlot number = done + 1; number <= end; ++number)
            append(chunk, detail::encode_slot(under, number, slot(number), random));
        TRY_STATUS(out.write_at(offset_of(done + 1), chunk));
    }
    return out.sync();
}

/// Destroys the slots that `choose` lists: one sync for all. It is called with `memory` held, and
/// forgets the names of the subjects it touches.
template <typename Choose>
Result<std::vector<KeySlot>> KeyTable::State::destroy(Choose choose) {
    const std::lock_guard writing(io);
    TRY_STATUS(begin_change());
    Numbers doomed;
    {
        const std::unique_lock lock(memory);
        doomed = choose();
        forget(doomed);
    }
    if (doomed.empty()) return doomed;
    // A slot never written becomes a tombstone too, so that its number is known to be erased.
    TRY_STATUS(write_fresh());
    TRY_STATUS(write_tombstones(doomed));
    TRY_STATUS(sync_file());
    std::ranges::sort(doomed);
    return doomed;
}

// --- the table ---------------------------------------------------------------------------------

KeyTable::KeyTable(std::unique_ptr<State> state) : state_(std::move(state)) {}

/// Gives back the numbers set aside and not given out, so that a table that is closed wastes none.
KeyTable::~KeyTable() {
    State& state = *state_;
    if (!sync() || state.broken || !state.file || state.reserved == state.slots.size()) return;
    if (state.file->truncate(offset_of(state.slots.size() + 1))) (void)state.file->sync();
}

Result<std::unique_ptr<KeyTable>> KeyTable::open(Disk& disk, Random& random, const std::string& dir,
                                                 const Secret32& wrapping) {
    const std::string path = file_in(dir);
    if (!disk.exists(path)) {
        const TableKeys table{random.bytes<16>(), wrapping, Secret32(random.bytes<32>())};
        TRY_STATUS(disk.make_dirs(dir));
        TRY_STATUS(disk.replace_file(path, detail::encode_header(table, random)));
    }
    const std::unique_ptr<File> file = TRY(disk.open(path, Open::Read));
    detail::SlotBytes header{};
    const std::size_t count = TRY(file->read_at(0, header));
    const TableKeys table = TRY(detail::decode_header(ByteView(header).first(count), wrapping));
    auto state = std::make_unique<State>(disk, random, dir, table);
    TRY_STATUS(state->load(*file));
    return std::unique_ptr<KeyTable>(new KeyTable(std::move(state)));
}

Result<KeyTable::Found> KeyTable::find_or_make(std::string_view subject, KeyScope scope) {
    if (const auto found = state_->find(subject, scope)) return *found;
    const SubjectToken token = detail::name_subject(state_->table, subject);
    const Secret32 key(state_->random.bytes<32>());
    while (true) {
        {
            const std::unique_lock lock(state_->memory);
            const auto known = state_->subjects.find(token);
            if (known != state_->subjects.end())
                if (const auto found = state_->look_up(known->second, scope)) return *found;
            if (state_->slots.size() < state_->reserved)
                return state_->make(subject, token, scope, key);
        }
        TRY_STATUS(state_->reserve());
    }
}

std::optional<KeyTable::Found> KeyTable::find(std::string_view subject, KeyScope scope) const {
    return state_->find(subject, scope);
}

Result<Secret32> KeyTable::get(KeySlot number) const {
    const std::shared_lock lock(state_->memory);
    const SlotState state = number == 0 || number > state_->slots.size()
                                ? SlotState::Empty
                                : state_->slot(number).state;
    switch (state) {
        case SlotState::Live:
            return state_->slot(number).key;
        case SlotState::Erased:
            return fail(Code::Erased,
                        {"la clé a été détruite : ces données sont effacées",
                         "the key was destroyed: these data are erased"},
                        {"rien à faire, l'effacement est définitif",
                         "nothing to do, the erasure is final"});
        case SlotState::Lost:
            return fail(
                Code::Corrupt,
                {"une clé de la table des clés est abîmée", "a key of the key table is damaged"},
                {"restaurez le fichier slots depuis la dernière sauvegarde des clés",
                 "restore the file slots from the last backup of the keys"});
        case SlotState::Empty:
            break;
    }
    return fail(Code::NotFound,
                {"la table des clés n'a pas de clé sous ce numéro",
                 "the key table has no key under this number"},
                {"vérifiez que la table et les données viennent de la même sauvegarde",
                 "check that the table and the data come from the same backup"});
}

Status KeyTable::sync() {
    {
        const std::shared_lock lock(state_->memory);
        if (state_->slots.size() == state_->durable) return {};
    }
    const std::lock_guard writing(state_->io);
    TRY_STATUS(state_->begin_change());
    TRY_STATUS(state_->write_fresh());
    return state_->sync_file();
}

Result<std::vector<KeySlot>> KeyTable::shred(std::string_view subject,
                                             std::optional<std::uint8_t> retention) {
    State& state = *state_;
    const SubjectToken token = detail::name_subject(state.table, subject);
    return state.destroy([&] {
        State::Numbers doomed;
        if (const auto name = state.names.find(subject); name != state.names.end())
            state.names.erase(name);
        if (const auto known = state.subjects.find(token); known != state.subjects.end())
            std::ranges::copy_if(known->second, std::back_inserter(doomed), [&](KeySlot number) {
                return !retention || state.slot(number).scope.retention == *retention;
            });
        return doomed;
    });
}

Result<std::vector<KeySlot>> KeyTable::shred_expired(std::uint8_t retention,
                                                     std::uint16_t last_year) {
    State& state = *state_;
    return state.destroy([&] {
        State::Numbers doomed;
        state.names.clear();
        for (const auto& [token, numbers] : state.subjects)
            std::ranges::copy_if(numbers, std::back_inserter(doomed), [&](KeySlot number) {
                const KeyScope scope = state.slot(number).scope;
                return scope.retention == retention && scope.year <= last_year;
            });
        return doomed;
    });
}

Status KeyTable::rewrap(const Secret32& wrapping) {
    State& state = *state_;
    const std::lock_guard writing(state.io);
    TRY_STATUS(state.begin_change());
    const std::unique_lock lock(state.memory);
    TableKeys under = state.table;
    under.wrapping = wrapping;
    const std::string draft = draft_in(state.dir);
    std::unique_ptr<File> next = TRY(state.disk.open(draft, Open::OpenOrCreate));
    if (Status prepared = state.write_all(under, *next); !prepared) {
        (void)wipe_and_remove(state.disk, draft);
        state.file.reset();  // the next change tries once more to destroy the draft
        return prepared;
    }
    TRY_STATUS(state.keep(state.disk.rename(draft, file_in(state.dir))));
    TRY_STATUS(state.keep(state.disk.sync_dir(state.dir)));
    // The old file has no name any more; its bytes go before its last handle does.
    std::swap(state.file, next);
    state.table.wrapping = wrapping;
    state.written = state.durable = state.reserved = state.slots.size();
    return wipe(*next);
}

std::uint64_t KeyTable::live() const {
    const std::shared_lock lock(state_->memory);
    return state_->live;
}

std::uint64_t KeyTable::slots() const {
    const std::shared_lock lock(state_->memory);
    return state_->slots.size();
}

}  // namespace hygie::crypto
