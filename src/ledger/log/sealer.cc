#include "ledger/log/sealer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"
#include "ledger/log/wal.h"

namespace hygie::ledger {
namespace {

/// Cached keys are dropped all at once past these counts; looking them up again costs little.
constexpr std::size_t kPatientsCachedMax = 1 << 18;
constexpr std::size_t kActorsCachedMax = 1 << 16;
constexpr std::size_t kFrameBytes = 2;
constexpr std::string_view kNameBox = "ledger/source-name";

/// Keys are asked for this many drafts before they are used: about the time memory takes to answer.
constexpr std::size_t kPrefetchAhead = 8;

/// What a key belongs to besides the person: the year, and the retention class.
std::array<char, 3> scope_of(const event::Stamp& stamp) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(stamp.time)};
    const int year = static_cast<int>(date.year());
    return {static_cast<char>(year >> 8), static_cast<char>(year),
            static_cast<char>(stamp.retention)};
}

}  // namespace

ByteView Batch::entry(std::size_t i) const {
    const std::size_t start = (i == 0 ? kWalHeaderBytes : ends[i - 1]) + kFrameBytes;
    return ByteView(buffer).subspan(start, ends[i] - start);
}

ByteView Batch::framed() const {
    return ByteView(buffer).subspan(kWalHeaderBytes);
}

void Batch::hash_leaves() {
    std::vector<ByteView> entries(size());
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = entry(i);
    leaves.resize(entries.size());
    crypto::leaf_hashes(entries, leaves);
}

void Batch::join(const Batch& next) {
    HYGIE_CHECK(next.first == end() && leaves.empty() && next.leaves.empty(),
                "batches joined out of order, or after they were hashed");
    const std::size_t entries = size();
    const auto shift = static_cast<std::uint32_t>(buffer.size() - kWalHeaderBytes);
    append(buffer, next.framed());
    for (const std::uint32_t end : next.ends) ends.push_back(end + shift);
    rows.insert(rows.end(), next.rows.begin(), next.rows.end());
    for (const std::size_t entry : next.open) open.push_back(entries + entry);
    sequences.insert(sequences.end(), next.sequences.begin(), next.sequences.end());
    sources = next.sources;
}

void Batch::clear() {
    buffer.clear();
    ends.clear();
    leaves.clear();
    rows.clear();
    open.clear();
    sequences.clear();
}

Sealer::Sealer(Keys& keys, Random& random, Sources sources, std::uint32_t run, std::uint64_t next)
    : keys_(keys),
      random_(random),
      sources_(std::move(sources)),
      run_(run),
      next_(next),
      patients_(random, kPatientsCachedMax),
      actors_(random, kActorsCachedMax) {}

Result<Batch> Sealer::seal(std::span<const Draft> drafts, WallTime now) {
    std::vector<const Draft*> each;
    for (const Draft& draft : drafts) each.push_back(&draft);
    return seal(each, now);
}

Result<Batch> Sealer::seal(std::span<const Draft* const> drafts, WallTime now, Batch spare) {
    const Sources sources_before = sources_;
    const std::uint64_t next_before = next_;
    spare.clear();
    Result<Batch> batch = seal_all(drafts, now, std::move(spare));
    if (!batch) {  // nothing of a refused batch may leave a hole in the numbers
        sources_ = sources_before;
        next_ = next_before;
    }
    return batch;
}

