#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/ledger_desk.h"
#include "app/ledger_export.h"
#include "app/progress.h"
#include "app/unlock.h"
#include "event/ndjson.h"
#include "ledger/completeness.h"
#include "ledger/layout.h"

namespace hygie::app {
namespace {

using ledger::SequenceRange;

/// What the person asked for: an entry must meet all of it.
struct Question {
    ActorId actor;
    PatientId patient;
    ObjectId object;
    std::optional<WallTime> since;
    std::optional<WallTime> until;
    std::uint64_t limit = 0;  ///< 0: none

    bool matches(const event::Event& event) const {
        if (!actor.empty() && event.actor.id != actor) return false;
        if (!patient.empty() && event.subject.patient != patient) return false;
        if (!object.empty() && event.subject.object != object) return false;
        return in_time(event.time);
    }
    bool in_time(WallTime time) const {
        return (!since || time >= *since) && (!until || time < *until);
    }
};

Result<Question> question_of(Context& context) {
    const Values& values = context.values;
    const auto text = [&](std::string_view name) {
        return values.has(name) ? values.text(name) : std::string();
    };
    Question question{ActorId(text("--actor")),
                      PatientId(text("--patient")),
                      ObjectId(text("--object")),
                      TRY(time_option(context, "--since")),
                      TRY(time_option(context, "--until")),
                      values.has("--limit") ? values.number("--limit") : 0};
    return question;
}

/// The words that are logged as what was asked; sealed with the trace of the reading.
std::string words_of(Context& context, std::string_view command) {
    std::string words(command);
    for (const char* name : {"--actor", "--patient", "--object", "--since", "--until"})
        if (context.values.has(name))
            words += fmt::format(" {} {}", name, context.values.text(name));
    return words;
}

/// Keeps what lies in both lists; each is ascending and without overlap.
std::vector<SequenceRange> both(const std::vector<SequenceRange>& left,
                                const std::vector<SequenceRange>& right) {
    std::vector<SequenceRange> out;
    for (std::size_t i = 0, j = 0; i < left.size() && j < right.size();) {
        const SequenceRange common{std::max(left[i].first, right[j].first),
                                   std::min(left[i].end, right[j].end)};
        if (common.first < common.end) out.push_back(common);
        left[i].end < right[j].end ? ++i : ++j;
    }
    return out;
}

/// Where tokens of one name are; a name may have several tokens, one a year.
Result<std::vector<SequenceRange>> find_any(const ledger::QueryIndex& index,
                                            ledger::Dimension dimension,
                                            const std::vector<crypto::Token>& tokens,
                                            SequenceRange within) {
    std::vector<SequenceRange> found;
    for (const crypto::Token& token : tokens) {
        const auto some = TRY(index.find(dimension, token, within));
        found.insert(found.end(), some.begin(), some.end());
    }
    std::ranges::sort(found, {}, &SequenceRange::first);
    std::vector<SequenceRange> merged;
    for (const SequenceRange& range : found) {
        if (!merged.empty() && range.first <= merged.back().end)
            merged.back().end = std::max(merged.back().end, range.end);
        else
            merged.push_back(range);
    }
    return merged;
}

std::vector<crypto::Token> list_of(const std::optional<crypto::Token>& token) {
    return token ? std::vector{*token} : std::vector<crypto::Token>();
}

/// Where answers can be: a superset, from the index.
Result<std::vector<SequenceRange>> candidates(ledger::Log& log, const Question& question) {
    const SequenceRange all = log.index().covered();
    std::vector<SequenceRange> where{all};
    const auto narrow = [&](ledger::Dimension dimension,
                            const std::vector<crypto::Token>& tokens) -> Status {
        where = both(where, TRY(find_any(log.index(), dimension, tokens, all)));
        return {};
    };
    if (!question.actor.empty())
        TRY_STATUS(narrow(ledger::Dimension::Actor, log.keys().known_actor_tokens(question.actor)));
    if (!question.patient.empty())
        TRY_STATUS(narrow(ledger::Dimension::Patient,
                          list_of(log.keys().known_patient_token(question.patient))));
    if (!question.object.empty())
        TRY_STATUS(narrow(ledger::Dimension::Object, list_of(log.keys().known_object_token(
                                                         question.patient, question.object))));
    if (question.since || question.until)
        where = both(where, log.index().sequences_in(question.since.value_or(WallTime{}),
                                                     question.until.value_or(WallTime::max())));
    return where;
}

/// An entry as it is shown: its event, or the reason why there is none.
struct Shown {
    std::uint64_t index;
    ledger::Header header;
    Result<event::Event> event;
};

/// Calls `show` for each entry of the ranges, in order, until it returns false. Reads each bundle
/// once.
Status for_each_entry_in(Context& context, ledger::Log& log, std::uint64_t size,
                         const std::vector<SequenceRange>& ranges,
                         const std::function<bool(const Shown&)>& show) {
    ledger::DirReader reader(context.disk, log.dir());
    ledger::Bundle bundle;
    std::optional<std::uint64_t> at;
    for (const SequenceRange& range : ranges) {
        for (std::uint64_t index = range.first; index < std::min(range.end, size); ++index) {
            const std::uint64_t number = index / ledger::kTileHashes;
            if (at != number) {
                const auto width = std::min<std::uint64_t>(ledger::kTileHashes,
                                                           size - number * ledger::kTileHashes);
                bundle =
                    TRY(ledger::read_bundle(reader, {number, static_cast<std::size_t>(width)}));
                at = number;
            }
            const ledger::EntryView view =
                TRY(ledger::parse_entry(bundle.entries[index % ledger::kTileHashes]));
            if (!show({index, view.header, log.keys().unseal(view, log.sources())})) return {};
        }
    }
    return {};
}

void print(Context& context, const Shown& shown) {
    if (context.json) {
        nlohmann::json line = {{"index", shown.index}};
        if (shown.event) {
            std::string event;
            event::print_line(*shown.event, event);
            line["event"] = nlohmann::json::parse(event);
        } else {
            line["type"] = event::name_of(shown.header.type);
            line["time"] = to_rfc3339(shown.header.time);
            line["erased"] = shown.event.error().code == Code::Erased;
        }
        context.out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        return;
    }
    context.out << fmt::format("{:>8}  {}  {:<20}", shown.index,
                               to_rfc3339(shown.header.time).substr(0, 19),
                               event::name_of(shown.header.type));
    if (!shown.event) {
        context.out << "  " << context.say(shown.event.error().what) << "\n";
        return;
    }
    const event::Event& event = *shown.event;
    const auto field = [&](const Text& label, const std::string& value) {
        if (!value.empty()) context.out << "  " << context.say(label) << " " << value;
    };
    field({"par", "by"}, event.actor.id.str());
    field({"patient", "patient"}, event.subject.patient.str());
    field({"objet", "object"}, event.subject.object.str());
    if (event.outcome != event::Outcome::Success)
        field({"échec", "failed"}, std::string(event::name_of(event.outcome)));
    context.out << "\n";
}

Result<int> tail(Context& context) {
    OpenLedger ledger = TRY(open_ledger(context));
    const std::uint64_t size = ledger.log->applied_size();
    const std::uint64_t count = std::min(size, context.values.number("--lines"));
    TRY_STATUS(log_reading(context, ledger, fmt::format("tail --lines {}", count)));
    TRY_STATUS(ledger.finish());
    TRY_STATUS(for_each_entry_in(context, *ledger.log, size, {{size - count, size}},
                                 [&](const Shown& shown) {
                                     print(context, shown);
                                     return true;
                                 }));
    return kExitOk;
}

Result<int> show(Context& context) {
    OpenLedger ledger = TRY(open_ledger(context));
    const std::uint64_t size = ledger.log->applied_size();
    const std::uint64_t index = context.values.number("INDEX");
    TRY_STATUS(log_reading(context, ledger, fmt::format("show {}", index)));
    TRY_STATUS(ledger.finish());
    ledger::DirReader reader(context.disk, ledger.log->dir());
    TRY(read_entry(reader, index, size));
    TRY_STATUS(for_each_entry_in(
        context, *ledger.log, size, {{index, index + 1}}, [&](const Shown& shown) {
            if (context.json || !shown.event) {
                print(context, shown);
                return true;
            }
            std::string event;
            event::print_line(*shown.event, event);
            context.out << nlohmann::json::parse(event).dump(
                               2, ' ', false, nlohmann::json::error_handler_t::replace)
                        << "\n";
            return true;
        }));
    return kExitOk;
}

/// Writes the proof that the answer about an actor is whole. One file per token, that is per
/// calendar year.
Status write_completeness(Context& context, OpenLedger& ledger, const Question& question,
                          SequenceRange range, const std::string& path) {
    ledger::DirReader reader(context.disk, ledger.log->dir());
    ledger::TileCache tiles(reader);
    const auto checkpoint = TRY(ledger::read_checkpoint(reader));
    const auto tokens = ledger.log->keys().known_actor_tokens(question.actor);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto proof = TRY(ledger::prove_completeness(ledger.log->index(), reader, tiles,
                                                          checkpoint, tokens[i], range));
        const std::string file = i == 0 ? path : fmt::format("{}.{}", path, i + 1);
        TRY_STATUS(context.disk.replace_file(file, proof.encode()));
        context.err << context.say({"preuve : ", "proof: "}) << file << "\n";
    }
    return {};
}

Result<int> query(Context& context) {
    const Question question = TRY(question_of(context));
    if (context.values.has("--proof") && question.actor.empty())
        return fail(Code::BadInput,
                    {"une preuve de complétude porte sur un acteur",
                     "a completeness proof is about an actor"},
                    {"ajoutez --actor", "add --actor"});
    if (!question.object.empty() && question.patient.empty())
        context.err << context.say(
            {"sans --patient, seuls les objets d'aucun patient sont cherchés\n",
             "without --patient, only objects of no patient are looked for\n"});
    OpenLedger ledger = TRY(open_ledger(context));
    const std::uint64_t size = ledger.log->applied_size();
    const auto where = TRY(candidates(*ledger.log, question));
    TRY_STATUS(log_reading(context, ledger, words_of(context, "query")));
    std::optional<SequenceRange> proven;
    if (context.values.has("--proof")) proven = TRY(ledger.log->flush_index());
    ledger::Snapshot snapshot = TRY(ledger.log->snapshot());
    TRY_STATUS(ledger.log->publish(snapshot, ledger.cosign));
    if (proven)
        TRY_STATUS(
            write_completeness(context, ledger, question, *proven, context.values.text("--proof")));
    std::uint64_t found = 0;
    TRY_STATUS(for_each_entry_in(context, *ledger.log, size, where, [&](const Shown& shown) {
        if (!shown.event || !question.matches(*shown.event)) return true;
        print(context, shown);
        return question.limit == 0 || ++found < question.limit;
    }));
    TRY_STATUS(ledger.log->close());
    return kExitOk;
}

Result<int> export_events(Context& context) {
    const Question question = TRY(question_of(context));
    auto exporter = TRY(Exporter::open(context));
    OpenLedger ledger = TRY(open_ledger(context));
    const std::uint64_t size = ledger.log->applied_size();
    const auto where = TRY(candidates(*ledger.log, question));
    TRY_STATUS(log_reading(context, ledger, words_of(context, "export")));
    TRY_STATUS(ledger.finish());
    Progress progress(context, {"entrées", "entries"}, size);
    Status written;
    TRY_STATUS(for_each_entry_in(context, *ledger.log, size, where, [&](const Shown& shown) {
        progress.at(shown.index);
        if (shown.event && question.matches(*shown.event))
            written = exporter->write(*shown.event, {ledger.log->origin(), shown.index});
        return written.has_value();
    }));
    TRY_STATUS(written);
    TRY_STATUS(exporter->close());
    return kExitOk;
}

std::vector<Parameter> question_options() {
    return {{.name = "--actor",
             .placeholder = "ID",
             .help = {"les actes de cette personne", "the acts of this person"}},
            {.name = "--patient",
             .placeholder = "ID",
             .help = {"les actes sur ce dossier", "the acts on this record"}},
            {.name = "--object",
             .placeholder = "REF",
             .help = {"les actes sur cet objet, par exemple Observation/42, avec --patient s'il "
                      "est d'un dossier",
                      "the acts on this object, for instance Observation/42, with --patient if it "
                      "is in a record"}},
            {.name = "--since",
             .placeholder = "TIME",
             .help = {"à partir de cette date ou heure (RFC 3339)",
                      "from this date or time on (RFC 3339)"}},
            {.name = "--until",
             .placeholder = "TIME",
             .help = {"avant cette date ou heure", "before this date or time"}},
            reader_option(),
            policy_option(),
            passphrase_file_option()};
}

const Text kReadingIsLogged{
    "Cette lecture est elle-même inscrite au journal, avant d'être montrée.",
    "This reading is itself written into the ledger, before it is shown."};

Command query_command() {
    std::vector<Parameter> options = question_options();
    options.push_back({.name = "--limit",
                       .placeholder = "N",
                       .kind = Kind::Number,
                       .help = {"au plus tant de réponses", "at most so many answers"},
                       .min = 1});
    options.push_back(
        {.name = "--proof",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"écrit aussi la preuve que la réponse sur un acteur est complète",
                  "also writes the proof that the answer about an actor is complete"}});
    return {
        .path = {"ledger", "query"},
        .summary = {"cherche des actes", "looks for acts"},
        .description = {"Par acteur, patient, objet et temps, à la fois. " + kReadingIsLogged.fr,
                        "By actor, patient, object and time, together. " + kReadingIsLogged.en},
        .options = std::move(options),
        .arguments = {ledger_argument()},
        .examples =
            {{"hygie ledger query /srv/ledger --patient 1234567 --since 2026-01-01",
              {"Qui a ouvert ce dossier cette année :", "Who opened this record this year:"}},
             {"hygie ledger query /srv/ledger --actor 899900000012 --proof actes.proof",
              {"Toutes les traces d'une personne, avec la preuve qu'il n'en manque aucune :",
               "All traces of a person, with the proof that none is missing:"}}},
        .run = query};
}

}  // namespace

