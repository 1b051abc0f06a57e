#include <nlohmann/json.hpp>

#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "app/line/event_lines.h"
#include "base/limits.h"
#include "event/ndjson.h"
#include "event/sample.h"
#include "ledger/log/layout.h"
#include "ledger/log/signer.h"

namespace hygie::app {
namespace {

bool opens_by_itself(const Context& context) {
    return context.values.text("--seal") == "key-file" && !context.values.has("--key-file");
}

Result<int> print_key(Context& context, const std::vector<ledger::VerifierKey>& keys) {
    if (context.json) {
        nlohmann::json all = nlohmann::json::array();
        for (const auto& key : keys) all.push_back(key.str());
        context.out << nlohmann::json{{"origin", keys.back().name},
                                      {"key", keys.back().str()},
                                      {"epochs", all}}
                           .dump()
                    << "\n";
        return kExitOk;
    }
    context.out << keys.back().str() << "\n";
    return kExitOk;
}

Result<int> init(Context& context) {
    const std::string& dir = context.values.text("DIR");
    TRY(create_ledger(context, dir, context.values.text("--origin"),
                      [&]() -> Result<crypto::Sealing> {
                          if (opens_by_itself(context)) return sealing_beside();
                          return new_sealing(context);
                      }));
    if (opens_by_itself(context))
        context.err << context.say(
            {"La clé racine s'ouvre avec private/root.key, dans le même dossier : qui lit le "
             "disque lit tout.\n"
             "Mettez-la sous phrase de passe, systemd ou TPM avec « hygie key seal ».\n",
             "The root key opens with private/root.key, in the same folder: who reads the disk "
             "reads all.\n"
             "Put it under a passphrase, systemd or TPM with 'hygie key seal'.\n"});
    return print_key(context, TRY(own_keys(context, dir)));
}

Result<int> key(Context& context) {
    return print_key(context, TRY(own_keys(context, context.values.text("DIR"))));
}

Result<int> sample(Context& context) {
    event::Sampler sampler(context.values.number("--seed"));
    const std::uint64_t count = context.values.number("N");
    std::string lines;
    for (std::uint64_t i = 0; i < count && context.out; ++i) {
        event::print_line(sampler.next(), lines);
        lines.push_back('\n');
        if (lines.size() < (64 << 10)) continue;
        context.out << lines;
        lines.clear();
    }
    context.out << lines;
    return kExitOk;
}

/// Appends lines batch by batch and prints the index of each once it is durable.
class LineAppender final : public LineTaker {
  public:
    LineAppender(Context& context, Clerk& clerk) : context_(context), clerk_(clerk) {}

    Status take(std::uint64_t line, const event::Event& event) override {
        drafts_.push_back(TRY(ledger::draft_of(event)));
        bytes_ += drafts_.back().body.size();
        numbers_.push_back(line);
        return {};
    }

    bool is_full() const override {
        return drafts_.size() >= kAppendDraftsMax ||
               bytes_ + limits::kEventBytesMax > kAppendBytesMax;
    }

    Status flush() override {
        if (drafts_.empty()) return {};
        const auto sequences = TRY(clerk_.append(std::exchange(drafts_, {})));
        for (std::size_t i = 0; i < sequences.size(); ++i) print(numbers_[i], sequences[i]);
        context_.out << std::flush;
        numbers_.clear();
        bytes_ = 0;
        return {};
    }

  private:
    void print(std::uint64_t line, std::optional<std::uint64_t> sequence) {
        if (context_.json) {
            nlohmann::json answer = {{"line", line}};
            if (sequence)
                answer["index"] = *sequence;
            else
                answer["duplicate"] = true;
            context_.out << answer.dump() << "\n";
        } else if (sequence) {
            context_.out << *sequence << "\n";
        } else {
            context_.out << context_.say({"déjà là\n", "duplicate\n"});
        }
    }

