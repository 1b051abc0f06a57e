#include "app/ledger/ledger_clerk.h"

#include <algorithm>
#include <unordered_map>

#include "app/ledger/ledger_question.h"
#include "event/uuid.h"
#include "ledger/proofs/completeness.h"
#include "ledger/tree/log_reader.h"

namespace hygie::app {
namespace {

using ledger::SequenceRange;

const char* const kCommandLineSource = "cli";
/// One call of Reading::next: entries and bytes shown, and bundles read, at most about so many.
constexpr std::size_t kShownMax = 1024;
constexpr std::size_t kShownBytesMax = 1 << 20;
constexpr std::size_t kBundlesMax = 64;
/// A run of the index may close between its proof's checkpoint and its proof.
constexpr int kProofAttemptsMax = 3;

/// Reads bundles, each once, beside whatever is appended meanwhile.
class LedgerReading final : public Reading {
  public:
    LedgerReading(Disk& disk, ledger::Log& log, Question question, ledger::Sources sources,
                  std::vector<SequenceRange> where, const LedgerClerk::Course& course)
        : newest_first_(course.newest_first),
          reader_(disk, log.dir()),
          keys_(log.keys()),
          question_(std::move(question)),
          sources_(std::move(sources)),
          where_(std::move(where)),
          selection_(course.selection),
          slots_(keys_) {
        size = log.applied_size();
        origin = log.origin();
        for (SequenceRange& range : where_) range.end = std::min({range.end, size, course.before});
        std::erase_if(where_, [](const SequenceRange& range) { return range.first >= range.end; });
        if (newest_first_) std::ranges::reverse(where_);
        if (!where_.empty()) next_ = start_of(where_.front());
    }

    /// Once a checkpoint that covers the ledger's size is shown: its bundles are there from then
    /// on.
    Status begin() {
        shown_ = TRY(ledger::read_checkpoint(reader_)).checkpoint.size;
        return {};
    }

    Result<Answers> next() override {
        Answers answers;
        std::size_t bytes = 0;
        const std::size_t bundles_before = bundles_;
        while (range_ < where_.size() && answers.entries.size() < kShownMax &&
               bytes < kShownBytesMax && bundles_ - bundles_before < kBundlesMax) {
            const ByteView entry = TRY(entry_at(next_));
            const ledger::EntryView view = TRY(ledger::parse_entry(entry));
            const std::uint64_t index = next_;
            step();
            if (!may_answer(view.header) || is_repeat(view)) continue;
            const ledger::Header& header = view.header;
            Shown shown{index,         header.type,   header.time, keys_.unseal(view, sources_),
                        header.source, header.counter};
            if (shown.event) remember(view, *shown.event);
            if (!matches(question_, shown.event)) continue;
            bytes += entry.size();
            answers.entries.push_back(std::move(shown));
        }
        answers.position = next_;
        answers.is_last = range_ == where_.size();
        return answers;
    }

  private:
    /// What the header alone tells.
    bool may_answer(const ledger::Header& header) const {
        return (selection_.types.empty() || has(selection_.types, header.type)) &&
               (!question_.since || header.time >= *question_.since) &&
               (!question_.until || header.time < *question_.until);
    }

    static bool has(const std::vector<event::Type>& types, event::Type type) {
        return std::ranges::count(types, type) > 0;
    }

    /// Whether it follows one alike, which the slot of its key tells without opening it.
    bool is_repeat(const ledger::EntryView& entry) {
        const Repeats& repeats = selection_.but_for;
        if (!entry.is_sealed || !has(repeats.types, entry.header.type)) return false;
        const auto counted = counted_.find(slots_.of(entry.header));
        return counted != counted_.end() && entry.header.time < counted->second + repeats.within;
    }

    void remember(const ledger::EntryView& entry, const event::Event& event) {
        const Repeats& repeats = selection_.but_for;
        if (!entry.is_sealed || !has(repeats.types, event.type) || !repeats.counts(event)) return;
        counted_[slots_.of(entry.header)] = entry.header.time;
    }

    Result<ByteView> entry_at(std::uint64_t index) {
        const std::uint64_t number = index / ledger::kTileHashes;
        if (at_ != number) {
            const auto width = static_cast<std::size_t>(std::min<std::uint64_t>(
                ledger::kTileHashes, shown_ - number * ledger::kTileHashes));
            bundle_ = TRY(ledger::read_bundle(reader_, {number, width}));
            at_ = number;
            ++bundles_;
        }
        return bundle_.entries[index % ledger::kTileHashes];
    }

    std::uint64_t start_of(const SequenceRange& range) const {
        return newest_first_ ? range.end - 1 : range.first;
    }

