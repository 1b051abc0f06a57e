#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "app/ledger/ledger_desk.h"
#include "app/ledger/ledger_export.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "app/line/progress.h"
#include "event/ndjson.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

Result<Question> question_of(Context& context, Question::Kind kind) {
    const Values& values = context.values;
    const auto text = [&](std::string_view name) {
        return values.has(name) ? values.text(name) : std::string();
    };
    const auto since = TRY(time_option(context, "--since"));
    const auto until = TRY(time_option(context, "--until"));
    return Question{.kind = kind,
                    .actor = ActorId(text("--actor")),
                    .patient = PatientId(text("--patient")),
                    .object = ObjectId(text("--object")),
                    .since = since,
                    .until = until};
}

/// Calls `show` for each answer, in order, until it returns false.
Status for_each_answer(Reading& reading, const std::function<bool(const Shown&)>& show) {
    for (bool is_last = false; !is_last;) {
        const Answers answers = TRY(reading.next());
        for (const Shown& shown : answers.entries)
            if (!show(shown)) return {};
        is_last = answers.is_last;
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
            line["type"] = event::name_of(shown.type);
            line["time"] = to_rfc3339(shown.time);
            line["erased"] = shown.event.error().code == Code::Erased;
        }
        context.out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        return;
    }
    context.out << fmt::format("{:>8}  {}  {:<20}", shown.index, to_person(shown.time),
                               event::name_of(shown.type));
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

void print_whole(Context& context, const Shown& shown) {
    if (context.json || !shown.event) return print(context, shown);
    std::string event;
    event::print_line(*shown.event, event);
    context.out << nlohmann::json::parse(event).dump(2, ' ', false,
                                                     nlohmann::json::error_handler_t::replace)
                << "\n";
}

/// Asks about entries as such, and shows each.
Result<int> show_entries(Context& context, const Question& question,
                         void (*show)(Context&, const Shown&)) {
    const auto clerk = TRY(open_clerk(context));
    const auto reading = TRY(clerk->read(reader_of(context), question));
    TRY_STATUS(for_each_answer(*reading, [&](const Shown& shown) {
        show(context, shown);
        return true;
    }));
    TRY_STATUS(clerk->close());
    return kExitOk;
}

Result<int> tail(Context& context) {
    return show_entries(
        context, {.kind = Question::Kind::Tail, .number = context.values.number("--lines")}, print);
}

Result<int> show(Context& context) {
    return show_entries(context,
                        {.kind = Question::Kind::Show, .number = context.values.number("INDEX")},
                        print_whole);
}

/// Writes the proofs that the answer about an actor is whole: one file per calendar year.
Status write_proofs(Context& context, const std::vector<Bytes>& proofs, const std::string& path) {
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        const std::string file = i == 0 ? path : fmt::format("{}.{}", path, i + 1);
        TRY_STATUS(context.disk.replace_file(file, proofs[i]));
        context.err << context.say({"preuve : ", "proof: "}) << file << "\n";
    }
    return {};
}

Result<int> query(Context& context) {
    Question question = TRY(question_of(context, Question::Kind::Query));
    question.proof = context.values.has("--proof");
    if (question.proof && question.actor.empty())
        return fail(Code::BadInput,
                    {"une preuve de complétude porte sur un acteur",
                     "a completeness proof is about an actor"},
                    {"ajoutez --actor", "add --actor"});
    if (!question.object.empty() && question.patient.empty())
        context.err << context.say(
            {"sans --patient, seuls les objets d'aucun patient sont cherchés\n",
             "without --patient, only objects of no patient are looked for\n"});
    const auto clerk = TRY(open_clerk(context));
    const auto reading = TRY(clerk->read(reader_of(context), question));
    if (question.proof)
        TRY_STATUS(write_proofs(context, reading->proofs, context.values.text("--proof")));
    const std::uint64_t limit =
        context.values.has("--limit") ? context.values.number("--limit") : 0;
    std::uint64_t found = 0;
    TRY_STATUS(for_each_answer(*reading, [&](const Shown& shown) {
        print(context, shown);
        return ++found != limit;
    }));
    TRY_STATUS(clerk->close());
    return kExitOk;
}

Result<int> export_events(Context& context) {
    const Question question = TRY(question_of(context, Question::Kind::Export));
    const auto exporter = TRY(Exporter::open(context));
    const auto clerk = TRY(open_clerk(context));
    const auto reading = TRY(clerk->read(reader_of(context), question));
    Progress progress(context, {"entrées", "entries"}, reading->size);
    Status written;
    TRY_STATUS(for_each_answer(*reading, [&](const Shown& shown) {
        progress.at(shown.index);
        written = exporter->write(*shown.event, {reading->origin, shown.index});
        return written.has_value();
    }));
    TRY_STATUS(written);
    TRY_STATUS(exporter->close());
    TRY_STATUS(clerk->close());
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
