#include "ledger/index/index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/aead.h"
#include "ledger/index/completeness_tree.h"
#include "ledger/index/index_rows.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kManifestName = "manifest";
constexpr std::string_view kManifestMagic = "hygie-index-manifest@v1\n";
/// Some 60 runs per 10⁹ entries, under 50 bytes each.
constexpr std::uint64_t kManifestBytesMax = 1 << 20;

const crypto::Token& token_of(const IndexRow& row, Dimension dimension) {
    switch (dimension) {
        case Dimension::Actor:
            return row.actor;
        case Dimension::Patient:
            return row.patient;
        case Dimension::Object:
            break;
    }
    return row.object;
}

bool is_none(const crypto::Token& token) {
    return token == crypto::Token{};
}

SequenceRange range_of(std::span<const IndexRow> rows) {
    return {rows.front().sequence, rows.back().sequence + 1};
}

Chunks chunks_of(std::span<const IndexRow> rows) {
    const SequenceRange range = range_of(rows);
    Chunks chunks = empty_chunks(range);
    for (const IndexRow& row : rows) {
        const std::int64_t time = row.time.time_since_epoch().count();
        chunks[row.sequence / kChunkSequences - range.first / kChunkSequences].add({time, time});
    }
    return chunks;
}

/// Appends the part of `more` that lies within, joined to its neighbour.
void add_range(std::vector<SequenceRange>& out, SequenceRange more, SequenceRange within) {
    more = {std::max(more.first, within.first), std::min(more.end, within.end)};
    if (more.first >= more.end) return;
    if (!out.empty() && out.back().end == more.first)
        out.back().end = more.end;
    else
        out.push_back(more);
}

/// What a block says about a key.
void add_postings(std::vector<SequenceRange>& out, const Block& block, std::uint64_t key,
                  Dimension dimension, SequenceRange run, SequenceRange within) {
    for_each_offset(block, key, [&](std::uint32_t offset) {
        add_range(out, sequences_at(dimension, run, offset), within);
    });
}

void add_chunks(std::vector<SequenceRange>& out, const Chunks& chunks, SequenceRange range,
                TimeSpan wanted) {
    const std::uint64_t first = range.first / kChunkSequences;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        if (chunks[i].latest < wanted.earliest || chunks[i].earliest > wanted.latest) continue;
        const std::uint64_t chunk = first + i;
        add_range(out, {chunk * kChunkSequences, (chunk + 1) * kChunkSequences}, range);
    }
}

Status write_dimension(RunWriter& writer, Dimension dimension, std::span<const IndexRow> rows) {
    const std::uint64_t first = positions_of(dimension, range_of(rows)).first;
    const unsigned shift = shape_of(dimension).sequence_shift;
    std::vector<Posting> postings;
    postings.reserve(rows.size());
    for (const IndexRow& row : rows) {
        const crypto::Token& token = token_of(row, dimension);
        if (is_none(token)) continue;
        postings.push_back({key_of(dimension, token),
                            static_cast<std::uint32_t>((row.sequence >> shift) - first)});
    }
    std::vector<Posting> scratch;
    sort_by_key(postings, scratch);
    Status written;
    for_each_key(postings, [&](std::uint64_t key, std::span<const std::uint32_t> offsets) {
        if (written) written = writer.add(dimension, key, offsets);
    });
    TRY_STATUS(written);
    return writer.end_dimension(dimension);
}

}  // namespace

QueryIndex::QueryIndex(Disk& disk, Random& random, std::string dir,
                       const crypto::Secret32& index_key, IndexSizes sizes)
    : disk_(&disk), random_(&random), dir_(std::move(dir)), key_(index_key), sizes_(sizes) {
    rows_.reserve(sizes_.run_rows);
}

