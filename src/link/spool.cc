#include "link/spool.h"

#include <fmt/format.h>

#include <algorithm>

#include "link/segment.h"

namespace hygie::link {
namespace {

constexpr std::string_view kSuffix = ".spool";
/// Twice the largest record and more: once the core holds everything, the next record always fits.
constexpr std::uint64_t kSpoolBytesMin = 2 << 20;
/// A counter that leaves room for more events than anyone will ever have.
constexpr std::uint64_t kStartAfterMax = std::uint64_t{1} << 48;

struct Segment {
    std::uint64_t base = 0;  ///< counter
    std::uint64_t bytes = 0;
};

/// Events of one call to append, waiting to be written.
struct Call {
    std::vector<StampedBody> events;
    std::size_t bytes = 0;
    bool seal = false;
    std::optional<Result<std::uint64_t>> outcome;
};

/// Where reading stands.
struct Cursor {
    std::unique_ptr<File> file;
    std::uint64_t offset = 0;
    Point at;
    std::deque<StampedBody> left;  ///< of the record before `offset`
    std::optional<Seal> seal;      ///< of that record
};

Status check_options(const SpoolOptions& options) {
    if (options.seal_every >= 1 && options.segment_bytes >= 1 &&
        options.max_bytes / 2 >= options.segment_bytes && options.max_bytes >= kSpoolBytesMin &&
        options.start_after <= kStartAfterMax)
        return {};
    return fail(Code::BadInput,
                {"réglages de la file d'attente impossibles", "impossible settings of the spool"},
                {"donnez à la file au moins 2 Mio et la taille de deux segments",
                 "give the spool at least 2 MiB and the size of two segments"});
}

std::unexpected<Error> bad_batch() {
    return fail(Code::BadInput,
                {fmt::format("trop d'événements à la fois, ou aucun : 1 à {} et {} octets admis",
                             kBatchEventsMax, kBatchBytesMax),
                 fmt::format("too many events at once, or none: 1 to {} and {} bytes allowed",
                             kBatchEventsMax, kBatchBytesMax)},
                {"enregistrez-les en plusieurs fois", "append them in several calls"});
}

Result<Call> stamp(std::span<const event::Event> events, Sealing sealing) {
    Call call;
    call.seal = sealing == Sealing::Now;
    for (const event::Event& event : events) {
        if (!guard_may_report(event.type))
            return fail(
                Code::BadInput,
                {"ce type d'événement est réservé au journal",
                 "this type of event belongs to the ledger"},
                {"choisissez un type propre à la garde", "choose a type of the guard's own"});
        Bytes body = TRY(event::encode_body(event));
        call.events.push_back({event::stamp_of(event), std::move(body)});
        call.bytes += weight(call.events.back());
        call.seal |= event.type == event::Type::Heartbeat;
    }
    if (events.empty() || events.size() > kBatchEventsMax || call.bytes > kBatchBytesMax)
        return bad_batch();
    return call;
}

}  // namespace

struct Spool::State {
    State(Disk& disk_door, Random& random_door, crypto::SigningKey signing_key,
          const crypto::Secret32& sealing_key, SpoolOptions settings)
        : disk(disk_door),
          random(random_door),
          key(std::move(signing_key)),
          keys(sealing_key),
          options(std::move(settings)),
          self{options.source, options.node, key.public_key()} {}

    Disk& disk;
    Random& random;
    const crypto::SigningKey key;
    const SegmentKeys keys;
    const SpoolOptions options;
    const SourceInfo self;
    std::unique_ptr<FileLock> lock;

    std::mutex mutex;  ///< guards what follows, up to the next comment
    std::condition_variable settled;
    std::deque<Call*> waiting;
    bool committing = false;
    std::deque<Segment> segments;
    Point tip;  ///< the last durable event

    // Touched only while `committing` is ours.
    std::unique_ptr<File> file;  ///< the last segment
    std::uint64_t unsealed = 0;  ///< events since the last seal
    std::optional<Error> broken;

    // Touched only by the reading thread.
    std::optional<Cursor> cursor;

    std::string path_of(std::uint64_t base) const {
        return join(options.dir, fmt::format("{:020}{}", base, kSuffix));
    }

    Status load();
    Status list_segments();
    Status check_head(const SegmentHead& head, const std::string& path) const;
    Status recover_tail();
    Status new_segment(const Point& base);