    /// To the next place where an answer can be.
    void step() {
        const SequenceRange& range = where_[range_];
        const bool goes_on = newest_first_ ? next_-- > range.first : ++next_ < range.end;
        if (!goes_on && ++range_ < where_.size()) next_ = start_of(where_[range_]);
    }

    const bool newest_first_;
    ledger::DirReader reader_;
    const ledger::Keys& keys_;
    Question question_;
    ledger::Sources sources_;
    std::vector<SequenceRange> where_;  ///< none of them empty, in the order of the course
    Selection selection_;
    ledger::BodySlots slots_;
    std::unordered_map<std::uint64_t, WallTime> counted_;  ///< by slot of key, when last
    std::uint64_t shown_ = 0;                              ///< size of a checkpoint
    std::size_t range_ = 0;                                ///< in where_
    std::uint64_t next_ = 0;                               ///< the entry to look at next
    ledger::Bundle bundle_;
    std::optional<std::uint64_t> at_;  ///< number of the bundle
    std::size_t bundles_ = 0;          ///< read so far
};

}  // namespace

LedgerClerk::LedgerClerk(const ledger::Doors& doors, NodeId node, OpenLedger opened,
                         ledger::AppenderOptions options)
    : doors_(doors),
      node_(std::move(node)),
      opened_(std::move(opened)),
      appender_(*opened_.log, opened_.cosign, options) {}

Result<std::vector<std::optional<std::uint64_t>>> LedgerClerk::append(
    std::vector<ledger::Draft> drafts) {
    return appender_.append(std::move(drafts));
}

event::Event LedgerClerk::event_by(const ActorId& who, event::Type type) {
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(doors_.clock.now(), doors_.random));
    event.type = type;
    event.action = event::Action::Execute;
    event.time = doors_.clock.now();
    event.source = SourceId(kCommandLineSource);
    event.node = node_;
    event.actor.id = who;
    event.actor.auth = "os";
    event.retention = event::Retention::Control3Years;
    return event;
}

namespace {

/// What was pruned is not looked at, but by who names it.
Result<std::vector<SequenceRange>> left_of(Disk& disk, ledger::Log& log, const Question& question) {
    auto where = TRY(candidates(log, question));
    if (question.kind == Question::Kind::Show) return where;
    ledger::DirReader reader(disk, log.dir());
    const std::uint64_t minimum = TRY(ledger::read_minimum_index(reader));
    for (SequenceRange& range : where) range.first = std::max(range.first, minimum);
    return where;
}

Result<std::unique_ptr<LedgerReading>> locate(const ledger::Doors& doors,
                                              ledger::Appender& appender, const Question& question,
                                              const LedgerClerk::Course& course = {}) {
    std::unique_ptr<LedgerReading> reading;
    // What cannot be read is the reader's trouble: it must not stop the appender.
    Status found;
    TRY_STATUS(appender.exclusive([&](ledger::Log& log) -> Status {
        auto where = left_of(doors.disk, log, question);
        if (where)
            reading = std::make_unique<LedgerReading>(doors.disk, log, question, log.sources(),
                                                      std::move(*where), course);
        else
            found = std::unexpected(where.error());
        return {};
    }));
    TRY_STATUS(found);
    return reading;
}

}  // namespace

Result<std::unique_ptr<Reading>> LedgerClerk::look(const Question& question, Selection selection) {
    return look_along(question, {.selection = std::move(selection)});
}

Result<std::unique_ptr<Reading>> LedgerClerk::look_back(const Question& question,
                                                        std::uint64_t before) {
    return look_along(question, {.newest_first = true, .before = before});
}

Result<std::unique_ptr<Reading>> LedgerClerk::look_along(const Question& question,
                                                         const Course& course) {
    std::unique_ptr<LedgerReading> reading = TRY(locate(doors_, appender_, question, course));
    TRY_STATUS(appender_.publish());
    TRY_STATUS(reading->begin());
    return reading;
}

Result<std::unique_ptr<Reading>> LedgerClerk::read(const ActorId& reader,
                                                   const Question& question) {
    std::unique_ptr<LedgerReading> reading = TRY(locate(doors_, appender_, question, {}));
    TRY_STATUS(log_reading(reader, words_of(question, reading->size)));
    if (question.proof)
        reading->proofs = TRY(prove(question.actor));
    else
        TRY_STATUS(appender_.publish());
    TRY_STATUS(reading->begin());
    return reading;
}

namespace {

std::unexpected<Error> no_vault() {
    return fail(Code::NotFound,
                {"il n'y a pas de coffre à côté de ce journal", "no vault is beside this ledger"},
                {"donnez le dossier d'un service : --state", "give the folder of a core: --state"});
}

}  // namespace

Result<Bytes> Clerk::world(const ActorId&, const std::string&) {
    return no_vault();
}