Result<std::unique_ptr<QueryIndex>> QueryIndex::open(Disk& disk, Random& random,
                                                     const std::string& dir,
                                                     const crypto::Secret32& index_key,
                                                     IndexSizes sizes) {
    HYGIE_CHECK(sizes.run_rows > 0 && sizes.fan_out > 1, "an index needs rows and a fan-out");
    TRY_STATUS(disk.make_dirs(dir));
    std::unique_ptr<QueryIndex> index(new QueryIndex(disk, random, dir, index_key, sizes));
    TRY_STATUS(index->load());
    return index;
}

Status QueryIndex::wipe(Disk& disk, const std::string& dir) {
    if (!disk.exists(dir)) return {};
    // What was kept of the end first, which without the rest would look like a beginning; then the
    // manifest: without it the rest is nothing.
    for (const std::string_view name : {kRowsName, kManifestName}) {
        if (!disk.exists(join(dir, name))) continue;
        TRY_STATUS(disk.remove(join(dir, name)));
        TRY_STATUS(disk.sync_dir(dir));
    }
    for (const DirEntry& entry : TRY(disk.list(dir)))
        TRY_STATUS(disk.remove(join(dir, entry.name)));
    return {};
}

std::string QueryIndex::path_of_run(std::uint64_t number) const {
    return join(dir_, fmt::format("{:010}.run", number));
}

// ---- the manifest: which runs there are

Status QueryIndex::load() {
    TRY_STATUS(load_runs());
    load_rows();
    return remove_unnamed();
}

Status QueryIndex::load_runs() {
    const std::string path = join(dir_, kManifestName);
    if (!disk_->exists(path)) return {};
    const Bytes bytes = TRY(disk_->read_file(path, kManifestBytesMax));
    if (!as_text(bytes).starts_with(kManifestMagic)) return index_corrupt();
    const auto plaintext = crypto::unbox(key_, as_bytes(kManifestMagic),
                                         ByteView(bytes).subspan(kManifestMagic.size()));
    if (!plaintext) return index_corrupt();
    TRY_STATUS(read_manifest(*plaintext));
    if (!runs_.empty() && runs_.back().range().end % sizes_.run_rows != 0) {
        runs_.pop_back();
        TRY_STATUS(write_manifest());
    }
    return {};
}

Status QueryIndex::keep_rows() {
    const Bytes sealed = seal_rows(key_, covered_end() - rows_.size(), rows_, *random_);
    return disk_->replace_file(join(dir_, kRowsName), sealed);
}

/// Takes kept rows where they go on from the runs. Others, and damaged ones, are fed again.
void QueryIndex::load_rows() {
    const auto bytes = disk_->read_file(join(dir_, kRowsName), rows_bytes(sizes_.run_rows));
    const auto kept = bytes ? open_rows(key_, *bytes) : std::nullopt;
    if (!kept || kept->empty() || kept->size() >= sizes_.run_rows) return;
    // Where there never was a run, the rows are all there is.
    const std::uint64_t first = kept->front().sequence;
    const bool goes_on =
        runs_.empty() ? first == 0 && next_number_ == 0 : first == runs_.back().range().end;
    if (goes_on) rows_.assign(kept->begin(), kept->end());
}

Status QueryIndex::read_manifest(ByteView plaintext) {
    cbor::Reader in(plaintext);
    if (TRY(in.array()) != 2) return index_corrupt();
    next_number_ = TRY(in.number());
    const std::uint64_t count = TRY(in.array()) / 2;
    for (std::uint64_t i = 0; i < count; ++i) {
        Entry entry;
        entry.number = TRY(in.number());
        const std::uint64_t logged = TRY(in.number());
        if (logged > 0) entry.logged_at = logged - 1;
        Result<Run> run = Run::open(*disk_, path_of_run(entry.number), key_);
        if (!run && run.error().code == Code::NotFound) return index_corrupt();
        if (!run) return std::unexpected(run.error());
        entry.run = std::make_shared<const Run>(*std::move(run));
        if (!runs_.empty() && runs_.back().range().end != entry.range().first)
            return index_corrupt();
        runs_.push_back(std::move(entry));
    }
    return in.done() ? Status{} : index_corrupt();
}

