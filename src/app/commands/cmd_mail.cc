#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_mail.h"
#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "app/line/context.h"
#include "guards/mail/judge/judge.h"
#include "guards/mail/judge/known_bad.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/model/learned.h"
#include "guards/mail/model/model.h"
#include "guards/mail/twins/twin_press.h"

namespace hygie::app {
namespace {

constexpr std::size_t kSideCarBytesMax = 1U << 20;
constexpr std::size_t kHistoryBytesMax = 256U << 20;

Result<std::string> read_text(Context& context, const std::string& path, std::size_t size_max) {
    const Bytes bytes = TRY(context.disk.read_file(path, size_max));
    return std::string(as_text(bytes));
}

/// What the house's clicks taught, when --learned names where it lies.
Result<mail::Learned> read_learned(Context& context) {
    if (!context.values.has("--learned")) return mail::Learned{};
    const std::string& dir = context.values.text("--learned");
    const crypto::RootKey root = TRY(unlock(context, join(dir, "root.hyk")));
    return mail::open_learned(context.disk, dir, root.domain(mail::kLearnedKeyDomain));
}

/// "a/b.eml" → "a/b.json"
std::string side_car_of(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    const bool has_extension = dot != std::string::npos && path.find('/', dot) == std::string::npos;
    return (has_extension ? path.substr(0, dot) : path) + ".json";
}

Result<mail::Envelope> read_envelope(Context& context, const std::string& message_path) {
    std::string path;
    if (context.values.has("--envelope"))
        path = context.values.text("--envelope");
    else if (message_path != "-" && context.disk.exists(side_car_of(message_path)))
        path = side_car_of(message_path);
    if (path.empty()) return mail::Envelope{};
    return mail::parse_envelope(TRY(read_text(context, path, kSideCarBytesMax)));
}

Result<std::string> read_message(Context& context, const std::string& path) {
    if (path != "-") return read_text(context, path, mail::kMessageBytesMax);
    std::string bytes(mail::kMessageBytesMax + 1, '\0');
    context.in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(context.in.gcount()));
    return bytes;
}

Result<mail::Judgement> judge_one(Context& context, const std::string& path,
                                  const mail::History& history, const mail::Scorer& model) {
    const std::string bytes = TRY(read_message(context, path));
    const mail::Envelope envelope = TRY(read_envelope(context, path));
    const mail::Message message = TRY(mail::parse_message(bytes));
    const mail::Reading reading = mail::read_evidence(message, envelope, history);
    mail::Judgement judgement = mail::judge(message, reading, model);
    mail::apply_known_bad(judgement, reading.evidence);
    if (const auto name = mail::Clamd(mail_scanner_socket(context)).look(bytes, context.clock))
        mail::make_malicious(
            judgement, mail::KnownBy::Scanner, *name,
            message.attachments.empty() ? std::string() : message.attachments.front().name);
    return judgement;
}

void print(Context& context, const std::string& path, const mail::Judgement& judgement) {
    context.out << (context.json ? mail::to_json(path, judgement) + "\n"
                                 : mail::to_words(path, judgement, context.lang));
}

/// The messages that are meant: those of a directory in its place.
std::vector<std::string> messages_of(Context& context, const std::vector<std::string>& given) {
    std::vector<std::string> paths;
    for (const std::string& path : given) {
        const Result<std::vector<DirEntry>> listing =
            path == "-" ? Result<std::vector<DirEntry>>(fail(Code::NotFound, {}, {}))
                        : context.disk.list(path);
        if (!listing) {
            paths.push_back(path);
            continue;
        }
        for (const DirEntry& entry : *listing)
            if (!entry.is_dir && !entry.name.ends_with(".json") && !entry.name.ends_with(".csv") &&
                !entry.name.starts_with('.'))
                paths.push_back(join(path, entry.name));
    }
    return paths;
}

void tell_unread(Context& context, const std::string& path, const Error& error) {
    if (context.json) {
        const nlohmann::json line = {
            {"file", path},
            {"error", {{"what", context.say(error.what)}, {"remedy", context.say(error.remedy)}}}};
        context.err << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        return;
    }
    context.err << path << context.say({" : ", ": "}) << context.say(error.what) << "\n";
}

/// One that cannot be read is said on the error stream and does not stop the others.
int judge_all(Context& context, const std::vector<std::string>& paths, const mail::History& history,
              const mail::Scorer& model) {
    int code = kExitOk;
    for (const std::string& path : paths) {
        const Result<mail::Judgement> judgement = judge_one(context, path, history, model);
        if (judgement) {
            print(context, path, *judgement);
            continue;
        }
        tell_unread(context, path, judgement.error());
        code = kExitFailed;
    }
    return code;
}

Result<int> run_judge(Context& context) {
    TRY_STATUS(use_mail_rules(context));
    const mail::History history = TRY(read_history(context));
    const mail::Learned learned = TRY(read_learned(context));
    const mail::Scorer model = mail::scorer_of(mail::shipped_model(), learned);
    const std::vector<std::string>& given = context.values.list("MESSAGE");
    const std::vector<std::string> paths = messages_of(context, given);
    if (paths.empty())
        return fail(Code::NotFound, {"il n'y a aucun message là", "there is no message there"},
                    {"donnez des messages (.eml) ou le dossier qui les contient",
                     "give messages (.eml) or the folder that holds them"});
    if (given.size() > 1 || paths != given) return judge_all(context, paths, history, model);
    print(context, given.front(), TRY(judge_one(context, given.front(), history, model)));
    return kExitOk;
}

Command judge_command() {
    return {
        .path = {"mail", "judge"},
        .summary = {"juge un message et dit pourquoi", "judges a message and says why"},
        .description =
            {"Lit des messages, des dossiers de messages, ou « - » pour l'entrée. L'enveloppe est "
             "prise "
             "dans X.json à côté de X.eml si elle y est. Rien n'est envoyé ni demandé au réseau ; "
             "les pièces jointes sont lues dans un processus isolé.\n\nSortie : 0 quand tout a été "
             "jugé, quel que soit le verdict ; 1 quand un message n'a pas pu être lu.",
             "Reads messages, directories of messages, or '-' for the input. The envelope is "
             "taken "
             "from X.json beside X.eml when it is there. Nothing is sent to or asked from the "
             "network; attachments are read in a sandboxed process.\n\nExit: 0 when all was "
             "judged, "
             "whatever the verdict; 1 when a message could not be read."},
        .options =
            {{.name = "--envelope",
              .placeholder = "FILE",
              .kind = Kind::File,
              .help = {"enveloppe en JSON : {helo, client_ip, mail_from, rcpt_to, spf, dkim, "
                       "dmarc}",
                       "envelope as JSON: {helo, client_ip, mail_from, rcpt_to, spf, dkim, "
                       "dmarc}"}},
             mail_history_option(),
             {.name = "--learned",
              .placeholder = "DIR",
              .kind = Kind::Dir,
              .help = {"ce que « hygie mail learn » a appris là, avec sa clé",
                       "what 'hygie mail learn' learned there, with its key"}},
             mail_rules_option(),
             mail_clamd_option(),
             passphrase_file_option()},
        .arguments = {{.name = "MESSAGE",
                       .kind = Kind::File,
                       .help = {"des messages, des dossiers, ou -", "messages, directories, or -"},
                       .required = true,
                       .many = true}},
        .examples = {{"hygie mail judge message.eml",
                      {"Savoir ce que vaut un message, et pourquoi :",
                       "Know what a message is worth, and why:"}},
                     {"hygie --json mail judge mails/ --history memory.json",
                      {"Un objet JSON par message :", "One JSON object per message:"}}},
        .run = run_judge};
}

}  // namespace