Result<std::unique_ptr<VaultWork>> Clerk::vault(const VaultAct&) {
    return no_vault();
}

void LedgerClerk::keep_with(Keeper keeper) {
    const std::scoped_lock lock(teller_mutex_);
    keeper_ = std::move(keeper);
}

void LedgerClerk::guard_with(Guard guard) {
    const std::scoped_lock lock(teller_mutex_);
    guard_ = std::move(guard);
}

Result<std::unique_ptr<VaultWork>> LedgerClerk::vault(const VaultAct& act) {
    Keeper keeper;
    {
        const std::scoped_lock lock(teller_mutex_);
        keeper = keeper_;
    }
    return keeper ? keeper(act) : Clerk::vault(act);
}

void LedgerClerk::tell_with(Teller teller) {
    const std::scoped_lock lock(teller_mutex_);
    teller_ = std::move(teller);
}

Result<Bytes> LedgerClerk::world(const ActorId& reader, const std::string& patient) {
    const std::scoped_lock lock(teller_mutex_);
    if (!teller_) return Clerk::world(reader, patient);
    event::Event event =
        event_by(reader, patient.empty() ? event::Type::RecordExported : event::Type::RecordRead);
    event.action = event::Action::Read;
    event.subject.patient = PatientId(patient);
    event.purpose = "HSYSADMIN";
    event.query = "circles";
    std::vector<ledger::Draft> drafts;
    drafts.push_back(TRY(ledger::draft_of(event)));
    TRY(append(std::move(drafts)));
    return teller_(patient);
}

Status LedgerClerk::log_reading(const ActorId& reader, const std::string& what) {
    event::Event event = event_by(reader, event::Type::LedgerRead);
    event.action = event::Action::Read;
    event.query = what;
    std::vector<ledger::Draft> drafts;
    drafts.push_back(TRY(ledger::draft_of(event)));
    TRY(append(std::move(drafts)));
    return {};
}

Result<std::vector<Bytes>> LedgerClerk::prove(const ActorId& actor) {
    auto proofs = prove_once(actor);
    for (int again = 1; again < kProofAttemptsMax && !proofs && proofs.error().code == Code::Stale;
         ++again)
        proofs = prove_once(actor);
    return proofs;
}

/// One proof per token of the actor, that is per calendar year.
Result<std::vector<Bytes>> LedgerClerk::prove_once(const ActorId& actor) {
    SequenceRange range;
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        range = TRY(log.flush_index());
        return {};
    }));
    TRY_STATUS(appender_.publish());
    Result<std::vector<Bytes>> proofs;
    const auto prove_all = [&](ledger::Log& log) -> Result<std::vector<Bytes>> {
        ledger::DirReader reader(doors_.disk, log.dir());
        ledger::TileCache tiles(reader);
        const auto checkpoint = TRY(ledger::read_checkpoint(reader));
        std::vector<Bytes> all;
        for (const auto& token : log.keys().known_actor_tokens(actor)) {
            const auto proof = TRY(
                ledger::prove_completeness(log.index(), reader, tiles, checkpoint, token, range));
            all.push_back(proof.encode());
        }
        return all;
    };
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        proofs = prove_all(log);
        return {};
    }));
    return proofs;
}

Result<std::uint64_t> LedgerClerk::shred(const Erasure& erasure) {
    {
        const std::scoped_lock lock(teller_mutex_);
        if (guard_) TRY_STATUS(guard_(erasure.patient));
    }
    event::Event why = event_by(erasure.by, event::Type::KeyShredded);
    why.basis = erasure.reason;
    std::uint64_t keys = 0;
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        keys = TRY(log.shred(erasure.patient, erasure.retention, why));
        return {};
    }));
    TRY_STATUS(appender_.publish());
    return keys;
}

Result<ledger::Pruned> LedgerClerk::prune(const ActorId& by, bool dry_run) {
    const event::Event why = event_by(by, event::Type::LedgerPruned);
    ledger::Pruned pruned;
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        pruned = TRY(log.prune(doors_.clock.now(), dry_run, why, opened_.cosign));
        return {};
    }));
    TRY_STATUS(appender_.publish());
    return pruned;
}

Result<std::string> LedgerClerk::rotate() {
    std::string key;
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        TRY_STATUS(log.rotate(opened_.cosign));
        key = log.signer().verifier().str();
        return {};
    }));
    return key;
}

Result<std::uint64_t> LedgerClerk::rewrap() {
    std::uint64_t keys = 0;
    TRY_STATUS(appender_.exclusive([&](ledger::Log& log) -> Status {
        TRY_STATUS(log.keys().rewrap());
        keys = log.keys().table().live();
        return {};
    }));
    return keys;
}

}  // namespace hygie::app