Result<Batch> Sealer::seal_all(std::span<const Draft* const> drafts, WallTime now, Batch batch) {
    batch.first = next_;
    std::size_t bytes = kWalHeaderBytes;
    for (const Draft* const draft : drafts) {
        if (draft->body.size() > limits::kEventBytesMax)
            return fail(Code::BadInput, {"événement trop long", "event too long"},
                        {"gardez le corps de l'événement sous 60 000 octets",
                         "keep the event's body under 60,000 bytes"});
        bytes += kFrameBytes + kHeaderBytesMax + draft->body.size() + crypto::kTagBytes;
    }
    batch.buffer.reserve(bytes);
    batch.buffer.resize(kWalHeaderBytes);
    batch.ends.reserve(drafts.size());
    batch.rows.reserve(drafts.size());
    batch.sequences.reserve(drafts.size());
    name_keys(drafts);
    const auto ask_for = [&](std::size_t i) {
        prefetch_keys(i);
        __builtin_prefetch(drafts[i]->body.data());
    };
    for (std::size_t i = 0; i < std::min(kPrefetchAhead, drafts.size()); ++i) ask_for(i);
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const Draft& draft = *drafts[i];
        if (i + kPrefetchAhead < drafts.size()) ask_for(i + kPrefetchAhead);
        Source* source = TRY(source_of(draft, now, batch));
        if (draft.gap_until > source->last_counter) {
            batch.sequences.emplace_back(next_);
            TRY_STATUS(declare_gap(*source, draft.gap_until + 1, now, batch));
            source->last_counter = draft.gap_until;
            continue;
        }
        const bool seen = draft.stamp.counter != 0 && draft.stamp.counter <= source->last_counter;
        if (seen || draft.gap_until != 0) {
            batch.sequences.emplace_back(std::nullopt);
            continue;
        }
        if (draft.stamp.counter > source->last_counter + 1)
            TRY_STATUS(declare_gap(*source, draft.stamp.counter, now, batch));
        batch.sequences.emplace_back(next_);
        TRY_STATUS(add(draft, names_[i], *source, batch));
    }
    batch.sources = sources_;
    return batch;
}

Result<Source*> Sealer::source_of(const Draft& draft, WallTime now, Batch& batch) {
    Source* known = sources_.find(draft.source, draft.node);
    if (known) return known;
    const Source added = sources_.add(draft.source, draft.node, draft.source_key);
    const Bytes names = crypto::box(keys_.state_key(), as_bytes(kNameBox),
                                    as_bytes(added.name.str() + '\n' + added.node.str()), random_);
    TRY_STATUS(add_own(event::Type::SourceRegistered, now,
                       {{"source", std::to_string(added.number)},
                        {"node", std::to_string(added.node_number)},
                        {"key", to_base64(added.key)},
                        {"names", to_base64(names)}},
                       batch));
    return &sources_.number(added.number);
}

Status Sealer::declare_gap(const Source& source, std::uint64_t counter, WallTime now,
                           Batch& batch) {
    return add_own(event::Type::SourceGap, now,
                   {{"source", std::to_string(source.number)},
                    {"first", std::to_string(source.last_counter + 1)},
                    {"last", std::to_string(counter - 1)}},
                   batch);
}

Status Sealer::add_own(event::Type type, WallTime now, std::map<std::string, std::string> detail,
                       Batch& batch) {
    // Open to all: no key is looked up.
    return add(TRY(own_draft(type, now, std::move(detail))), {}, sources_.number(0), batch);
}

void Sealer::name_keys(std::span<const Draft* const> drafts) {
    names_.resize(drafts.size());
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const Draft& draft = *drafts[i];
        const auto scope = scope_of(draft.stamp);
        scoped_.assign(draft.patient.str()).append(scope.data(), scope.size());
        names_[i].patient = patients_.name(as_bytes(scoped_));
        scoped_.assign(draft.actor.str()).append(scope.data(), scope.size());
        names_[i].actor = actors_.name(as_bytes(scoped_));
    }
}

void Sealer::prefetch_keys(std::size_t draft) const {
    patients_.prefetch(names_[draft].patient);
    actors_.prefetch(names_[draft].actor);
}