Status QueryIndex::write_manifest() {
    Bytes plaintext;
    cbor::Writer out(plaintext);
    out.array(2);
    out.number(next_number_);
    out.array(2 * runs());
    for (const Entry* entry : entries()) {
        out.number(entry->number);
        out.number(entry->logged_at ? *entry->logged_at + 1 : 0);
    }
    Bytes file = to_bytes(as_bytes(kManifestMagic));
    append(file, crypto::box(key_, as_bytes(kManifestMagic), plaintext, *random_));
    return disk_->replace_file(join(dir_, kManifestName), file);
}

Status QueryIndex::remove_unnamed() {
    for (const DirEntry& entry : TRY(disk_->list(dir_))) {
        const bool named = entry.name == kManifestName || entry.name == kRowsName ||
                           std::ranges::any_of(runs_, [&](const Entry& run) {
                               return path_of_run(run.number) == join(dir_, entry.name);
                           });
        if (!named) TRY_STATUS(disk_->remove(join(dir_, entry.name)));
    }
    return {};
}

/// Makes the given lists the truth: names of new files durable, then the manifest; only
/// then are the files of runs that are gone removed.
Status QueryIndex::adopt(std::vector<Entry> runs, std::optional<Entry> tail) {
    TRY_STATUS(disk_->sync_dir(dir_));
    std::swap(runs_, runs);
    std::swap(tail_, tail);
    if (Status written = write_manifest(); !written) {
        std::swap(runs_, runs);
        std::swap(tail_, tail);
        return written;
    }
    if (tail) runs.push_back(*std::move(tail));
    for (const Entry& old : runs) {
        const bool stays = std::ranges::any_of(
            entries(), [&](const Entry* entry) { return entry->number == old.number; });
        // A file that cannot be removed now is removed when the index is opened again.
        if (!stays) (void)disk_->remove(path_of_run(old.number));
    }
    return {};
}

std::vector<const QueryIndex::Entry*> QueryIndex::entries() const {
    std::vector<const Entry*> all;
    for (const Entry& entry : runs_) all.push_back(&entry);
    if (tail_) all.push_back(&*tail_);
    return all;
}

// ---- writing

SequenceRange QueryIndex::covered() const {
    SequenceRange range;
    if (!rows_.empty()) range = range_of(rows_);
    if (runs_.empty()) return range;
    if (rows_.empty()) range.end = runs_.back().range().end;
    range.first = runs_.front().range().first;
    return range;
}

Status QueryIndex::add(std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
        if (is_full()) TRY_STATUS(close_full());
        const bool fits = (runs_.empty() && rows_.empty()) || row.sequence == covered_end();
        if (!fits || row.time.time_since_epoch().count() < 0)
            return fail(
                Code::BadInput,
                {"l'index attend les entrées dans l'ordre, sans trou, datées d'après 1970",
                 "the index takes entries in order, without gaps, dated after 1970"},
                {"reprenez à partir de la fin de l'index", "feed from the end of the index on"});
        rows_.push_back(row);
    }
    return is_full() ? close_full() : Status{};
}

bool QueryIndex::is_full() const {
    return !rows_.empty() && range_of(rows_).end % sizes_.run_rows == 0;
}

Result<QueryIndex::Entry> QueryIndex::write_rows() {
    const std::uint64_t number = next_number_++;
    const std::string path = path_of_run(number);
    const auto write = [&]() -> Status {
        RunWriter writer = TRY(RunWriter::create(*disk_, *random_, path, key_, range_of(rows_)));
        for (const Dimension dimension : kDimensions)
            TRY_STATUS(write_dimension(writer, dimension, rows_));
        TRY_STATUS(writer.finish(chunks_of(rows_)));
        return {};
    };
    if (Status written = write(); !written) {
        (void)disk_->remove(path);  // gives the room back; the failure to report is the first one
        return std::unexpected(written.error());
    }
    auto run = std::make_shared<const Run>(TRY(Run::open(*disk_, path, key_)));
    return Entry{number, std::move(run), {}};
}

