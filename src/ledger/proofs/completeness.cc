#include "ledger/proofs/completeness.h"

#include <algorithm>
#include <utility>

#include "base/cbor.h"
#include "event/codec.h"
#include "ledger/index/completeness_tree.h"
#include "ledger/log/entry.h"
#include "ledger/proofs/side_by_side.h"

namespace hygie::ledger {
namespace {

using crypto::Hash;

std::unexpected<Error> malformed(std::source_location where = std::source_location::current()) {
    return fail(
        Code::BadInput,
        {"ce n'est pas une preuve de complétude", "this is not a completeness proof"},
        {"vérifiez que le fichier est entier ; la première ligne doit être hygie-completeness@v1",
         "check that the file is whole; its first line must be hygie-completeness@v1"},
        where);
}

std::unexpected<Error> forged(const char* fr, const char* en,
                              std::source_location where = std::source_location::current()) {
    return fail(Code::Forged, {fr, en},
                {"refusez cette réponse : elle omet, ajoute ou change quelque chose",
                 "refuse this answer: it omits, adds or changes something"},
                where);
}

std::unexpected<Error> no_commitment(std::source_location where = std::source_location::current()) {
    return forged("une entrée n'est pas un engagement de l'index du journal",
                  "an entry is not a commitment of the ledger's index", where);
}

// ---- the file

void write_hashes(cbor::Writer& out, const std::vector<Hash>& hashes) {
    Bytes joined;
    joined.reserve(hashes.size() * sizeof(Hash));
    for (const Hash& hash : hashes) append(joined, hash);
    out.bytes(joined);
}

Result<std::vector<Hash>> read_hashes(cbor::Reader& in) {
    const ByteView joined = TRY(in.bytes());
    if (joined.size() % sizeof(Hash) != 0) return malformed();
    std::vector<Hash> hashes(joined.size() / sizeof(Hash));
    for (std::size_t i = 0; i < hashes.size(); ++i)
        std::copy_n(joined.begin() + static_cast<std::ptrdiff_t>(i * sizeof(Hash)), sizeof(Hash),
                    hashes[i].begin());
    return hashes;
}

void write_entry(cbor::Writer& out, const LoggedEntry& entry) {
    out.number(entry.index);
    out.bytes(entry.bytes);
}

Result<LoggedEntry> read_entry(cbor::Reader& in) {
    LoggedEntry entry;
    entry.index = TRY(in.number());
    entry.bytes = to_bytes(TRY(in.bytes()));
    return entry;
}

void write_run(cbor::Writer& out, const RunProof& run) {
    out.array(6);
    write_entry(out, run.commitment);
    out.number(run.block_count);
    out.number(run.first_block);
    out.array(run.blocks.size());
    for (const Bytes& block : run.blocks) out.bytes(block);
    write_hashes(out, run.hashes);
}

Result<RunProof> read_run(cbor::Reader& in) {
    if (TRY(in.array()) != 6) return malformed();
    RunProof run;
    run.commitment = TRY(read_entry(in));
    run.block_count = TRY(in.number());
    run.first_block = TRY(in.number());
    const std::uint64_t blocks = TRY(in.array());
    for (std::uint64_t i = 0; i < blocks; ++i) run.blocks.push_back(to_bytes(TRY(in.bytes())));
    run.hashes = TRY(read_hashes(in));
    return run;
}

Result<CompletenessProof> read_proof(cbor::Reader& in) {
    if (TRY(in.array()) != 7) return malformed();
    CompletenessProof proof;
    const ByteView actor = TRY(in.bytes());
    if (actor.size() != proof.actor.size()) return malformed();
    std::copy(actor.begin(), actor.end(), proof.actor.begin());
    proof.range.first = TRY(in.number());
    proof.range.end = TRY(in.number());
    proof.checkpoint = TRY(SignedCheckpoint::parse(as_text(TRY(in.bytes()))));
    const std::uint64_t runs = TRY(in.array());
    for (std::uint64_t i = 0; i < runs; ++i) proof.runs.push_back(TRY(read_run(in)));
    const std::uint64_t items = TRY(in.array());
    if (items % 2 != 0) return malformed();
    for (std::uint64_t i = 0; i < items; i += 2) proof.entries.push_back(TRY(read_entry(in)));
    proof.hashes = TRY(read_hashes(in));
    if (!in.done()) return malformed();
    return proof;
}

// ---- proving

/// Entries of the log with the proof of where they stand.
struct Gathered {
    std::vector<LoggedEntry> entries;
    std::vector<Hash> hashes;

