#include "event/codec.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/cbor.h"
#include "base/limits.h"
#include "event/uuid.h"

namespace hygie::event {

namespace {

// Keys of the body's map. Part of the ledger format: never renumbered, never reused (FORMAT.md).
// Text fields are 1 to kTexts, in the order of texts_of; the others follow.
constexpr std::uint64_t kTexts = 14;
constexpr std::uint64_t kAction = 15;
constexpr std::uint64_t kOutcome = 16;
constexpr std::uint64_t kBreakGlass = 17;
constexpr std::uint64_t kVerdict = 18;
constexpr std::uint64_t kDetail = 19;

/// The head of a byte string of sixteen bytes: what a UUID begins with.
constexpr std::uint8_t kSixteenBytes = 0x50;
/// No head of a CBOR item is longer than this.
constexpr std::size_t kHeadBytesMax = 9;

using Texts = std::array<std::string_view, kTexts>;

Texts texts_of(const Event& e) {
    return {e.id,
            e.actor.id.str(),
            e.actor.role,
            e.actor.auth,
            e.actor.on_behalf_of.str(),
            e.actor.organisation,
            e.subject.patient.str(),
            e.subject.object.str(),
            e.purpose,
            e.network.address,
            e.network.device,
            e.request_id,
            e.basis,
            e.query};
}

void set_text(Event& e, std::uint64_t key, std::string value) {
    switch (key) {
        case 1:
            e.id = std::move(value);
            break;
        case 2:
            e.actor.id = ActorId(std::move(value));
            break;
        case 3:
            e.actor.role = std::move(value);
            break;
        case 4:
            e.actor.auth = std::move(value);
            break;
        case 5:
            e.actor.on_behalf_of = ActorId(std::move(value));
            break;
        case 6:
            e.actor.organisation = std::move(value);
            break;
        case 7:
            e.subject.patient = PatientId(std::move(value));
            break;
        case 8:
            e.subject.object = ObjectId(std::move(value));
            break;
        case 9:
            e.purpose = std::move(value);
            break;
        case 10:
            e.network.address = std::move(value);
            break;
        case 11:
            e.network.device = std::move(value);
            break;
        case 12:
            e.request_id = std::move(value);
            break;
        case 13:
            e.basis = std::move(value);
            break;
        default:
            e.query = std::move(value);
            break;
    }
}

// Actions in the order of their numbers in the body; the first is the default and is left out.
constexpr std::array kActions{Action::Execute, Action::Create, Action::Read, Action::Update,
                              Action::Delete};

std::uint64_t number_of(Action action) {
    return static_cast<std::uint64_t>(std::ranges::find(kActions, action) - kActions.begin());
}

using DetailEntry = std::pair<const std::string, std::string>;

/// What to sort names by for the order RFC 8949 §4.2.1 asks for: shorter first, then by bytes.
std::pair<std::size_t, std::string_view> cbor_order(std::string_view name) {
    return {name.size(), name};
}

std::vector<const DetailEntry*> in_cbor_order(const std::map<std::string, std::string>& detail) {
    std::vector<const DetailEntry*> entries;
    entries.reserve(detail.size());
    for (const auto& entry : detail) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](const auto* entry) { return cbor_order(entry->first); });
    return entries;
}

std::size_t size_bound(const Texts& texts, const Event& event) {
    std::size_t size = kHeadBytesMax * (1 + 2 * kDetail);
    for (const auto text : texts) size += text.size();
    for (const auto& [name, value] : event.detail)
        size += name.size() + value.size() + 2 * kHeadBytesMax;
    if (event.verdict)
        for (const auto& r : event.verdict->reasons)
            size += r.id.size() + r.text.fr.size() + r.text.en.size() + r.evidence.size() +
                    5 * kHeadBytesMax;
    return size;
}

void write_verdict(cbor::Writer& writer, const Verdict& verdict) {
    writer.array(3);
    writer.number(static_cast<std::uint64_t>(verdict.level));
    writer.number(verdict.score_permille);
    writer.array(verdict.reasons.size());
    for (const auto& reason : verdict.reasons) {
        writer.array(4);
        writer.text(reason.id);
        writer.text(reason.text.fr);
        writer.text(reason.text.en);
        writer.text(reason.evidence);
    }
}

