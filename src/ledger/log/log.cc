#include "ledger/log/log.h"

#include <algorithm>

#include "base/cbor.h"
#include "base/check.h"
#include "ledger/log/layout.h"
#include "ledger/log/source_counters.h"
#include "ledger/tree/log_reader.h"

namespace hygie::ledger {
namespace {

constexpr std::uint64_t kStateVersion = 1;
constexpr std::uint64_t kStateBytesMax = 16 << 20;
constexpr std::string_view kStateBox = "ledger/state";
/// Rows between two steps of merging the index: often enough to keep up, rarely enough to stay out
/// of the way.
constexpr std::size_t kRowsPerMergeStep = 32'768;
/// As many batches are under way when the disk keeps up.
constexpr std::size_t kSpareBatches = 4;

std::unexpected<Error> would_fork() {
    return fail(
        Code::Corrupt,
        {"le journal sur disque contredit le dernier point de contrôle signé ; continuer le ferait "
         "bifurquer",
         "the ledger on disk contradicts the last checkpoint it signed; going on would fork it"},
        {"ne l'effacez pas : restaurez la copie la plus récente, puis vérifiez avec hygie ledger "
         "verify",
         "do not erase it: restore the most recent copy, then verify with hygie ledger verify"});
}

Result<std::unique_ptr<FileLock>> lock_for_writing(Disk& disk, const std::string& dir) {
    auto lock = disk.lock(layout::lock(dir));
    if (lock || lock.error().code != Code::Busy) return lock;
    return fail(Code::Busy,
                {"un autre hygie écrit dans ce journal", "another hygie is writing to this ledger"},
                {"attendez qu'il ait fini, ou écrivez par son lien : hygie link send",
                 "wait until it is done, or write through its link: hygie link send"});
}

struct State {
    std::uint64_t settled = 0;
    Sources sources;
};

Result<State> read_state(Disk& disk, const std::string& dir, const Keys& keys) {
    const Bytes boxed = TRY(disk.read_file(layout::state(dir), kStateBytesMax));
    const Bytes bytes = TRY(crypto::unbox(keys.state_key(), as_bytes(kStateBox), boxed));
    cbor::Reader reader(bytes);
    State state;
    if (TRY(reader.array()) != 3 || TRY(reader.number()) != kStateVersion) return would_fork();
    state.settled = TRY(reader.number());
    state.sources = TRY(Sources::decode(TRY(reader.bytes())));
    return state;
}

}  // namespace

Result<std::optional<SignedCheckpoint>> read_signed(Disk& disk, const std::string& path) {
    if (!disk.exists(path)) return std::nullopt;
    const Bytes bytes = TRY(disk.read_file(path, kNoteBytesMax));
    return TRY(SignedCheckpoint::parse(as_text(bytes)));
}

bool holds_ledger(Disk& disk, const std::string& dir) {
    return disk.exists(layout::state(dir)) || disk.exists(layout::signed_checkpoint(dir)) ||
           disk.exists(layout::checkpoint(dir)) || disk.exists(layout::wal(dir));
}

Status Log::init(const Doors& doors, const std::string& dir, const std::string& origin,
                 const crypto::Secret32& root) {
    if (holds_ledger(doors.disk, dir))
        return fail(Code::AlreadyThere,
                    {"ce dossier contient déjà un journal", "this folder already holds a ledger"},
                    {"choisissez un autre dossier", "choose another folder"});
    TRY_STATUS(check_origin(origin));
    TRY_STATUS(doors.disk.make_dirs(dir, Access::Served));
    TRY_STATUS(doors.disk.make_dirs(layout::private_dir(dir)));
    auto lock = TRY(lock_for_writing(doors.disk, dir));
    auto keys = TRY(Keys::open(doors.disk, doors.random, dir, root));
    Signer signer = TRY(Signer::create(doors.disk, doors.random, *keys, dir, origin));
    auto tiles = TRY(TileStore::resume(doors.disk, dir, 0));
    auto index = TRY(open_index(doors, dir, *keys));
    Log log(doors, dir, std::move(lock), std::move(keys), std::move(signer), std::move(tiles),
            Sources(), std::move(index));
    Snapshot empty{.size = 0, .root = log.tiles_.root(), .sources = {}, .superseded = {}};
    TRY_STATUS(log.write_state(empty));
    return log.publish(empty, {});
}

Result<std::unique_ptr<Log>> Log::open(const Doors& doors, const std::string& dir,
                                       const crypto::Secret32& root) {
    if (!doors.disk.exists(layout::signer(dir)))
        return fail(Code::NotFound, {"aucun journal dans " + dir, "no ledger in " + dir},
                    {"créez-en un : hygie ledger init " + dir + " --origin NOM",
                     "make one: hygie ledger init " + dir + " --origin NAME"});
    auto lock = TRY(lock_for_writing(doors.disk, dir));
    auto keys = TRY(Keys::open(doors.disk, doors.random, dir, root));
    Signer signer = TRY(Signer::open(doors.disk, *keys, dir));
    State state = TRY(read_state(doors.disk, dir, *keys));
    auto tiles = TRY(TileStore::resume(doors.disk, dir, state.settled));
    auto index = TRY(open_index(doors, dir, *keys));
    std::unique_ptr<Log> log(new Log(doors, dir, std::move(lock), std::move(keys),
                                     std::move(signer), std::move(tiles), std::move(state.sources),
                                     std::move(index)));
    TRY_STATUS(log->recover(state.settled));
    return log;
}

Log::Log(const Doors& doors, std::string dir, std::unique_ptr<FileLock> lock,
         std::unique_ptr<Keys> keys, Signer signer, TileStore tiles, Sources sources,
         std::unique_ptr<QueryIndex> index)
    : doors_(doors),
      dir_(std::move(dir)),
      lock_(std::move(lock)),
      keys_(std::move(keys)),
      signer_(std::move(signer)),
      tiles_(std::move(tiles)),
      applied_(std::move(sources)),
      index_(std::move(index)) {}

Log::~Log() = default;

Status Log::recover(std::uint64_t settled) {
    const auto signed_note = TRY(read_signed(doors_.disk, layout::signed_checkpoint(dir_)));
    if (signed_note) last_signed_ = signed_note->checkpoint;
    if (last_signed_ && last_signed_->size == settled) TRY_STATUS(check_against(*last_signed_));
    TRY_STATUS(Wal::replay(
        doors_.disk, layout::wal(dir_), settled,
        [&](std::uint64_t first, ByteView framed, std::span<const crypto::Hash> leaves) {
            return replay(first, framed, leaves, last_signed_);
        }));
    if (last_signed_ && last_signed_->size > tiles_.size()) return would_fork();
    Snapshot recovered = TRY(snapshot());
    TRY_STATUS(feed_index());
    TRY_STATUS(settle(recovered));
    const auto run = doors_.random.bytes<4>();
    const auto run_number = load_be<std::uint32_t>(run.data());
    wal_ = TRY(Wal::create(doors_.disk, layout::wal(dir_), run_number));
    sealer_ = std::make_unique<Sealer>(*keys_, doors_.random, applied_, run_number, tiles_.size());
    durable_ = tiles_.size();
    return {};
}

Status Log::replay(std::uint64_t first, ByteView framed, std::span<const crypto::Hash> leaves,
                   const std::optional<Checkpoint>& signed_before) {
    if (first != tiles_.size()) return would_fork();
    Status taken;
    for_each_entry(framed, [&](ByteView entry) {
        taken = take_in(entry);
        return taken.has_value();
    });
    TRY_STATUS(taken);
    TRY_STATUS(tiles_.append(framed, leaves));
    // Checkpoints are made between batches, and a batch is one record.
    if (signed_before && signed_before->size == tiles_.size()) return check_against(*signed_before);
    if (signed_before && first < signed_before->size && signed_before->size < tiles_.size())
        return would_fork();
    return {};
}

Status Log::take_in(ByteView entry) {
    const EntryView view = TRY(parse_entry(entry));
    if (view.header.type == event::Type::SourceRegistered)
        TRY_STATUS(
            applied_.restore(TRY(registered_source(TRY(keys_->unseal(view, applied_)), *keys_))));
    if (!applied_.has(view.header.source)) return would_fork();
    applied_.number(view.header.source).last_counter = view.header.counter;
    if (view.header.type == event::Type::SourceGap) {
        const DeclaredGap gap = TRY(declared_gap(view));
        if (!applied_.has(gap.source)) return would_fork();
        applied_.number(gap.source).last_counter = gap.last;
    }
    return view.header.type == event::Type::IndexCommitted ? note_commitment(entry) : Status{};
}

Result<std::unique_ptr<QueryIndex>> Log::open_index(const Doors& doors, const std::string& dir,
                                                    const Keys& keys) {
    const auto open = [&] {
        return QueryIndex::open(doors.disk, doors.random, layout::index(dir), keys.index_key());
    };
    auto index = open();
    if (index || index.error().code != Code::Corrupt) return index;
    TRY_STATUS(QueryIndex::wipe(doors.disk,
                                layout::index(dir)));  // all of it can be made again from the log
    return open();
}

Status Log::feed_index() {
    if (index_->covered_end() > tiles_.size()) {
        index_.reset();
        TRY_STATUS(QueryIndex::wipe(doors_.disk, layout::index(dir_)));
        index_ = TRY(open_index(doors_, dir_, *keys_));
    }
    DirReader reader(doors_.disk, dir_);
    const std::uint64_t minimum = TRY(read_minimum_index(reader));
    std::uint64_t next = std::max(index_->covered_end(), minimum);
    while (next < tiles_.size()) {
        const std::uint64_t number = next / kTileHashes;
        const auto width = static_cast<std::size_t>(
            std::min<std::uint64_t>(kTileHashes, tiles_.size() - number * kTileHashes));
        const Bundle bundle = TRY(read_bundle(reader, {number, width}));
        std::vector<IndexRow> rows;
        for (; next < number * kTileHashes + width; ++next) {
            const EntryView view = TRY(parse_entry(bundle.entries[next % kTileHashes]));
            const auto event = keys_->unseal(view, applied_);
            if (!event && event.error().code != Code::Erased) return std::unexpected(event.error());
            rows.push_back(event ? TRY(row_of(view.header, *event, *keys_))
                                 : IndexRow{.sequence = next,
                                            .time = view.header.time,
                                            .actor = view.header.actor});
        }
        TRY_STATUS(index_->add(rows));
    }
    return {};
}

Status Log::note_commitment(ByteView entry) {
    const EntryView view = TRY(parse_entry(entry));
    if (view.header.type != event::Type::IndexCommitted) return {};
    const event::Event event = TRY(keys_->unseal(view, applied_));
    index_->committed(TRY(IndexCommitment::parse(event.detail)), view.header.sequence);
    return {};
}

Status Log::check_against(const Checkpoint& signed_before) const {
    if (tiles_.root() != signed_before.root || signed_before.origin != signer_.origin())
        return would_fork();
    return {};
}

Result<Batch> Log::seal(std::span<const Draft* const> drafts) {
    Batch spare;
    {
        const std::lock_guard lock(spare_mutex_);
        if (!spare_.empty()) {
            spare = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    return sealer_->seal(drafts, doors_.clock.now(), std::move(spare));
}

Result<Batch> Log::seal(std::span<const Draft> drafts) {
    return sealer_->seal(drafts, doors_.clock.now());
}

void Log::recycle(Batch batch) {
    const std::lock_guard lock(spare_mutex_);
    if (spare_.size() < kSpareBatches) spare_.push_back(std::move(batch));
}

Status Log::commit(Batch& batch) {
    if (batch.size() == 0) return {};
    batch.hash_leaves();
    // A key must outlive a crash before anything sealed under it may.
    TRY_STATUS(keys_->table().sync());
    TRY_STATUS(wal_->append(batch.first, batch.leaves, batch.buffer));
    TRY_STATUS(wal_->sync());
    durable_ = batch.end();
    return {};
}

Status Log::apply(const Batch& batch) {
    HYGIE_CHECK(batch.first == tiles_.size() && batch.end() <= durable_,
                "a batch applied before it was durable");
    TRY_STATUS(tiles_.append(batch.framed(), batch.leaves));
    applied_ = batch.sources;
    TRY_STATUS(index_->add(batch.rows));
    for (const std::size_t entry : batch.open) TRY_STATUS(note_commitment(batch.entry(entry)));
    unmerged_rows_ += batch.rows.size();
    if (unmerged_rows_ >= kRowsPerMergeStep) {
        unmerged_rows_ = 0;
        TRY(index_->merge_step());
    }
    return {};
}

Result<std::vector<Draft>> Log::own_drafts() {
    std::vector<Draft> drafts;
    for (const IndexCommitment& commitment : index_->take_commitments())
        drafts.push_back(
            TRY(own_draft(event::Type::IndexCommitted, doors_.clock.now(), commitment.detail())));
    return drafts;
}

Result<Snapshot> Log::snapshot() {
    TRY_STATUS(tiles_.write_partials());
    return Snapshot{tiles_.size(), tiles_.root(), applied_, tiles_.take_superseded()};
}

Status Log::publish(Snapshot& snapshot, const Cosigner& cosign) {
    take_superseded(snapshot);
    if (last_signed_) {
        HYGIE_CHECK(snapshot.size >= last_signed_->size, "the log would shrink");
        HYGIE_CHECK(snapshot.size > last_signed_->size || snapshot.root == last_signed_->root,
                    "the log would fork");
    }
    const Checkpoint checkpoint{signer_.origin(), snapshot.size, snapshot.root, {}};
    return show(signer_.sign(checkpoint, doors_.clock.now()), cosign);
}

Status Log::show(const SignedCheckpoint& checkpoint, const Cosigner& cosign) {
    TRY_STATUS(
        doors_.disk.replace_file(layout::signed_checkpoint(dir_), as_bytes(checkpoint.encode())));
    last_signed_ = checkpoint.checkpoint;
    SignedCheckpoint shown = checkpoint;
    if (cosign) {
        for (NoteSignature& cosignature : cosign(checkpoint))
            shown.note.signatures.push_back(std::move(cosignature));
    }
    return doors_.disk.replace_file(layout::checkpoint(dir_), as_bytes(shown.encode()),
                                    Access::Served);
}

Status Log::settle(Snapshot& snapshot) {
    take_superseded(snapshot);
    TRY_STATUS(doors_.disk.sync_all(dir_));
    TRY_STATUS(write_state(snapshot));
    if (wal_) TRY_STATUS(wal_->release(snapshot.size));
    const auto superseded = std::exchange(superseded_, {});
    return remove_superseded(doors_.disk, superseded);
}

void Log::take_superseded(Snapshot& snapshot) {
    std::ranges::move(std::exchange(snapshot.superseded, {}), std::back_inserter(superseded_));
}

Status Log::write_state(const Snapshot& snapshot) {
    Bytes state;
    cbor::Writer writer(state);
    writer.array(3);
    writer.number(kStateVersion);
    writer.number(snapshot.size);
    writer.bytes(snapshot.sources.encode());
    return doors_.disk.replace_file(
        layout::state(dir_),
        crypto::box(keys_->state_key(), as_bytes(kStateBox), state, doors_.random));
}

Result<std::vector<std::optional<std::uint64_t>>> Log::append(std::span<const Draft> drafts) {
    Batch batch = TRY(seal(drafts));
    TRY_STATUS(commit(batch));
    TRY_STATUS(apply(batch));
    TRY_STATUS(append_own());
    return std::move(batch.sequences);
}

Status Log::append_own() {
    for (std::vector<Draft> own = TRY(own_drafts()); !own.empty(); own = TRY(own_drafts())) {
        Batch batch = TRY(seal(own));
        TRY_STATUS(commit(batch));
        TRY_STATUS(apply(batch));
    }
    return {};
}

Result<SequenceRange> Log::flush_index() {
    TRY_STATUS(index_->flush());
    const SequenceRange range = index_->covered();
    TRY_STATUS(append_own());
    return range;
}

Status Log::close() {
    Snapshot last = TRY(snapshot());
    TRY_STATUS(settle(last));
    TRY_STATUS(index_->keep_rows());
    return wal_->remove_all();
}

Result<std::size_t> Log::shred(const PatientId& patient, std::optional<event::Retention> retention,
                               const event::Event& why) {
    const auto slots = TRY(keys_->shred(patient, retention));
    sealer_->forget();
    event::Event event = why;
    event.type = event::Type::KeyShredded;
    event.action = event::Action::Delete;
    event.subject = {};  // the trace of an erasure must not name whom it erased
    event.detail["keys"] = std::to_string(slots.size());
    const Draft draft = TRY(draft_of(event));
    TRY(append({&draft, 1}));
    return slots.size();
}

Result<Pruned> Log::prunable(WallTime now) {
    DirReader reader(doors_.disk, dir_);
    Pruned pruned{.minimum_index = TRY(read_minimum_index(reader)), .bundles = 0, .keys = 0};
    const std::uint64_t full_bundles = tiles_.size() / kTileHashes;
    for (std::uint64_t number = pruned.minimum_index / kTileHashes; number < full_bundles;
         ++number) {
        const Bundle bundle = TRY(read_bundle(reader, {number}));
        for (const ByteView entry : bundle.entries) {
            const Header header = TRY(parse_entry(entry)).header;
            // What the ledger says about itself is kept as long as something after it needs it:
            // with its bundle.
            const auto kept = event::duration_of(header.retention);
            if (kept && header.time + *kept > now) return pruned;
        }
        ++pruned.bundles;
        pruned.minimum_index = (number + 1) * kTileHashes;
    }
    return pruned;
}

Result<Pruned> Log::prune(WallTime now, bool dry_run, const event::Event& why,
                          const Cosigner& cosign) {
    Pruned pruned = TRY(prunable(now));
    if (dry_run) return pruned;
    pruned.keys = TRY(keys_->shred_expired(now));
    sealer_->forget();
    event::Event event = why;
    event.type = event::Type::LedgerPruned;
    event.action = event::Action::Delete;
    event.detail["minimum_index"] = std::to_string(pruned.minimum_index);
    event.detail["keys"] = std::to_string(pruned.keys);
    const Draft draft = TRY(draft_of(event));
    TRY(append({&draft, 1}));
    if (pruned.bundles == 0) return pruned;
    // An auditor must find the entry that explains the absence before anything is absent.
    Snapshot shown = TRY(snapshot());
    TRY_STATUS(publish(shown, cosign));
    const std::string minimum = std::to_string(pruned.minimum_index) + "\n";
    TRY_STATUS(doors_.disk.replace_file(layout::pruned(dir_), as_bytes(minimum), Access::Served));
    const std::uint64_t end = pruned.minimum_index / kTileHashes;
    for (std::uint64_t number = end - pruned.bundles; number < end; ++number)
        TRY_STATUS(doors_.disk.remove(join(dir_, path_of(BundleId{number}))));
    TRY_STATUS(index_->drop_below(pruned.minimum_index));
    return pruned;
}

Status Log::rotate(const Cosigner& cosign) {
    const Signer next = TRY(signer_.next(doors_.random));
    const Draft draft = TRY(own_draft(event::Type::KeyEpoch, doors_.clock.now(),
                                      {{"epoch", std::to_string(next.epoch())},
                                       {"old", signer_.verifier().str()},
                                       {"new", next.verifier().str()}}));
    TRY(append({&draft, 1}));
    Snapshot last = TRY(snapshot());
    const WallTime now = doors_.clock.now();
    const Checkpoint checkpoint{signer_.origin(), last.size, last.root, {}};
    SignedCheckpoint both = signer_.sign(checkpoint, now);
    for (const NoteSignature& signature : next.sign(checkpoint, now).note.signatures)
        both.note.signatures.push_back(signature);
    TRY_STATUS(show(both, cosign));
    TRY_STATUS(settle(last));
    TRY_STATUS(next.install(doors_.disk, doors_.random, *keys_, dir_));
    signer_ = next;
    return {};
}

}  // namespace hygie::ledger