Status QueryIndex::close_full() {
    std::vector<Entry> runs = runs_;
    const bool flushed = tail_ && tail_->range() == range_of(rows_);
    runs.push_back(flushed ? *tail_ : TRY(write_rows()));
    TRY_STATUS(adopt(std::move(runs), std::nullopt));
    rows_.clear();
    return {};
}

Status QueryIndex::flush() {
    if (rows_.empty() || (tail_ && tail_->range() == range_of(rows_))) return {};
    if (is_full()) return close_full();
    return adopt(runs_, TRY(write_rows()));
}

Status QueryIndex::drop_below(std::uint64_t minimum) {
    const auto kept = std::ranges::find_if(
        runs_, [&](const Entry& entry) { return entry.range().end > minimum; });
    if (kept == runs_.begin()) return {};
    abandon_merge();
    return adopt({kept, runs_.end()}, tail_);
}

// ---- merging

Result<bool> QueryIndex::merge_step() {
    if (!merging_ && !TRY(start_merge())) return false;
    const auto step = [&]() -> Result<bool> {
        if (!TRY(merging_->merge.step())) return true;
        TRY_STATUS(merging_->merge.finish());
        const std::string path = path_of_run(merging_->number);
        auto run = std::make_shared<const Run>(TRY(Run::open(*disk_, path, key_)));
        std::vector<Entry> runs = runs_;
        const auto first = runs.begin() + static_cast<std::ptrdiff_t>(merging_->first);
        *first = Entry{merging_->number, std::move(run), {}};
        runs.erase(first + 1, first + static_cast<std::ptrdiff_t>(merging_->count));
        merging_.reset();  // from here on the manifest may name the file, even if adopt() fails
        TRY_STATUS(adopt(std::move(runs), tail_));
        return true;
    };
    Result<bool> more = step();
    if (!more) abandon_merge();
    return more;
}

/// Merges the first interval, of the lowest level first, that is whole and still in pieces.
Result<bool> QueryIndex::start_merge() {
    std::uint64_t span = sizes_.run_rows;
    for (unsigned level = 1; level < sizes_.levels; ++level) {
        span *= sizes_.fan_out;
        for (std::size_t first = 0; first < runs_.size();) {
            const std::uint64_t interval = runs_[first].range().first / span;
            std::vector<std::shared_ptr<const Run>> inputs;
            while (first + inputs.size() < runs_.size() &&
                   runs_[first + inputs.size()].range().first / span == interval)
                inputs.push_back(runs_[first + inputs.size()].run);
            const std::size_t count = inputs.size();
            if (count > 1 && inputs.back()->range().end == (interval + 1) * span) {
                const std::uint64_t number = next_number_++;
                Merge merge = TRY(
                    Merge::start(*disk_, *random_, path_of_run(number), key_, std::move(inputs)));
                merging_.emplace(Merging{std::move(merge), number, first, count});
                return true;
            }
            first += count;
        }
    }
    return false;
}

void QueryIndex::abandon_merge() {
    if (!merging_) return;
    (void)disk_->remove(path_of_run(merging_->number));  // else at the next opening
    merging_.reset();
}

// ---- reading

Result<std::vector<SequenceRange>> QueryIndex::find(Dimension dimension, const crypto::Token& token,
                                                    SequenceRange within) const {
    std::vector<SequenceRange> found;
    if (is_none(token)) return found;
    const std::uint64_t key = key_of(dimension, token);
    for (const Entry& entry : runs_) {
        const SequenceRange range = entry.range();
        if (range.end <= within.first || range.first >= within.end) continue;
        const BlockRange blocks = blocks_of(entry.run->directory().of(dimension), key);
        for (std::size_t i = blocks.first; i < blocks.end; ++i)
            add_postings(found, TRY(entry.run->block(dimension, i)), key, dimension, range, within);
    }
    for (const IndexRow& row : rows_)
        if (token_of(row, dimension) == token)
            add_range(found, {row.sequence, row.sequence + 1}, within);
    return found;
}

