#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "ledger/index/index.h"
#include "ledger/log/draft.h"
#include "ledger/log/keys.h"
#include "ledger/log/sealer.h"
#include "ledger/log/signer.h"
#include "ledger/log/sources.h"
#include "ledger/log/tile_store.h"
#include "ledger/log/wal.h"
#include "ledger/tree/checkpoint.h"

namespace hygie::ledger {

struct Doors {
    Disk& disk;
    Clock& clock;
    Random& random;
};

/// Asks witnesses to cosign; returns the cosignatures it got and verified, none when there is no
/// witness.
using Cosigner = std::function<std::vector<NoteSignature>(const SignedCheckpoint&)>;

/// The state of the log at one size: what a checkpoint says, and what a restart needs.
struct Snapshot {
    std::uint64_t size = 0;
    crypto::Hash root{};
    Sources sources;
    /// Directories of partial tiles that a settled size at or above this one no longer needs.
    std::vector<std::string> superseded;
};

/// What pruning removed, or would remove.
struct Pruned {
    std::uint64_t minimum_index = 0;
    std::uint64_t bundles = 0;
    std::size_t keys = 0;
};

/// Whether the directory holds a ledger. What an init that was cut short left behind is none yet:
/// it showed nothing to anybody, and is gone on with.
bool holds_ledger(Disk& disk, const std::string& dir);

/// One ledger, open for writing: the stages an entry goes through, in the order that keeps evidence
/// true. Each stage belongs to one thread at a time; different stages may run in different threads
/// (see Appender), or all in one:
///
///     seal → commit (durable: acknowledge now) → apply → snapshot → publish (sign, persist, show)
///     → settle
///
/// Any failure is final: close the log and open it anew, which recovers all that was committed.
class Log {
  public:
    /// Makes the directory, the first signing key and the checkpoint of the empty log.
    /// Code::AlreadyThere when the directory holds a ledger; a bad `origin` leaves no trace.
    static Status init(const Doors& doors, const std::string& dir, const std::string& origin,
                       const crypto::Secret32& root);
    /// Recovers and opens. Code::Busy when somebody else writes to it, Code::Corrupt when what is
    /// on disk contradicts the last signed checkpoint: going on would fork the log.
    static Result<std::unique_ptr<Log>> open(const Doors& doors, const std::string& dir,
                                             const crypto::Secret32& root);
    ~Log();

    /// Stage 1, CPU: numbers and seals.
    Result<Batch> seal(std::span<const Draft* const> drafts);
    Result<Batch> seal(std::span<const Draft> drafts);
    /// Gives the memory of an applied batch back, for those to come. Thread-safe.
    void recycle(Batch batch);
    /// Stage 2, the disk: hashes; on return every entry of the batch survives a crash.
    Status commit(Batch& batch);
    /// Stage 3: grows the tree, writes full tiles and bundles, feeds the index.
    Status apply(const Batch& batch);
    /// Stage 3 too: what the ledger has to say about itself by now, to be appended like anything
    /// else.
    Result<std::vector<Draft>> own_drafts();
    /// Stage 3 too: writes the partial tiles of the present size.
    Result<Snapshot> snapshot();
    /// Stage 4: signs, makes the signature durable, asks the witnesses, shows the checkpoint.
    Status publish(Snapshot& snapshot, const Cosigner& cosign);
    /// Stage 4 too: makes tiles and bundles durable, so that the write-ahead log may forget them.
    Status settle(Snapshot& snapshot);

    /// All stages for a few drafts in one call; what was appended is durable, but shown only by
    /// publish.
    Result<std::vector<std::optional<std::uint64_t>>> append(std::span<const Draft> drafts);
    /// Writes the index out and logs its commitments, so that answers about the range returned can
    /// be proven once a checkpoint is shown.
    Result<SequenceRange> flush_index();
    /// Settles and leaves nothing in the write-ahead log.
    Status close();

    /// Destroys the keys of a patient (or of one retention class), and logs that it happened, for
    /// whom by whom is in the reason given. Not beside other stages.
    Result<std::size_t> shred(const PatientId& patient, std::optional<event::Retention> retention,
                              const event::Event& why);
    /// Drops the bundles at the front whose entries have all outlived their retention class, and
    /// destroys the keys of expired classes and years. Logs what it did and shows
    /// the checkpoint that covers that entry before a bundle goes. Not beside other stages.
    Result<Pruned> prune(WallTime now, bool dry_run, const event::Event& why,
                         const Cosigner& cosign = {});
    /// Starts a new key epoch: logs the new key, shows one checkpoint signed by both, destroys the
    /// old private key.
    Status rotate(const Cosigner& cosign);

    const std::string& dir() const { return dir_; }
    const std::string& origin() const { return signer_.origin(); }
    const Signer& signer() const { return signer_; }
    Keys& keys() { return *keys_; }
    const Sources& sources() const { return applied_; }
    QueryIndex& index() { return *index_; }
    /// Entries that survive a crash. Thread-safe.
    std::uint64_t durable_size() const { return durable_.load(); }
    std::uint64_t applied_size() const { return tiles_.size(); }

  private:
    Log(const Doors& doors, std::string dir, std::unique_ptr<FileLock> lock,
        std::unique_ptr<Keys> keys, Signer signer, TileStore tiles, Sources sources,
        std::unique_ptr<QueryIndex> index);

    Status recover(std::uint64_t settled);
    Status replay(std::uint64_t first, ByteView framed, std::span<const crypto::Hash> leaves,
                  const std::optional<Checkpoint>& signed_before);
    Status take_in(ByteView entry);
    Status check_against(const Checkpoint& signed_before) const;
    static Result<std::unique_ptr<QueryIndex>> open_index(const Doors& doors,
                                                          const std::string& dir, const Keys& keys);
    Result<Pruned> prunable(WallTime now);
    Status feed_index();
    Status append_own();
    Status note_commitment(ByteView entry);
    Status write_state(const Snapshot& snapshot);
    void take_superseded(Snapshot& snapshot);
    Status show(const SignedCheckpoint& checkpoint, const Cosigner& cosign);

    Doors doors_;
    std::string dir_;
    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<Keys> keys_;
    Signer signer_;
    TileStore tiles_;
    Sources applied_;  ///< as of the last applied entry
    std::unique_ptr<QueryIndex> index_;
    std::unique_ptr<Wal> wal_;
    std::unique_ptr<Sealer> sealer_;
    std::optional<Checkpoint> last_signed_;
    std::size_t unmerged_rows_ = 0;
    std::vector<std::string> superseded_;  ///< taken over from snapshots, removed by settle
    std::atomic<std::uint64_t> durable_{0};
    std::mutex spare_mutex_;
    std::vector<Batch> spare_;  ///< whose memory the next batches use
};

/// The last checkpoint this log signed, if any.
Result<std::optional<SignedCheckpoint>> read_signed(Disk& disk, const std::string& path);

}  // namespace hygie::ledger