void write_text_fields(cbor::Writer& writer, const Texts& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (texts[i].empty()) continue;
        writer.number(i + 1);
        if (const auto uuid = parse_uuid(texts[i]))
            writer.bytes(*uuid);
        else
            writer.text(texts[i]);
    }
}

bool all_utf8(const Texts& texts, const Event& event) {
    return std::ranges::all_of(texts, is_utf8) &&
           std::ranges::all_of(event.detail,
                               [](const DetailEntry& entry) {
                                   return is_utf8(entry.first) && is_utf8(entry.second);
                               }) &&
           (!event.verdict || std::ranges::all_of(event.verdict->reasons, [](const Reason& r) {
               return is_utf8(r.id) && is_utf8(r.text.fr) && is_utf8(r.text.en) &&
                      is_utf8(r.evidence);
           }));
}

/// Refuses what the format has no spelling for, so that whatever is encoded can be decoded.
Status check_spellable(const Texts& texts, const Event& event) {
    if (!all_utf8(texts, event))
        return fail(Code::BadInput,
                    {"Un champ de l’événement n’est pas de l’UTF-8 valide.",
                     "A field of the event is not valid UTF-8."},
                    {"Écrivez les octets bruts en pourcents ou en base64.",
                     "Write raw bytes percent-encoded or in base64."});
    if (event.time.time_since_epoch().count() < 0)
        return fail(Code::BadInput,
                    {"L’événement est daté d’avant 1970.", "The event is dated before 1970."},
                    {"Corrigez l’horloge de la source.", "Set the clock of the source right."});
    if (event.verdict && event.verdict->score_permille > kScorePermilleMax)
        return fail(Code::BadInput,
                    {"Le score du verdict dépasse 1000 millièmes.",
                     "The score of the verdict is above 1000 thousandths."},
                    {"Donnez une probabilité entre 0 et 1000 millièmes.",
                     "Give a probability from 0 to 1000 thousandths."});
    return {};
}

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"Le corps d’un événement n’est pas écrit comme le format le demande.",
                 "An event body is not written the way the format asks."},
                {"Comparez cette entrée avec une copie du journal.",
                 "Compare this entry with a copy of the ledger."},
                where);
}

Result<std::string> read_text_field(cbor::Reader& reader) {
    // A UUID is sixteen bytes and never the text that spells it, so that it has one form.
    if (!reader.done() && reader.rest()[0] == kSixteenBytes)
        return print_uuid(TRY(reader.bytes()).first<kUuidBytes>());
    const auto text = TRY(reader.text());
    if (text.empty() || parse_uuid(text)) return corrupt();
    return std::string(text);
}

Result<std::string> read_string(cbor::Reader& reader) {
    return std::string(TRY(reader.text()));
}

Result<Verdict> read_verdict(cbor::Reader& reader) {
    Verdict verdict;
    if (TRY(reader.array()) != 3) return corrupt();
    const auto level = TRY(reader.number());
    const auto score = TRY(reader.number());
    if (level > static_cast<std::uint64_t>(Level::Malicious) || score > kScorePermilleMax)
        return corrupt();
    verdict.level = static_cast<Level>(level);
    verdict.score_permille = static_cast<std::uint16_t>(score);
    // The count is not trusted with memory: reasons are added as they are read.
    for (auto left = TRY(reader.array()); left > 0; --left) {
        if (TRY(reader.array()) != 4) return corrupt();
        Reason& reason = verdict.reasons.emplace_back();
        reason.id = TRY(read_string(reader));
        reason.text.fr = TRY(read_string(reader));
        reason.text.en = TRY(read_string(reader));
        reason.evidence = TRY(read_string(reader));
    }
    return verdict;
}

Result<std::map<std::string, std::string>> read_detail(cbor::Reader& reader) {
    std::map<std::string, std::string> detail;
    auto left = TRY(reader.map());
    if (left == 0) return corrupt();
    std::string_view last;
    for (bool first = true; left > 0; --left, first = false) {
        const auto name = TRY(reader.text());
        if (!first && cbor_order(name) <= cbor_order(last)) return corrupt();
        last = name;
        detail.emplace(name, TRY(reader.text()));
    }
    return detail;
}