    const LoggedEntry& at(std::uint64_t index) const {
        return *std::ranges::lower_bound(entries, index, {}, &LoggedEntry::index);
    }
};

/// Fetches entries and makes their proof, stretch by stretch of the log: on a cold disk each entry
/// is a wait for two files of its own, so several stretches are read side by side.
class Gatherer {
  public:
    Gatherer(LogReader& log, TileCache& tiles, std::uint64_t size,
             std::span<const std::uint64_t> indexes)
        : log_(log), tiles_(tiles), size_(size), indexes_(indexes) {}

    Result<Gathered> gather() {
        cut();
        stretches_.resize(parts_.size());
        gathered_.entries.resize(indexes_.size());
        TRY_STATUS(side_by_side(parts_.size(), kReadersMax, [this](std::size_t i) -> Status {
            TRY_STATUS(read_entries(parts_[i]));
            TileHashes hashes(tiles_, size_);
            stretches_[i] = TRY(prove_stretch(hashes, size_, parts_[i], kStretchLeaves));
            return {};
        }));
        TileHashes hashes(tiles_, size_);
        gathered_.hashes = TRY(prove_leaves(hashes, size_, indexes_, stretches_, kStretchLeaves));
        return std::move(gathered_);
    }

  private:
    /// One tile of level 1 tells all about a stretch from outside.
    static constexpr std::uint64_t kStretchLeaves = kTileHashes * kTileHashes;
    /// A disk answers so many at once about as soon as one.
    static constexpr std::size_t kReadersMax = 32;

    void cut() {
        for (auto rest = indexes_; !rest.empty();) {
            const std::uint64_t end = (rest.front() / kStretchLeaves + 1) * kStretchLeaves;
            const auto count =
                static_cast<std::size_t>(std::ranges::lower_bound(rest, end) - rest.begin());
            parts_.push_back(rest.first(count));
            rest = rest.subspan(count);
        }
    }

    Status read_entries(std::span<const std::uint64_t> part) {
        Bundle bundle;
        std::uint64_t number = UINT64_MAX;
        LoggedEntry* entry = gathered_.entries.data() + (part.data() - indexes_.data());
        for (const std::uint64_t index : part) {
            if (std::exchange(number, index / kTileHashes) != index / kTileHashes)
                bundle = TRY(read_bundle(log_, {number, width_of(size_, 0, number)}));
            *entry++ = {index, to_bytes(bundle.entries[index % kTileHashes])};
        }
        return {};
    }

