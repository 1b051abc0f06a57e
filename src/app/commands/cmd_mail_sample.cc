#include "app/commands/cmd_mail.h"
#include "app/line/commands.h"
#include "app/line/context.h"
#include "guards/mail/twins/twin_press.h"

namespace hygie::app {
namespace {

Result<int> sample(Context& context) {
    const mail::TwinLibrary library = TRY(mail::twin_library());
    const std::string& dir = context.values.text("--out");
    TRY_STATUS(mail::write_twins(context.disk, library, context.values.number("--seed"),
                                 context.values.number("COUNT"), context.values.text("--authors"),
                                 dir));
    context.out << dir << "\n";
    return kExitOk;
}

Command sample_command() {
    return {.path = {"mail", "sample"},
            .summary = {"écrit des messages d'exercice : attaques et jumeaux honnêtes",
                        "writes practice messages: attacks and their honest twins"},
            .description =
                {"En français surtout, en anglais et cinq autres langues. Les pièces jointes n'ont "
                 "que la forme de ce qu'elles jouent et ne font rien. Écrit NOM.eml, NOM.json, "
                 "index.csv et history.json.",
                 "In French mostly, in English and five other languages. Attachments only have the "
                 "shape of what they play and do nothing. Writes NAME.eml, NAME.json, index.csv "
                 "and history.json."},
            .options = {mail_seed_option(),
                        mail_authors_option(),
                        {.name = "-o,--out",
                         .placeholder = "DIR",
                         .kind = Kind::Dir,
                         .help = {"où les écrire", "where to write them"},
                         .required = true}},
            .arguments = {{.name = "COUNT",
                           .kind = Kind::Number,
                           .help = {"combien de messages", "how many messages"},
                           .required = true,
                           .min = 1,
                           .max = 1'000'000}},
            .examples = {{"hygie mail sample 200 --seed 7 --out exercice",
                          {"Deux cents messages pour un exercice :",
                           "Two hundred messages for a drill:"}}},
            .run = sample};
}

}  // namespace

std::vector<Command> mail_sample_commands() {
    return {{.path = {"mail"},
             .summary = {"la garde du courrier", "the mail guard"},
             .description = {"Juge les messages, dit pourquoi, s'exerce et se mesure.",
                             "Judges messages, says why, practises and measures itself."}},
            sample_command()};
}

}  // namespace hygie::app