Status read_field(cbor::Reader& reader, std::uint64_t key, Event& event) {
    if (key >= 1 && key <= kTexts) {
        set_text(event, key, TRY(read_text_field(reader)));
    } else if (key == kAction) {
        const auto number = TRY(reader.number());
        if (number == 0 || number >= kActions.size()) return corrupt();
        event.action = kActions[number];
    } else if (key == kOutcome) {
        const auto number = TRY(reader.number());
        if (number == 0 || number > 255) return corrupt();
        event.outcome = static_cast<Outcome>(number);
        if (name_of(event.outcome).empty()) return corrupt();
    } else if (key == kBreakGlass) {
        if (!TRY(reader.boolean())) return corrupt();
        event.break_glass = true;
    } else if (key == kVerdict) {
        event.verdict = TRY(read_verdict(reader));
    } else if (key == kDetail) {
        event.detail = TRY(read_detail(reader));
    } else {
        return corrupt();
    }
    return {};
}

std::uint64_t micros(WallTime time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

Stamp stamp_of(const Event& event) {
    return {event.type, event.time, event.counter, event.retention};
}

Result<Bytes> encode_body(const Event& event) {
    const Texts texts = texts_of(event);
    TRY_STATUS(check_spellable(texts, event));
    Bytes out;
    out.reserve(size_bound(texts, event));
    cbor::Writer writer(out);
    const auto action = number_of(event.action);
    const auto outcome = static_cast<std::uint64_t>(event.outcome);
    const auto empty = static_cast<std::uint64_t>(std::ranges::count(texts, std::string_view{}));
    writer.map(kTexts - empty + (action != 0) + (outcome != 0) + event.break_glass +
               event.verdict.has_value() + !event.detail.empty());
    write_text_fields(writer, texts);
    if (action != 0) {
        writer.number(kAction);
        writer.number(action);
    }
    if (outcome != 0) {
        writer.number(kOutcome);
        writer.number(outcome);
    }
    if (event.break_glass) {
        writer.number(kBreakGlass);
        writer.boolean(true);
    }
    if (event.verdict) {
        writer.number(kVerdict);
        write_verdict(writer, *event.verdict);
    }
    if (!event.detail.empty()) {
        writer.number(kDetail);
        writer.map(event.detail.size());
        for (const auto* entry : in_cbor_order(event.detail)) {
            writer.text(entry->first);
            writer.text(entry->second);
        }
    }
    if (out.size() > limits::kEventBytesMax)
        return fail(Code::BadInput,
                    {"L’événement est trop long pour une entrée du journal (60 000 octets).",
                     "The event is too long for one ledger entry (60,000 bytes)."},
                    {"Rangez le contenu ailleurs et ne tracez que sa référence ou son empreinte.",
                     "Keep the content elsewhere and trace its reference or digest only."});
    return out;
}

Result<Event> decode_body(const Stamp& stamp, ByteView body) {
    if (body.size() > limits::kEventBytesMax) return corrupt();
    Event event;
    event.type = stamp.type;
    event.time = stamp.time;
    event.counter = stamp.counter;
    event.retention = stamp.retention;
    cbor::Reader reader(body);
    std::uint64_t last = 0;
    for (auto left = TRY(reader.map()); left > 0; --left) {
        const auto key = TRY(reader.number());
        if (key <= last) return corrupt();
        last = key;
        TRY_STATUS(read_field(reader, key, event));
    }
    if (!reader.done()) return corrupt();
    return event;
}

crypto::Hash chain(const crypto::Hash& previous, const Stamp& stamp, ByteView body) {
    Bytes link;
    link.reserve(previous.size() + 5 * kHeadBytesMax);
    append(link, previous);
    cbor::Writer writer(link);
    writer.array(4);
    writer.number(static_cast<std::uint64_t>(stamp.type));
    writer.number(micros(stamp.time));
    writer.number(stamp.counter);
    writer.number(static_cast<std::uint64_t>(stamp.retention));
    return crypto::sha256(link, body);
}

}  // namespace hygie::event