    LogReader& log_;
    TileCache& tiles_;
    const std::uint64_t size_;
    const std::span<const std::uint64_t> indexes_;
    std::vector<std::span<const std::uint64_t>> parts_;  ///< one per stretch that holds some
    std::vector<StretchProof> stretches_;
    Gathered gathered_;
};

Status check_provable(const QueryIndex& index, const std::vector<RunEvidence>& runs,
                      std::uint64_t checkpoint_size, SequenceRange range) {
    const bool logged = std::ranges::all_of(
        runs, [&](const RunEvidence& run) { return run.logged_at < checkpoint_size; });
    const bool covered = range.first < range.end && !runs.empty() &&
                         index.covered().first <= range.first && range.end <= runs.back().range.end;
    if (logged && covered) return {};
    return fail(Code::Stale,
                {"l'index engagé dans le journal ne couvre pas encore toutes ces entrées",
                 "the index committed to in the log does not cover all these entries yet"},
                {"demandez la preuve après le prochain point de contrôle, ou pour moins d'entrées",
                 "ask for the proof after the next checkpoint, or for fewer entries"});
}

// ---- checking

/// The commitment in a logged entry.
Result<IndexCommitment> read_commitment(const LoggedEntry& logged) {
    const auto entry = parse_entry(logged.bytes);
    if (!entry || entry->header.sequence != logged.index) return no_commitment();
    return commitment_in(*entry);
}

/// Whether the blocks shown are the committed ones.
Status check_blocks(const RunProof& run, const IndexCommitment& commitment) {
    if (run.blocks.size() > run.block_count ||
        run.first_block > run.block_count - run.blocks.size())
        return forged("un bloc de l'index n'existe pas", "a block of the index does not exist");
    std::vector<IndexedLeaf> leaves;
    for (const Bytes& block : run.blocks)
        leaves.push_back({run.first_block + leaves.size(), crypto::leaf_hash(block)});
    const Hash root = TRY(root_from_leaves(run.block_count, leaves, run.hashes));
    if (dimension_root(run.block_count, root) != commitment.root(Dimension::Actor))
        return forged("un bloc de l'index n'est pas celui que le journal engage",
                      "a block of the index is not the one committed to in the log");
    return {};
}

/// Appends what the blocks say about the actor. They are sorted: nothing before a smaller key and
/// nothing behind a larger one can concern it, so the blocks shown must reach that far or to the
/// ends of the run.
Status collect(const RunProof& run, SequenceRange committed, std::uint64_t key,
               std::vector<std::uint64_t>& found) {
    const std::uint64_t positions = positions_of(Dimension::Actor, committed).count;
    bool starts_before = run.first_block == 0;
    bool ends_behind = run.first_block + run.blocks.size() == run.block_count;
    for (std::size_t i = 0; i < run.blocks.size(); ++i) {
        const auto block = decode_block(run.blocks[i], Dimension::Actor, positions);
        if (!block)
            return forged("un bloc de l'index est mal formé", "a block of the index is malformed");
        if (i == 0) starts_before |= block->keys.front() < key;
        if (i + 1 == run.blocks.size()) ends_behind |= block->keys.back() > key;
        for_each_offset(*block, key,
                        [&](std::uint32_t offset) { found.push_back(committed.first + offset); });
    }
    const bool enough =
        run.block_count == 0 || (!run.blocks.empty() && starts_before && ends_behind);
    if (!enough)
        return forged("il manque des blocs voisins de l'index",
                      "neighbouring blocks of the index are missing");
    return {};
}

/// Every trace of the actor in the range according to the committed index.
Result<std::vector<std::uint64_t>> committed_answer(const CompletenessProof& proof) {
    std::vector<std::uint64_t> found;
    std::uint64_t next = 0;
    for (const RunProof& run : proof.runs) {
        const IndexCommitment commitment = TRY(read_commitment(run.commitment));
        const bool is_first = &run == &proof.runs.front();
        if (is_first ? commitment.range.first > proof.range.first : commitment.range.first != next)
            return forged("les engagements de l'index laissent un trou",
                          "the index commitments leave a hole");
        next = commitment.range.end;
        TRY_STATUS(check_blocks(run, commitment));
        TRY_STATUS(
            collect(run, commitment.range, load_be<std::uint64_t>(proof.actor.data()), found));
    }
    if (proof.range.first >= proof.range.end || next < proof.range.end)
        return forged("les engagements de l'index ne couvrent pas les entrées annoncées",
                      "the index commitments do not cover the entries claimed");
    std::erase_if(found,
                  [&](std::uint64_t s) { return s < proof.range.first || s >= proof.range.end; });
    return found;
}

Status check_entries(const CompletenessProof& proof, const std::vector<std::uint64_t>& expected) {
    const bool same = std::ranges::equal(proof.entries, expected, {}, &LoggedEntry::index);
    if (!same)
        return forged("les entrées montrées ne sont pas exactement celles de l'index",
                      "the entries shown are not exactly those of the index");
    for (const LoggedEntry& logged : proof.entries) {
        const auto entry = parse_entry(logged.bytes);
        if (!entry || entry->header.sequence != logged.index || entry->header.actor != proof.actor)
            return forged("une entrée montrée n'est pas de cet acteur",
                          "an entry shown is not by this actor");
    }
    return {};
}

/// Whether entries and commitments are in the log of the checkpoint.
Status check_inclusion(const CompletenessProof& proof) {
    std::vector<IndexedLeaf> leaves;
    for (const LoggedEntry& entry : proof.entries)
        leaves.push_back({entry.index, crypto::leaf_hash(entry.bytes)});
    for (const RunProof& run : proof.runs)
        leaves.push_back({run.commitment.index, crypto::leaf_hash(run.commitment.bytes)});
    std::ranges::sort(leaves, {}, &IndexedLeaf::index);
    const Checkpoint& checkpoint = proof.checkpoint.checkpoint;
    if (TRY(root_from_leaves(checkpoint.size, leaves, proof.hashes)) != checkpoint.root)
        return forged("les entrées montrées ne sont pas celles du journal",
                      "the entries shown are not those of the log");
    return {};
}

}  // namespace

Bytes CompletenessProof::encode() const {
    Bytes out = to_bytes(as_bytes(kCompletenessMagic));
    cbor::Writer writer(out);
    writer.array(7);
    writer.bytes(actor);
    writer.number(range.first);
    writer.number(range.end);
    writer.bytes(as_bytes(checkpoint.encode()));
    writer.array(runs.size());
    for (const RunProof& run : runs) write_run(writer, run);
    writer.array(2 * entries.size());
    for (const LoggedEntry& entry : entries) write_entry(writer, entry);
    write_hashes(writer, hashes);
    return out;
}

Result<CompletenessProof> CompletenessProof::decode(ByteView bytes) {
    if (!as_text(bytes).starts_with(kCompletenessMagic)) return malformed();
    cbor::Reader in(bytes.subspan(kCompletenessMagic.size()));
    auto proof = read_proof(in);
    if (!proof) return malformed();
    return proof;
}

Result<CompletenessProof> prove_completeness(const QueryIndex& index, LogReader& log,
                                             TileCache& tiles, const SignedCheckpoint& checkpoint,
                                             const crypto::Token& actor, SequenceRange range) {
    const std::uint64_t size = checkpoint.checkpoint.size;
    std::vector<RunEvidence> evidence = TRY(index.evidence(actor, range));
    TRY_STATUS(check_provable(index, evidence, size, range));
    CompletenessProof proof{actor, range, checkpoint, {}, {}, {}};
    std::vector<std::uint64_t> indexes;
    for (const RunEvidence& run : evidence) {
        for (const SequenceRange found : run.found)
            for (std::uint64_t s = found.first; s < found.end; ++s)
                if (s >= range.first && s < range.end) indexes.push_back(s);
    }
    const std::vector<std::uint64_t> found = indexes;
    for (const RunEvidence& run : evidence) indexes.push_back(run.logged_at);
    std::ranges::sort(indexes);
    Gathered gathered = TRY(Gatherer(log, tiles, size, indexes).gather());
    for (RunEvidence& run : evidence)
        proof.runs.push_back({gathered.at(run.logged_at), run.block_count, run.first_block,
                              std::move(run.blocks), std::move(run.hashes)});
    for (const std::uint64_t s : found) proof.entries.push_back(gathered.at(s));
    proof.hashes = std::move(gathered.hashes);
    return proof;
}

Result<CompleteAnswer> check_completeness(const CompletenessProof& proof, const Policy& policy,
                                          const Moment& moment) {
    const Endorsement endorsement = TRY(policy.judge(proof.checkpoint, moment));
    const std::vector<std::uint64_t> expected = TRY(committed_answer(proof));
    TRY_STATUS(check_entries(proof, expected));
    TRY_STATUS(check_inclusion(proof));
    return CompleteAnswer{proof.actor, proof.range, endorsement, expected};
}

Result<IndexCommitment> commitment_in(const EntryView& entry) {
    const Header& header = entry.header;
    if (header.type != event::Type::IndexCommitted || header.source != 0 || entry.is_sealed)
        return no_commitment();
    const auto body = event::decode_body(
        {header.type, header.time, header.counter, header.retention}, entry.payload);
    if (!body) return no_commitment();
    auto commitment = IndexCommitment::parse(body->detail);
    if (!commitment || commitment->range.end > header.sequence) return no_commitment();
    return commitment;
}

Status check_commitment(LogReader& log, std::uint64_t size, const IndexCommitment& commitment) {
    const auto [first, end] = commitment.range;
    if (end > size) return no_commitment();
    std::vector<crypto::Token> actors;
    actors.reserve(end - first);
    for (std::uint64_t number = first / kTileHashes; number * kTileHashes < end; ++number) {
        const Bundle bundle = TRY(read_bundle(log, {number, width_of(size, 0, number)}));
        for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
            const std::uint64_t sequence = number * kTileHashes + i;
            if (sequence < first || sequence >= end) continue;
            actors.push_back(TRY(parse_entry(bundle.entries[i])).header.actor);
        }
    }
    if (actor_root(first, actors) != commitment.root(Dimension::Actor))
        return forged("un engagement de l'index ne correspond pas aux entrées du journal",
                      "an index commitment does not match the entries of the log");
    return {};
}

Result<std::uint64_t> check_commitments(LogReader& log, std::uint64_t first, std::uint64_t size,
                                        std::uint64_t minimum_index) {
    std::uint64_t checked = 0;
    const std::uint64_t start = std::max(first, minimum_index);
    for (std::uint64_t number = start / kTileHashes; number * kTileHashes < size; ++number) {
        const Bundle bundle = TRY(read_bundle(log, {number, width_of(size, 0, number)}));
        for (const ByteView bytes : bundle.entries) {
            const EntryView entry = TRY(parse_entry(bytes));
            if (entry.header.type != event::Type::IndexCommitted || entry.header.sequence < start)
                continue;
            const IndexCommitment commitment = TRY(commitment_in(entry));
            if (commitment.range.first < minimum_index) continue;  // its entries were pruned
            TRY_STATUS(check_commitment(log, size, commitment));
            ++checked;
        }
    }
    return checked;
}

}  // namespace hygie::ledger