Status Sealer::add(const Draft& draft, const KeyNames& names, Source& source, Batch& batch) {
    Header header;
    header.type = draft.stamp.type;
    header.time = draft.stamp.time;
    header.sequence = next_;
    header.node = source.node_number;
    header.source = source.number;
    header.counter = draft.stamp.counter != 0 ? draft.stamp.counter : source.last_counter + 1;
    header.retention = draft.stamp.retention;
    header.run = run_;
    IndexRow row{.sequence = next_, .time = header.time};
    const PatientKeys* keys = nullptr;
    if (!draft.open) {
        keys = TRY(patient_keys(draft, names.patient));
        if (!draft.actor.empty()) row.actor = header.actor = TRY(actor_token(draft, names.actor));
        if (!draft.patient.empty()) row.patient = keys->patient;
        if (!draft.object.empty()) row.object = object_token(keys->tokens, draft.object);
        const std::uint64_t masked = big_endian(keys->slot ^ load_word(mask().data()));
        std::memcpy(header.key_ref.data(), &masked, sizeof masked);
    }

    const std::size_t payload_size = draft.body.size() + (draft.open ? 0 : crypto::kTagBytes);
    const std::size_t start = batch.buffer.size();
    batch.buffer.resize(start + kFrameBytes + kHeaderBytesMax + payload_size);
    std::uint8_t* const frame = batch.buffer.data() + start;
    std::uint8_t* const entry = frame + kFrameBytes;
    std::size_t associated = 0;
    const std::size_t head = encode_header(header, draft.open ? Payload::Open : Payload::Sealed,
                                           payload_size, entry, associated);
    if (draft.open)
        std::ranges::copy(draft.body, entry + head);
    else
        crypto::seal(keys->body, nonce_of(header), {entry, associated}, draft.body, entry + head);
    const std::size_t size = head + payload_size;
    HYGIE_CHECK(size <= limits::kEntryBytesMax, "an entry outgrew its length prefix");
    store_be(frame, static_cast<std::uint16_t>(size));
    batch.buffer.resize(start + kFrameBytes + size);
    if (draft.open) batch.open.push_back(batch.ends.size());
    batch.ends.push_back(static_cast<std::uint32_t>(batch.buffer.size()));
    batch.rows.push_back(row);
    source.last_counter = header.counter;
    ++next_;
    return {};
}

Result<const Sealer::PatientKeys*> Sealer::patient_keys(const Draft& draft,
                                                        const crypto::ShortName& name) {
    if (const PatientKeys* found = patients_.find(name)) return found;
    const auto body = TRY(keys_.body_key(draft.patient, draft.stamp.retention, draft.stamp.time));
    const auto tokens = TRY(keys_.token_key(draft.patient));
    return patients_.insert(
        name, {body.slot, body.key, crypto::HmacKey(tokens.view()), patient_token(tokens)});
}

Result<crypto::Token> Sealer::actor_token(const Draft& draft, const crypto::ShortName& name) {
    if (const crypto::Token* found = actors_.find(name)) return *found;
    return *actors_.insert(name, TRY(keys_.actor_token(draft.actor, draft.stamp.time)));
}

const std::array<std::uint8_t, 8>& Sealer::mask() {
    if (next_ < masks_first_ || next_ >= masks_first_ + masks_.size()) {
        masks_first_ = next_;
        slot_masks(keys_.mask_key(), run_, masks_first_, masks_);
    }
    return masks_[next_ - masks_first_];
}

Result<Source> registered_source(const event::Event& event, const Keys& keys) {
    const auto corrupt = [] {
        return fail(Code::Corrupt,
                    {"enregistrement de source illisible", "unreadable registration of a source"},
                    {"relancez la vérification : hygie ledger verify",
                     "run the verification: hygie ledger verify"});
    };
    const auto field = [&](const char* name) {
        const auto found = event.detail.find(name);
        return found == event.detail.end() ? std::string() : found->second;
    };
    const auto number = [&](const char* name) -> std::optional<std::uint64_t> {
        const std::string text = field(name);
        if (text.empty() || text.size() > 18 ||
            !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
            return std::nullopt;
        return std::stoull(text);
    };
    const auto source_number = number("source");
    const auto node_number = number("node");
    if (!source_number || !node_number) return corrupt();
    const Bytes boxed = TRY(from_base64(field("names")));
    const Bytes names = TRY(crypto::unbox(keys.state_key(), as_bytes(kNameBox), boxed));
    const std::string_view both = as_text(names);
    const std::size_t cut = both.find('\n');
    if (cut == std::string_view::npos) return corrupt();
    Source source;
    source.number = *source_number;
    source.node_number = *node_number;
    source.name = SourceId(std::string(both.substr(0, cut)));
    source.node = NodeId(std::string(both.substr(cut + 1)));
    source.key = TRY(from_base64(field("key")));
    return source;
}

Result<IndexRow> row_of(const Header& header, const event::Event& event, const Keys& keys) {
    IndexRow row{.sequence = header.sequence, .time = header.time, .actor = header.actor};
    if (!event.subject.patient.empty())
        row.patient = keys.known_patient_token(event.subject.patient).value_or(crypto::Token{});
    if (!event.subject.object.empty())
        row.object = keys.known_object_token(event.subject.patient, event.subject.object)
                         .value_or(crypto::Token{});
    return row;
}

}  // namespace hygie::ledger