std::vector<SequenceRange> QueryIndex::sequences_in(WallTime from, WallTime until) const {
    std::vector<SequenceRange> found;
    if (from >= until) return found;
    const TimeSpan wanted{from.time_since_epoch().count(), until.time_since_epoch().count() - 1};
    for (const Entry& entry : runs_)
        add_chunks(found, entry.run->directory().chunks, entry.range(), wanted);
    if (!rows_.empty()) add_chunks(found, chunks_of(rows_), range_of(rows_), wanted);
    return found;
}

// ---- commitments

std::vector<IndexCommitment> QueryIndex::take_commitments() {
    std::vector<IndexCommitment> commitments;
    const auto take = [&](Entry& entry) {
        if (entry.logged_at || std::exchange(entry.handed_out, true)) return;
        commitments.push_back(IndexCommitment::of(entry.number, entry.run->directory()));
    };
    std::ranges::for_each(runs_, take);
    if (tail_) take(*tail_);
    return commitments;
}

void QueryIndex::committed(const IndexCommitment& commitment, std::uint64_t logged_at) {
    const auto note = [&](Entry& entry) {
        if (entry.range() == commitment.range &&
            IndexCommitment::of(commitment.run, entry.run->directory()) == commitment)
            entry.logged_at = logged_at;
    };
    std::ranges::for_each(runs_, note);
    if (tail_) note(*tail_);
}

Result<std::vector<RunEvidence>> QueryIndex::evidence(const crypto::Token& actor,
                                                      SequenceRange within) const {
    std::vector<RunEvidence> all;
    for (const Entry* entry : entries()) {
        const SequenceRange range = entry->range();
        if (range.end <= within.first || range.first >= within.end) continue;
        if (!entry->logged_at)
            return fail(
                Code::Stale,
                {"une partie de l'index n'est pas encore engagée dans le journal",
                 "part of the index is not committed to in the log yet"},
                {"attendez le prochain point de contrôle, puis demandez la preuve à nouveau",
                 "wait for the next checkpoint, then ask for the proof again"});
        all.push_back(TRY(evidence_of(*entry->run, actor)));
        all.back().logged_at = *entry->logged_at;
    }
    return all;
}

/// Shows the blocks that can hold the actor, and the next one where the last ends with that actor.
Result<RunEvidence> QueryIndex::evidence_of(const Run& run, const crypto::Token& actor) {
    const std::uint64_t key = key_of(Dimension::Actor, actor);
    const auto& refs = run.directory().of(Dimension::Actor);
    RunEvidence evidence;
    evidence.range = run.range();
    evidence.block_count = refs.size();
    const BlockRange range = blocks_of(refs, key);
    evidence.first_block = range.first;
    std::vector<std::uint64_t> shown;
    for (std::size_t i = range.first, end = range.end; i < refs.size(); ++i) {
        Bytes plaintext = TRY(run.plaintext(Dimension::Actor, i));
        const Block block = TRY(decode_block(plaintext, Dimension::Actor,
                                             positions_of(Dimension::Actor, run.range()).count));
        add_postings(evidence.found, block, key, Dimension::Actor, run.range(), run.range());
        evidence.blocks.push_back(std::move(plaintext));
        shown.push_back(i);
        if (i + 1 >= end && block.keys.back() > key) break;
    }
    std::vector<crypto::Hash> leaves;
    leaves.reserve(refs.size());
    for (const BlockRef& ref : refs) leaves.push_back(ref.leaf);
    LeafReader reader(leaves);
    evidence.hashes = TRY(prove_leaves(reader, leaves.size(), shown));
    return evidence;
}

}  // namespace hygie::ledger