    Context& context_;
    Clerk& clerk_;
    std::vector<ledger::Draft> drafts_;
    std::size_t bytes_ = 0;               ///< of their bodies
    std::vector<std::uint64_t> numbers_;  ///< line of each draft
};

Result<int> append(Context& context) {
    const auto clerk = TRY(open_clerk(context));
    LineAppender lines(context, *clerk);
    const event::LineOrigin origin{context.clock, context.random,
                                   SourceId(context.values.text("--source")),
                                   NodeId(context.process.host_name())};
    const Status appended = read_event_lines(context, origin, lines);
    const Status closed = clerk->close();
    TRY_STATUS(appended);
    TRY_STATUS(closed);
    return kExitOk;
}

Command init_command() {
    std::vector<Parameter> options{
        {.name = "--origin",
         .placeholder = "NAME",
         .help = {"le nom du journal dans le monde, par exemple cabinet.example/journal",
                  "the ledger's name in the world, for instance practice.example/ledger"},
         .required = true}};
    for (Parameter option : new_sealing_options()) {
        if (option.name == "--seal") option.by_default = "key-file";
        options.push_back(std::move(option));
    }
    return {
        .path = {"ledger", "init"},
        .summary = {"crée un journal", "makes a ledger"},
        .description =
            {"Crée le dossier, la clé racine et la première clé de signature, montre le point de "
             "contrôle du "
             "journal vide, et écrit la clé de vérification à donner à qui veut vérifier.",
             "Makes the folder, the root key and the first signing key, shows the checkpoint of "
             "the empty "
             "ledger, and prints the verifier key to hand to whoever wants to verify."},
        .options = std::move(options),
        .arguments = {ledger_argument()},
        .examples =
            {{"hygie ledger init /srv/ledger --origin cabinet.example/journal",
              {"Un journal que la machine ouvre seule :", "A ledger the machine opens by itself:"}},
             {"hygie ledger init /srv/ledger --origin cabinet.example/journal --seal passphrase",
              {"Une clé racine sous phrase de passe :", "A root key under a passphrase:"}}},
        .run = init};
}

Command key_command() {
    return {.path = {"ledger", "key"},
            .summary = {"écrit la clé de vérification", "prints the verifier key"},
            .description =
                {"La clé publique au format signed-note (C2SP). Avec --json, celles de toutes les "
                 "époques.",
                 "The public key in signed-note form (C2SP). With --json, those of every epoch."},
            .arguments = {ledger_argument()},
            .examples = {{"hygie ledger key /srv/ledger",
                          {"À donner aux vérificateurs et aux témoins :",
                           "To give to verifiers and witnesses:"}}},
            .run = key};
}

Command sample_command() {
    return {
        .path = {"ledger", "sample"},
        .summary = {"invente des événements réalistes", "invents realistic events"},
        .description =
            {"Un hôpital qui n'existe pas, en NDJSON : lectures, recherches, courriels, fichiers, "
             "connexions. La même graine donne les mêmes événements.",
             "A hospital that does not exist, as NDJSON: reads, searches, mail, files, sign-ins. "
             "One seed gives the same events."},
        .options = {{.name = "--seed",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"la graine", "the seed"},
                     .by_default = "1"}},
        .arguments = {{.name = "N",
                       .kind = Kind::Number,
                       .help = {"combien d'événements", "how many events"},
                       .required = true}},
        .examples = {{"hygie ledger sample 1000",
                      {"Mille événements sur la sortie :", "A thousand events on the output:"}}},
        .run = sample};
}

Command append_command() {
    return {.path = {"ledger", "append"},
            .summary = {"ajoute des événements lus en NDJSON", "appends events read as NDJSON"},
            .description = {"Un événement par ligne sur l'entrée : le format de « ledger sample », "
                            "ou un AuditEvent FHIR. Écrit "
                            "l'indice de chaque ligne dès qu'elle est à l'abri d'une coupure. À la "
                            "première ligne refusée, "
                            "s'arrête : les lignes d'avant restent.",
                            "One event per line on the input: the format of 'ledger sample', or a "
                            "FHIR AuditEvent. Prints the "
                            "index of each line as soon as it would survive a power cut. Stops at "
                            "the first line it refuses: "
                            "the lines before stay."},
            .options = {{.name = "--source",
                         .placeholder = "NAME",
                         .help = {"la source des lignes qui n'en nomment pas",
                                  "the source of lines that name none"},
                         .by_default = "import"},
                        policy_option(),
                        passphrase_file_option()},
            .arguments = {ledger_argument()},
            .examples = {{"hygie ledger append /srv/ledger < events.ndjson",
                          {"Un fichier d'événements :", "A file of events:"}},
                         {"hygie ledger append /srv/ledger --policy group.policy < events.ndjson",
                          {"En faisant cosigner par les témoins du groupe :",
                           "Having it cosigned by the witnesses of the group:"}}},
            .run = append};
}

}  // namespace

std::vector<Command> ledger_commands() {
    return {{.path = {"ledger"},
             .summary = {"le journal des actes, que nul ne peut réécrire",
                         "the ledger of acts, which nobody can rewrite"},
             .description =
                 {"Un journal en arbre de Merkle aux formats C2SP : n'importe quel vérificateur "
                  "indépendant l'accepte et "
                  "voit toute falsification, même par l'administrateur. Les données des personnes "
                  "y sont scellées et "
                  "peuvent être effacées une personne à la fois, sans casser une seule preuve.",
                  "A Merkle log in the C2SP formats: any independent verifier accepts it and sees "
                  "every forgery, even "
                  "by the administrator. Personal data is sealed in it and can be erased one "
                  "person at a time, without "
                  "breaking a single proof."}},
            init_command(),
            key_command(),
            sample_command(),
            append_command()};
}

}  // namespace hygie::app