    void commit_next(std::unique_lock<std::mutex>& held);
    Result<std::uint64_t> commit(std::span<Call* const> group, const Point& start);
    Status make_room(std::size_t bytes, const Point& start);
    Status write(ByteView record);

    Status seek(std::uint64_t counter);
    Status open_segment(std::uint64_t base);
    Status fill();
    StampedBody take_event(std::optional<Seal>& seal);
    Result<Batch> read_batch_up_to(std::uint64_t counter);
};

// ---- opening

Status Spool::State::load() {
    TRY_STATUS(disk.make_dirs(options.dir));
    lock = TRY(disk.lock(join(options.dir, "lock")));
    TRY_STATUS(list_segments());
    if (segments.empty()) {
        tip = {options.start_after, {}};
        return new_segment(tip);
    }
    if (options.start_after != 0)
        return fail(Code::AlreadyThere,
                    {"ce dossier contient déjà une file d'attente : rien n'est perdu à déclarer",
                     "this folder holds a spool already: there is no loss to declare"},
                    {"ouvrez-la sans compteur de départ", "open it without a start counter"});
    return recover_tail();
}

Status Spool::State::list_segments() {
    for (const DirEntry& entry : TRY(disk.list(options.dir))) {
        const std::string path = join(options.dir, entry.name);
        // A crash in the middle of starting a segment; nothing was in it.
        if (entry.name.ends_with(".tmp")) TRY_STATUS(disk.remove(path));
        if (!entry.name.ends_with(kSuffix)) continue;
        const std::unique_ptr<File> segment = TRY(disk.open(path, Open::Read));
        const SegmentHead head = TRY(read_segment_head(keys, *segment));
        TRY_STATUS(check_head(head, path));
        const auto size = TRY(segment->size());
        segments.push_back({head.base.counter, size});
    }
    return {};
}

Status Spool::State::check_head(const SegmentHead& head, const std::string& path) const {
    if (head.self != self)
        return fail(Code::Denied,
                    {"cette file d'attente est celle d'une autre source, machine ou clé",
                     "this spool belongs to another source, node or key"},
                    {"donnez à chaque garde son propre dossier, et gardez-lui son nom et sa clé",
                     "give each guard its own directory, and keep its name and key"});
    if (path == path_of(head.base.counter)) return {};
    return fail(Code::Corrupt,
                {"un segment de la file d'attente porte le nom d'un autre",
                 "a segment of the spool bears the name of another"},
                {"rétablissez le dossier de la file depuis sa dernière copie saine",
                 "bring the spool's directory back from its last sound copy"});
}

/// Reads the last segment to its end, and drops a write that a crash cut short.
Status Spool::State::recover_tail() {
    file = TRY(disk.open(path_of(segments.back().base), Open::ReadWrite));
    const SegmentHead head = TRY(read_segment_head(keys, *file));
    tip = head.base;
    std::uint64_t offset = head.bytes;
    for (;;) {
        auto record = read_record(keys, *file, offset, tip);
        if (!record && record.error().code == Code::Corrupt &&
            TRY(is_torn_tail(keys, *file, offset, tip))) {
            TRY_STATUS(file->truncate(offset));
            break;
        }
        if (!record) return std::unexpected(record.error());
        if (!*record) break;
        tip = follow((*record)->batch);
        unsealed += (*record)->batch.events.size();
        if ((*record)->batch.seal) unsealed = tip.counter - (*record)->batch.seal->at.counter;
        offset = (*record)->end;
    }
    segments.back().bytes = offset;
    // What a killed process left in memory only must not be sent before it is durable.
    return file->sync();
}

Status Spool::State::new_segment(const Point& base) {
    const std::string path = path_of(base.counter);
    const Bytes head = encode_segment_head(keys, self, base, random);
    TRY_STATUS(disk.replace_file(path, head));
    file = TRY(disk.open(path, Open::ReadWrite));
    const std::lock_guard held(mutex);
    segments.push_back({base.counter, head.size()});
    return {};
}

// ---- appending: callers queue up; one of them writes for all who came before

/// Takes the calls that fit into one record, writes them, settles them.
void Spool::State::commit_next(std::unique_lock<std::mutex>& held) {
    std::vector<Call*> group;
    std::size_t events = 0;
    std::size_t bytes = 0;
    while (!waiting.empty()) {
        events += waiting.front()->events.size();
        bytes += waiting.front()->bytes;
        if (events > kBatchEventsMax || bytes > kBatchBytesMax) break;
        group.push_back(waiting.front());
        waiting.pop_front();
    }
    committing = true;
    const Point start = tip;
    held.unlock();
    const Result<std::uint64_t> last = commit(group, start);
    held.lock();
    committing = false;
    std::uint64_t counter = start.counter;
    for (Call* call : group) {
        counter += call->events.size();
        call->outcome = last ? Result<std::uint64_t>(counter) : std::unexpected(last.error());
    }
    settled.notify_all();
}

Result<std::uint64_t> Spool::State::commit(std::span<Call* const> group, const Point& start) {
    if (broken) return std::unexpected(*broken);
    Batch batch{start, {}, {}};
    bool seal = false;
    for (const Call* call : group) {
        seal |= call->seal;
        std::ranges::copy(call->events, std::back_inserter(batch.events));
    }
    std::uint64_t counter = start.counter;
    for (StampedBody& event : batch.events) event.stamp.counter = ++counter;
    const Point end = follow(batch);
    if (seal || unsealed + batch.events.size() >= options.seal_every)
        batch.seal = make_seal(self, end, key);
    const Bytes record = encode_record(keys, batch, random);
    TRY_STATUS(make_room(record.size(), start));
    TRY_STATUS(write(record));
    unsealed = batch.seal ? 0 : unsealed + batch.events.size();
    const std::lock_guard held(mutex);
    segments.back().bytes += record.size();
    tip = end;
    return end.counter;
}

Status Spool::State::make_room(std::size_t bytes, const Point& start) {
    std::uint64_t total = bytes;
    Segment current;
    {
        const std::lock_guard held(mutex);
        for (const Segment& segment : segments) total += segment.bytes;
        current = segments.back();
    }
    if (total > options.max_bytes)
        return fail(
            Code::Full,
            {fmt::format("file d'attente pleine : {} octets attendent le cœur", total - bytes),
             fmt::format("spool full: {} bytes wait for the core", total - bytes)},
            {"rétablissez la liaison avec le cœur, ou agrandissez la file de la garde",
             "bring the link to the core back, or enlarge the guard's spool"});
    // A segment with no record yet takes any record.
    if (current.base == start.counter || current.bytes + bytes <= options.segment_bytes) return {};
    Status started = new_segment(start);
    // Writing on in the old segment beside a new one would tell the stream twice.
    if (!started && disk.exists(path_of(start.counter))) broken = started.error();
    return started;
}

Status Spool::State::write(ByteView record) {
    std::uint64_t offset = 0;
    {
        const std::lock_guard held(mutex);
        offset = segments.back().bytes;
    }
    if (Status written = file->write_at(offset, record); !written) {
        if (const Status undone = file->truncate(offset); !undone) broken = undone.error();
        return written;
    }
    Status synced = file->sync();
    if (!synced) broken = synced.error();
    return synced;
}

// ---- reading

Status Spool::State::open_segment(std::uint64_t base) {
    Cursor& c = *cursor;
    const std::string path = path_of(base);
    c.file = TRY(disk.open(path, Open::Read));
    const SegmentHead head = TRY(read_segment_head(keys, *c.file));
    TRY_STATUS(check_head(head, path));
    c.offset = head.bytes;
    c.at = head.base;
    return {};
}

Status Spool::State::seek(std::uint64_t counter) {
    std::uint64_t base = 0;
    {
        const std::lock_guard held(mutex);
        for (const Segment& segment : segments)
            if (segment.base <= counter) base = segment.base;
    }
    cursor.emplace();
    TRY_STATUS(open_segment(base));
    std::optional<Seal> passed;
    while (cursor->at.counter < counter) {
        TRY_STATUS(fill());
        take_event(passed);
    }
    return {};
}

/// Makes sure that an event is left to take; there is one on disk.
Status Spool::State::fill() {
    while (cursor->left.empty()) {
        auto record = TRY(read_record(keys, *cursor->file, cursor->offset, cursor->at));
        if (record) {
            cursor->left.assign(record->batch.events.begin(), record->batch.events.end());
            cursor->seal = record->batch.seal;
            cursor->offset = record->end;
            continue;
        }
        const Point end = cursor->at;
        TRY_STATUS(open_segment(end.counter));
        if (cursor->at != end)
            return fail(Code::Corrupt,
                        {"deux segments de la file d'attente ne se suivent pas",
                         "two segments of the spool do not follow each other"},
                        {"rétablissez le dossier de la file depuis sa dernière copie saine",
                         "bring the spool's directory back from its last sound copy"});
    }
    return {};
}

StampedBody Spool::State::take_event(std::optional<Seal>& seal) {
    StampedBody event = std::move(cursor->left.front());
    cursor->left.pop_front();
    cursor->at = after(cursor->at, event);
    if (cursor->seal && cursor->seal->at.counter == cursor->at.counter)
        seal = Seal{cursor->at, cursor->seal->signature};
    return event;
}

Result<Batch> Spool::State::read_batch_up_to(std::uint64_t counter) {
    Batch batch{cursor->at, {}, {}};
    std::size_t bytes = 0;
    while (cursor->at.counter < counter && batch.events.size() < kBatchEventsMax) {
        TRY_STATUS(fill());
        bytes += weight(cursor->left.front());
        if (bytes > kBatchBytesMax) break;
        batch.events.push_back(take_event(batch.seal));
    }
    return batch;
}

// ---- the door

Spool::Spool(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spool::~Spool() = default;

Result<std::unique_ptr<Spool>> Spool::open(Disk& disk, Random& random,
                                           const crypto::SigningKey& key,
                                           const crypto::Secret32& sealing_key,
                                           SpoolOptions options) {
    TRY_STATUS(check_options(options));
    auto state = std::make_unique<State>(disk, random, key, sealing_key, std::move(options));
    TRY_STATUS(check_names(state->self));
    TRY_STATUS(state->load());
    return std::unique_ptr<Spool>(new Spool(std::move(state)));
}

Result<std::uint64_t> Spool::append(std::span<const event::Event> events, Sealing sealing) {
    Call call = TRY(stamp(events, sealing));
    std::unique_lock held(state_->mutex);
    state_->waiting.push_back(&call);
    while (!call.outcome) {
        if (state_->committing)
            state_->settled.wait(held);
        else
            state_->commit_next(held);
    }
    return *call.outcome;
}

const SourceInfo& Spool::self() const {
    return state_->self;
}

const crypto::SigningKey& Spool::key() const {
    return state_->key;
}

std::uint64_t Spool::bytes() {
    const std::lock_guard held(state_->mutex);
    std::uint64_t total = 0;
    for (const Segment& segment : state_->segments) total += segment.bytes;
    return total;
}

std::uint64_t Spool::base() {
    const std::lock_guard held(state_->mutex);
    return state_->segments.front().base;
}

std::uint64_t Spool::last() {
    const std::lock_guard held(state_->mutex);
    return state_->tip.counter;
}

Result<Batch> Spool::read(std::uint64_t after) {
    const std::uint64_t end = last();
    if (after < base() || after > end)
        return fail(
            Code::NotFound,
            {fmt::format("la file d'attente n'a rien après le compteur {}", after),
             fmt::format("the spool holds nothing after counter {}", after)},
            {"demandez un compteur qu'elle tient encore", "ask for a counter it still holds"});
    if (!state_->cursor || state_->cursor->at.counter != after)
        if (Status sought = state_->seek(after); !sought) {
            state_->cursor.reset();
            return std::unexpected(sought.error());
        }
    auto batch = state_->read_batch_up_to(end);
    if (!batch) state_->cursor.reset();
    return batch;
}

Status Spool::acknowledge(std::uint64_t counter) {
    if (counter > last())
        return fail(
            Code::BadInput,
            {"le cœur acquitte ce qu'il n'a pas reçu", "the core acknowledges what never was"},
            {"vérifiez que la garde parle au bon cœur",
             "check that the guard talks to the right core"});
    for (;;) {
        std::uint64_t oldest = 0;
        {
            const std::lock_guard held(state_->mutex);
            if (state_->segments.size() < 2 || state_->segments[1].base > counter) return {};
            oldest = state_->segments.front().base;
        }
        // One by one, each made durable: a crash must not leave a hole between segments.
        const std::string path = state_->path_of(oldest);
        if (state_->disk.exists(path)) TRY_STATUS(state_->disk.remove(path));
        TRY_STATUS(state_->disk.sync_dir(state_->options.dir));
        const std::lock_guard held(state_->mutex);
        state_->segments.pop_front();
    }
}

}  // namespace hygie::link