std::vector<Command> ledger_read_commands() {
    std::vector<Parameter> export_options = question_options();
    for (Parameter& option : Exporter::options()) export_options.push_back(std::move(option));
    return {
        {.path = {"ledger", "tail"},
         .summary = {"montre les dernières entrées", "shows the last entries"},
         .description = kReadingIsLogged,
         .options = {{.name = "-n,--lines",
                      .placeholder = "N",
                      .kind = Kind::Number,
                      .help = {"combien", "how many"},
                      .by_default = "10"},
                     reader_option(),
                     policy_option(),
                     passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger tail /srv/ledger -n 50",
                       {"Les cinquante dernières :", "The last fifty:"}}},
         .run = tail},
        {.path = {"ledger", "show"},
         .summary = {"montre une entrée en entier", "shows one entry whole"},
         .description = kReadingIsLogged,
         .options = {reader_option(), policy_option(), passphrase_file_option()},
         .arguments = {ledger_argument(),
                       {.name = "INDEX",
                        .kind = Kind::Number,
                        .help = {"son indice", "its index"},
                        .required = true}},
         .examples = {{"hygie ledger show /srv/ledger 42",
                       {"La quarante-troisième entrée :", "The forty-third entry:"}}},
         .run = show},
        query_command(),
        {.path = {"ledger", "export"},
         .summary = {"copie des entrées vers un autre système", "copies entries to another system"},
         .description = {"Vers un fichier ou un collecteur syslog. " + kReadingIsLogged.fr,
                         "To a file or a syslog collector. " + kReadingIsLogged.en},
         .options = std::move(export_options),
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger export /srv/ledger --format balp -o audit.ndjson",
                       {"Des AuditEvent FHIR (IHE BALP), un par ligne :",
                        "FHIR AuditEvents (IHE BALP), one per line:"}},
                      {"hygie ledger export /srv/ledger --format atna --to 192.0.2.7:6514 --ca "
                       "collector.pem",
                       {"Vers un collecteur ATNA, par syslog sous TLS :",
                        "To an ATNA collector, by syslog over TLS:"}}},
         .run = export_events}};
}

}  // namespace hygie::app
