#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands/cmd_mail.h"
#include "app/line/commands.h"
#include "app/line/context.h"
#include "guards/mail/model/bench.h"
#include "guards/mail/model/model.h"
#include "guards/mail/model/model_recipe.h"

namespace hygie::app {
namespace {

using mail::Recipe;

Recipe recipe_of(Context& context) {
    Recipe recipe;
    recipe.seed = context.values.number("--seed");
    recipe.options.seed = recipe.seed;
    recipe.twins = context.values.number("--twins");
    recipe.authors = context.values.text("--authors");
    if (context.values.has("--data")) recipe.data = context.values.list("--data");
    if (context.values.has("--apart")) recipe.apart = context.values.list("--apart");
    for (const std::string& source : context.values.has("--without")
                                         ? context.values.list("--without")
                                         : std::vector<std::string>())
        recipe.without.push_back(source);
    return recipe;
}

Result<int> train(Context& context) {
    const mail::Trained trained = TRY(mail::follow_recipe(context.disk, recipe_of(context)));
    const Bytes file = mail::write_model(trained.model);
    if (file.size() > mail::kModelBytesMax)
        return fail(Code::Full, {"le modèle est trop grand", "the model is too large"},
                    {"apprenez avec moins d'exemples", "train with fewer examples"});
    TRY_STATUS(context.disk.replace_file(context.values.text("--out"), file));
    const mail::TrainingReport& report = trained.report;
    nlohmann::json curve = nlohmann::json::array();
    for (const mail::TrainingReport::Point& point : report.curve)
        curve.push_back({{"false", point.false_share},
                         {"recall", point.recall},
                         {"hard_false", point.hard_false}});
    const nlohmann::json all = {{"recipe", trained.model.recipe},
                                {"examples", report.examples},
                                {"attacks", report.attacks},
                                {"bytes", file.size()},
                                {"held_out_recall", report.held_out_recall},
                                {"held_out_false", report.held_out_false},
                                {"held_out_hard_false", report.held_out_hard_false},
                                {"sure_recall", report.sure_recall},
                                {"source_false", report.source_false},
                                {"source_hard_false", report.source_hard_false},
                                {"sure_false", report.sure_false},
                                {"curve", curve},
                                {"recall_by_name", report.recall_by_name},
                                {"worst_honest", report.worst_honest},
                                {"class_right", report.class_right}};
    context.out << all.dump(context.json ? -1 : 1) << "\n";
    return kExitOk;
}

Result<mail::Model> model_given(Context& context) {
    if (!context.values.has("--model")) return mail::shipped_model();
    const Bytes bytes =
        TRY(context.disk.read_file(context.values.text("--model"), mail::kModelBytesMax));
    return mail::read_model(bytes);
}

Result<int> bench(Context& context) {
    const std::string& dir = context.values.text("DIR");
    const std::string labels =
        context.values.has("--labels") ? context.values.text("--labels") : join(dir, "index.csv");
    const Bytes index = TRY(context.disk.read_file(labels, mail::kIndexBytesMax));
    const std::vector<mail::CorpusRow> rows = TRY(mail::parse_index(as_text(index)));
    const mail::History history = TRY(mail::read_corpus_history(context.disk, dir));
    const mail::Model model = TRY(model_given(context));
    const mail::Scorer scorer =
        context.values.flag("--rules-only") ? mail::Scorer() : mail::scorer_of(model);
    const mail::Bench result = TRY(mail::run_bench(
        context.disk, context.clock, rows, history, scorer,
        {.dir = dir, .counterfactuals_max = context.values.number("--counterfactuals")}));
    context.out << (context.json ? mail::bench_json(result) + "\n"
                                 : mail::bench_table(result, context.lang));
    return kExitOk;
}

Parameter model_option() {
    return {
        .name = "--model",
        .placeholder = "FILE",
        .kind = Kind::File,
        .help = {"un autre modèle que celui du programme", "another model than the program's own"}};
}

Command train_command() {
    return {
        .path = {"mail", "train"},
        .summary = {"refait le modèle de la garde du courrier",
                    "makes the mail guard's model again"},
        .description =
            {"Apprend sur des jumeaux tirés au sort et sur les dossiers donnés (index.csv). La "
             "même "
             "graine et les mêmes données donnent le même fichier, à l'octet près. La source "
             "phishing_pot (CC BY-NC) n'est jamais apprise.",
             "Learns from twins drawn from a seed and from the directories given (index.csv). The "
             "same seed and data give the same file to the byte. The source phishing_pot "
             "(CC BY-NC) is never learned from."},
        .options = {mail_seed_option(),
                    mail_authors_option(),
                    {.name = "--twins",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"combien de tirages du générateur",
                              "how many draws of the generator"},
                     .by_default = "16000",
                     .max = 200'000},
                    {.name = "--data",
                     .placeholder = "DIR",
                     .kind = Kind::Dir,
                     .help = {"un dossier de messages avec index.csv",
                              "a directory of messages with index.csv"},
                     .many = true},
                    {.name = "--apart",
                     .placeholder = "DIR",
                     .kind = Kind::Dir,
                     .help = {"du courrier honnête dont rien n'est appris : il dit où commence "
                              "l'alerte",
                              "honest mail that is not learned from: it says where alerts begin"},
                     .many = true},
                    {.name = "--without",
                     .placeholder = "SOURCE",
                     .help = {"une source à tenir à l'écart", "a source to leave out"},
                     .many = true},
                    {.name = "-o,--out",
                     .placeholder = "FILE",
                     .kind = Kind::File,
                     .help = {"où écrire le modèle", "where to write the model"},
                     .required = true}},
        .examples = {{"hygie mail train --twins 16000 --data dev --out model.hym",
                      {"Refaire le modèle :", "Make the model again:"}}},
        .run = train};
}

Command bench_command() {
    return {
        .path = {"mail", "bench"},
        .summary = {"mesure la garde du courrier sur des messages étiquetés",
                    "measures the mail guard on labelled messages"},
        .description =
            {"Par classe et par langue, avec les bornes à 95 % ; faux positifs, jumeaux, motifs, "
             "débit. Lit DIR/index.csv, les enveloppes NOM.json et DIR/history.json. Colonnes de "
             "index.csv : path,label (phish ou ham) et, si on veut, class,lang,cluster (jumeaux),"
             "source,author,truth. truth est la classe attendue du verdict (spam, phishing, "
             "spear_phishing, malware, tech_support, payment_fraud, extortion, data_theft) ; sans "
             "elle, class la donne quand elle est l'une de : credential, prize_delivery, pdf_lure, "
             "pdf_qr_lure, document, health, health_brand, crypto, callback, payment_fraud, "
             "fovi_first, fovi_thread, gift_card, executive, lateral, spear, attachment_active, "
             "dropper, extortion, advance_fee, spam, other. Une autre ne compte pas dans « classe "
             "juste ».",
             "By class and language, with 95 % bounds; false positives, twins, reasons, "
             "throughput. Reads DIR/index.csv, the envelopes NAME.json and DIR/history.json. "
             "Columns of "
             "index.csv: path,label (phish or ham) and, if wanted, class,lang,cluster (twins),"
             "source,author,truth. truth is the class that the verdict should name (spam, "
             "phishing, "
             "spear_phishing, malware, tech_support, payment_fraud, extortion, data_theft); "
             "without "
             "it, class gives it where it is one of: credential, prize_delivery, pdf_lure, "
             "pdf_qr_lure, document, health, health_brand, crypto, callback, payment_fraud, "
             "fovi_first, fovi_thread, gift_card, executive, lateral, spear, attachment_active, "
             "dropper, extortion, advance_fee, spam, other. Any other is not counted in 'class "
             "right'."},
        .options = {{.name = "--labels",
                     .placeholder = "FILE",
                     .kind = Kind::File,
                     .help = {"un autre index", "another index"}},
                    model_option(),
                    {.name = "--rules-only",
                     .kind = Kind::Flag,
                     .help = {"sans le modèle appris", "without the learned model"}},
                    {.name = "--counterfactuals",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"combien d'attaques rejuger sans leurs preuves",
                              "how many attacks to judge again without their evidence"},
                     .by_default = "400"}},
        .arguments = {{.name = "DIR",
                       .kind = Kind::Dir,
                       .help = {"le dossier des messages", "the directory of messages"},
                       .required = true}},
        .examples = {{"hygie mail bench exercice", {"Mesurer :", "Measure:"}}},
        .run = bench};
}

}  // namespace

std::vector<Command> mail_model_commands() {
    return {train_command(), bench_command()};
}

}  // namespace hygie::app
