#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/ledger/ledger_desk.h"
#include "app/line/commands.h"
#include "app/line/progress.h"
#include "base/counted.h"
#include "base/limits.h"
#include "host/wall_time.h"
#include "ledger/log/signer.h"
#include "ledger/proofs/completeness.h"
#include "ledger/proofs/tlog_proof.h"
#include "ledger/proofs/verifier.h"

namespace hygie::app {
namespace {

constexpr std::size_t kPinBytesMax = 1 << 20;
constexpr char kEvidenceSuffix[] = ".fork";
constexpr char kCountersSuffix[] = ".counters";

bool is_url(const std::string& place) {
    return place.starts_with("http://") || place.starts_with("https://");
}

std::unique_ptr<ledger::LogReader> reader_at(Context& context, const std::string& place) {
    if (is_url(place)) return std::make_unique<ledger::HttpReader>(context.fetch, place);
    return std::make_unique<ledger::DirReader>(context.disk, place);
}

/// The policy to judge by: --policy, --key, or else the log's own word for its key.
Result<ledger::Policy> policy_for(Context& context, ledger::LogReader* log) {
    if (context.values.has("--policy"))
        return read_policy(context, context.values.text("--policy"));
    if (context.values.has("--key"))
        return ledger::Policy::trusting(
            TRY(ledger::VerifierKey::parse(context.values.text("--key"))));
    const auto own = log ? ledger::read_verifier_keys(*log) : fail(Code::NotFound, {}, {});
    if (!own)
        return fail(Code::BadInput, {"à quelle clé se fier ?", "which key is to be trusted?"},
                    {"donnez --policy FICHIER ou --key CLÉ", "give --policy FILE or --key KEY"});
    context.err << context.say(
        {"sans --policy ni --key, le journal est cru sur sa propre clé : un administrateur "
         "malhonnête passerait\n",
         "without --policy or --key the log is believed on its own key: a dishonest administrator "
         "would pass\n"});
    return ledger::Policy::trusting(own->back());
}

Result<ledger::Moment> moment_of(Context& context) {
    ledger::Moment moment{context.clock.now(), {}};
    if (context.values.has("--max-age")) moment.max_age = context.values.duration("--max-age");
    return moment;
}

/// Takes up the pin of an earlier audit, if there is one.
Status take_pin(Context& context, const std::string& path, ledger::VerifyOptions& options) {
    if (!context.disk.exists(path)) return {};
    const Bytes note = TRY(context.disk.read_file(path, ledger::kNoteBytesMax));
    options.pin = TRY(ledger::SignedCheckpoint::parse(as_text(note)));
    if (context.disk.exists(path + kCountersSuffix)) {
        const Bytes counters = TRY(context.disk.read_file(path + kCountersSuffix, kPinBytesMax));
        options.pin_counters =
            TRY(ledger::parse_counters(as_text(counters), options.pin->checkpoint));
    }
    if (!context.values.flag("--full")) options.scope = ledger::VerifyOptions::Scope::SincePin;
    return {};
}

Status keep_pin(Context& context, const std::string& path, const ledger::Report& report) {
    // The counters first: a pin without them only makes the next audit a little blinder.
    const std::string counters =
        ledger::encode_counters(report.checkpoint.checkpoint, report.counters);
    TRY_STATUS(context.disk.replace_file(path + kCountersSuffix, as_bytes(counters)));
    return context.disk.replace_file(path, as_bytes(report.checkpoint.encode()));
}

/// Two signed checkpoints that cannot both be true are kept: they convict whoever signed them.
void keep_fork(Context& context, const ledger::ForkEvidence& fork) {
    const std::string path =
        (context.values.has("--pin") ? context.values.text("--pin") : "hygie") + kEvidenceSuffix;
    const std::string both = fork.pinned.encode() + "\n" + fork.served.encode();
    if (context.disk.replace_file(path, as_bytes(both)))
        context.err << context.say({"les deux points de contrôle contradictoires sont gardés dans ",
                                    "the two contradictory checkpoints are kept in "})
                    << path << "\n";
}

void print(Context& context, const ledger::Report& report, const ledger::Policy& policy,
           std::uint64_t commitments) {
    const ledger::Checkpoint& checkpoint = report.checkpoint.checkpoint;
    if (context.json) {
        nlohmann::json witnesses = nlohmann::json::array();
        for (const auto& cosigner : report.endorsement.cosigners)
            witnesses.push_back(
                {{"name", policy.witnesses()[cosigner.witness].name}, {"time", cosigner.time}});
        context.out << nlohmann::json{{"ok", true},
                                      {"origin", checkpoint.origin},
                                      {"size", checkpoint.size},
                                      {"root", to_base64(checkpoint.root)},
                                      {"first", report.first},
                                      {"entries_checked", report.entries_checked},
                                      {"entries_absent", report.entries_absent},
                                      {"tiles_checked", report.tiles_checked},
                                      {"index_commitments_checked", commitments},
                                      {"witnesses", witnesses}}
                           .dump()
                    << "\n";
        return;
    }
    context.out << fmt::format("{} {}: {}\n", context.say({"vérifié", "verified"}),
                               checkpoint.origin, to_base64(checkpoint.root));
    context.out << context.say(
        counted({"  {} [entrée|entrées], {} [relue|relues] depuis l'entrée {}, {} [tuile "
                 "refaite|tuiles refaites]\n",
                 "  {} [entry|entries], {} read again from entry {} on, {} [tile|tiles] made "
                 "again\n"},
                {checkpoint.size, report.entries_checked, report.first, report.tiles_checked}));
    if (commitments > 0)
        context.out << context.say(
            counted({"  {} [engagement|engagements] de l'index [refait|refaits]\n",
                     "  {} index [commitment|commitments] made again\n"},
                    {commitments}));
    if (report.entries_absent > 0)
        context.out << context.say(
            counted({"  {} [entrée élaguée : prouvée|entrées élaguées : prouvées], sans contenu\n",
                     "  {} [entry|entries] pruned: proven, without content\n"},
                    {report.entries_absent}));
    for (const auto& cosigner : report.endorsement.cosigners)
        context.out << fmt::format("  {} {} ({})\n", context.say({"témoin", "witness"}),
                                   policy.witnesses()[cosigner.witness].name,
                                   to_person(WallTime(std::chrono::seconds(cosigner.time))));
}

Result<int> verify(Context& context) {
    const std::string& place = context.values.text("DIR|URL");
    const auto reader = reader_at(context, place);
    const ledger::Policy policy = TRY(policy_for(context, reader.get()));
    ledger::VerifyOptions options;
    options.moment = TRY(moment_of(context));
    options.threads = static_cast<unsigned>(context.values.number("--threads"));
    options.minimum_index = TRY(ledger::read_minimum_index(*reader));
    if (context.values.flag("--opaque")) options.entries = ledger::VerifyOptions::Entries::Opaque;
    if (context.values.has("--pin"))
        TRY_STATUS(take_pin(context, context.values.text("--pin"), options));
    Progress progress(context, {"entrées", "entries"}, 0);
    options.on_progress = [&](std::uint64_t done, std::uint64_t) { progress.at(done); };
    options.on_fork = [&](const ledger::ForkEvidence& fork) { keep_fork(context, fork); };
    const ledger::Report report = TRY(ledger::verify_log(*reader, policy, options));
    std::uint64_t commitments = 0;
    if (options.entries == ledger::VerifyOptions::Entries::Hygie &&
        !context.values.flag("--no-index"))
        commitments = TRY(ledger::check_commitments(
            *reader, report.first, report.checkpoint.checkpoint.size, options.minimum_index));
    if (context.values.has("--pin"))
        TRY_STATUS(keep_pin(context, context.values.text("--pin"), report));
    print(context, report, policy, commitments);
    return kExitOk;
}

Result<int> prove(Context& context) {
    const std::string& place = context.values.text("DIR|URL");
    const std::uint64_t index = context.values.number("INDEX");
    const auto reader = reader_at(context, place);
    const ledger::SignedCheckpoint checkpoint = TRY(ledger::read_checkpoint(*reader));
    const std::uint64_t size = checkpoint.checkpoint.size;
    const Bytes entry = TRY(read_entry(*reader, index, size));
    ledger::TileCache tiles(*reader);
    ledger::TileHashes hashes(tiles, size);
    const ledger::Proof path = TRY(ledger::prove_inclusion(hashes, index, size));
    const ledger::TlogProof proof{entry, index, path, checkpoint};
    const std::string text = proof.encode();
    if (context.values.text("--output") == "-")
        context.out << text;
    else
        TRY_STATUS(context.disk.replace_file(context.values.text("--output"), as_bytes(text)));
    return kExitOk;
}

Result<int> check_inclusion(Context& context, const ledger::Policy& policy, std::string_view text) {
    const ledger::TlogProof proof = TRY(ledger::TlogProof::parse(text));
    Bytes entry;
    if (context.values.has("--entry"))
        entry = TRY(context.disk.read_file(context.values.text("--entry"), limits::kEntryBytesMax));
    else if (proof.extra)
        entry = *proof.extra;
    else
        return fail(Code::BadInput,
                    {"cette preuve ne porte pas son entrée", "this proof does not carry its entry"},
                    {"donnez l'entrée avec --entry FICHIER", "give the entry with --entry FILE"});
    const auto endorsement =
        TRY(ledger::verify_proof(entry, proof, policy, TRY(moment_of(context))));
    if (context.json)
        context.out << nlohmann::json{{"ok", true},
                                      {"origin", proof.checkpoint.checkpoint.origin},
                                      {"index", proof.index},
                                      {"size", proof.checkpoint.checkpoint.size},
                                      {"witnesses", endorsement.cosigners.size()}}
                           .dump()
                    << "\n";
    else
        context.out << fmt::format(
            fmt::runtime(context.say(
                {"prouvé : l'entrée {} est dans {} ({})\n", "proven: entry {} is in {} ({})\n"})),
            proof.index, proof.checkpoint.checkpoint.origin,
            context.say(counted({"{} [témoin|témoins]", "{} [witness|witnesses]"},
                                {endorsement.cosigners.size()})));
    return kExitOk;
}

Result<int> check_complete(Context& context, const ledger::Policy& policy, ByteView bytes) {
    const auto proof = TRY(ledger::CompletenessProof::decode(bytes));
    const auto answer = TRY(ledger::check_completeness(proof, policy, TRY(moment_of(context))));
    if (context.json) {
        context.out << nlohmann::json{{"ok", true},
                                      {"actor", to_hex(answer.actor)},
                                      {"first", answer.range.first},
                                      {"end", answer.range.end},
                                      {"entries", answer.entries}}
                           .dump()
                    << "\n";
        return kExitOk;
    }
    context.out << fmt::format(
        fmt::runtime(context.say({"prouvé : {} de l'acteur {} entre {} et {}, aucune ne manque\n",
                                  "proven: {} of actor {} between {} and {}, none is missing\n"})),
        context.say(counted({"{} [trace|traces]", "{} [trace|traces]"}, {answer.entries.size()})),
        to_hex(answer.actor), answer.range.first, answer.range.end);
    return kExitOk;
}

Result<int> check_proof(Context& context) {
    const auto log =
        context.values.has("--log") ? reader_at(context, context.values.text("--log")) : nullptr;
    const ledger::Policy policy = TRY(policy_for(context, log.get()));
    const std::string& path = context.values.text("FILE");
    const Bytes bytes = TRY(context.disk.read_file(path, TRY(context.disk.file_size(path))));
    if (as_text(bytes).starts_with(ledger::kCompletenessMagic))
        return check_complete(context, policy, bytes);
    return check_inclusion(context, policy, as_text(bytes));
}

Parameter place_argument() {
    return {.name = "DIR|URL",
            .kind = Kind::Dir,
            .help = {"le dossier du journal, ou l'adresse où il est servi",
                     "the ledger's folder, or where it is served"},
            .required = true};
}

std::vector<Parameter> trust_options() {
    return {policy_option(),
            {.name = "--key",
             .placeholder = "VKEY",
             .help = {"la clé de vérification du journal, sans témoin",
                      "the ledger's verifier key, without witnesses"}},
            {.name = "--max-age",
             .placeholder = "DURATION",
             .kind = Kind::Duration,
             .help = {"refuse un quorum de témoins plus ancien",
                      "refuses a quorum of witnesses older than this"}}};
}

Command verify_command() {
    std::vector<Parameter> options = trust_options();
    options.push_back({.name = "--pin",
                       .placeholder = "FILE",
                       .kind = Kind::File,
                       .help = {"le point de contrôle de la dernière vérification : seul ce qui "
                                "suit est relu, puis il "
                                "avance ; créé s'il manque",
                                "the checkpoint of the last verification: only what follows is "
                                "read, then it moves on; "
                                "made when absent"}});
    options.push_back({.name = "--full",
                       .kind = Kind::Flag,
                       .help = {"relit tout malgré --pin", "reads everything in spite of --pin"}});
    options.push_back({.name = "--no-index",
                       .kind = Kind::Flag,
                       .help = {"ne refait pas les engagements de l'index",
                                "does not make the index commitments again"}});
    options.push_back({.name = "--threads",
                       .placeholder = "N",
                       .kind = Kind::Number,
                       .help = {"processeurs à occuper", "processors to use"},
                       .by_default = "2",
                       .min = 1,
                       .max = 64});
    options.push_back({.name = "--opaque",
                       .kind = Kind::Flag,
                       .help = {"le journal d'un autre programme : n'ouvre pas les entrées",
                                "another program's log: entries are not looked into"}});
    return {.path = {"ledger", "verify"},
            .summary = {"refait tous les calculs et dit si le journal est vrai",
                        "makes every calculation again and says whether the ledger is true"},
            .description =
                {"Signature, témoins, chaque entrée, chaque tuile, la racine, les compteurs de "
                 "chaque source, et "
                 "la continuité depuis --pin. Termine par 1 si quoi que ce soit ne tient pas.",
                 "Signature, witnesses, every entry, every tile, the root, the counters of each "
                 "source, and "
                 "continuity since --pin. Ends with 1 if anything does not hold."},
            .options = std::move(options),
            .arguments = {place_argument()},
            .examples =
                {{"hygie ledger verify /srv/ledger --policy group.policy --pin my.pin --max-age 1h",
                  {"L'audit de tous les jours :", "The audit of every day:"}},
                 {"hygie ledger verify https://ledger.example/ --key cabinet.example+d98d6014+Adk=",
                  {"De l'extérieur, avec la seule clé :", "From outside, with the key alone:"}}},
            .run = verify};
}

}  // namespace

std::vector<Command> ledger_verify_commands() {
    std::vector<Parameter> check_options = trust_options();
    check_options.push_back({.name = "--log",
                             .placeholder = "DIR",
                             .kind = Kind::Dir,
                             .help = {"à défaut de politique : croire la clé de ce dossier",
                                      "without a policy: believe the key of this folder"}});
    check_options.push_back({.name = "--entry",
                             .placeholder = "FILE",
                             .kind = Kind::File,
                             .help = {"l'entrée, si la preuve ne la porte pas",
                                      "the entry, if the proof does not carry it"}});
    return {verify_command(),
            {.path = {"ledger", "prove"},
             .summary = {"écrit la preuve qu'une entrée est au journal",
                         "writes the proof that an entry is in the ledger"},
             .description = {"Un fichier tlog-proof (C2SP) qui se vérifie hors ligne, avec "
                             "l'entrée elle-même dans sa "
                             "ligne extra : la pièce à produire.",
                             "A tlog-proof file (C2SP) that is verified off line, with the entry "
                             "itself in its extra "
                             "line: the exhibit to hand over."},
             .options = {{.name = "-o,--output",
                          .placeholder = "FILE",
                          .kind = Kind::File,
                          .help = {"le fichier de preuve", "the proof's file"},
                          .by_default = "-"}},
             .arguments = {place_argument(),
                           {.name = "INDEX",
                            .kind = Kind::Number,
                            .help = {"l'indice de l'entrée", "the entry's index"},
                            .required = true}},
             .examples = {{"hygie ledger prove /srv/ledger 42 -o entry-42.tlog-proof",
                           {"La preuve de l'entrée 42 :", "The proof of entry 42:"}}},
             .run = prove},
            {.path = {"ledger", "check-proof"},
             .summary = {"vérifie une preuve, hors ligne", "checks a proof, off line"},
             .description = {"Preuve d'inclusion (prove) ou de complétude (query --proof). Ne "
                             "demande que la politique ou "
                             "la clé du journal.",
                             "A proof of inclusion (prove) or of completeness (query --proof). "
                             "Asks for nothing but the "
                             "policy or the ledger's key."},
             .options = std::move(check_options),
             .arguments = {{.name = "FILE",
                            .kind = Kind::File,
                            .help = {"la preuve", "the proof"},
                            .required = true}},
             .examples = {{"hygie ledger check-proof entry-42.tlog-proof --policy group.policy",
                           {"Sans réseau ni journal :", "With neither network nor ledger:"}}},
             .run = check_proof}};
}

}  // namespace hygie::app