Parameter mail_seed_option() {
    return {
        .name = "--seed",
        .placeholder = "N",
        .kind = Kind::Number,
        .help = {"le même nombre donne les mêmes messages", "the same number, the same messages"},
        .by_default = "1"};
}

Parameter mail_authors_option() {
    return {.name = "--authors",
            .placeholder = "ABC",
            .help = {"les auteurs de modèles à employer, de A à X, Z et de 1 à 3",
                     "the template authors to use, from A to X, Z and 1 to 3"},
            .by_default = std::string(mail::kTwinAuthors)};
}

Parameter mail_history_option() {
    return {.name = "--history",
            .placeholder = "FILE",
            .kind = Kind::File,
            .help = {"ce que l'établissement sait de son courrier, un fichier JSON ou un dossier",
                     "what the organisation knows of its mail, a JSON file or a directory"}};
}

/// One file of a memory. What it says under names that mean nothing is told: a misspelt "ibans"
/// would leave the house without the IBANs that it believes known.
Result<mail::History> read_history_file(Context& context, const std::string& path) {
    mail::History history =
        TRY(mail::parse_history(TRY(read_text(context, path, kHistoryBytesMax))));
    for (const std::string& name : history.unknown_names)
        context.err << context.say(
            {fmt::format("attention : {} : « {} » ne dit rien à la garde du courrier ; voyez "
                         "FORMAT.md, « history »\n",
                         path, name),
             fmt::format("warning: {}: '{}' means nothing to the mail guard; see FORMAT.md, "
                         "'history'\n",
                         path, name)});
    return history;
}

Result<mail::History> read_history(Context& context) {
    if (!context.values.has("--history")) return mail::History{};
    const std::string& path = context.values.text("--history");
    const Result<std::vector<DirEntry>> listing = context.disk.list(path);
    if (!listing) return read_history_file(context, path);
    std::vector<mail::History> parts;
    for (const DirEntry& entry : *listing) {
        if (entry.is_dir || !entry.name.ends_with(".json")) continue;
        parts.push_back(TRY(read_history_file(context, join(path, entry.name))));
    }
    return mail::merge(std::move(parts));
}

std::vector<Command> mail_commands() {
    return {judge_command()};
}

}  // namespace hygie::app
