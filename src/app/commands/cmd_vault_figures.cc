#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/house/vault_figures.h"
#include "app/line/commands.h"
#include "crypto/secret.h"
#include "host/memory.h"

namespace hygie::app {
namespace {

using Goal = VaultFigure::Goal;

std::string reach_of(const VaultFigure& figure) {
    if (figure.goal == Goal::None) return {};
    return fmt::format("{} {:g}", figure.goal == Goal::AtLeast ? "≥" : "≤", figure.reach);
}

void print(Context& context, const VaultBench& bench) {
    for (const VaultFigure& figure : bench.figures()) {
        const int digits = figure.value < 100 ? 2 : 0;
        context.out << fmt::format(
            "{:<66} {:>9.{}f} {:<12} {:<8} {}\n", context.say(figure.what), figure.value, digits,
            context.say(figure.unit), reach_of(figure),
            figure.is_missed() ? context.say({"manqué", "missed"}) : std::string());
    }
    if (bench.refused() > 0)
        context.out << fmt::format(fmt::runtime(context.say({"{} requêtes refusées ou vides\n",
                                                             "{} requests refused or empty\n"})),
                                   bench.refused());
}

void print_json(Context& context, const VaultBench& bench) {
    nlohmann::json rows = nlohmann::json::array();
    for (const VaultFigure& figure : bench.figures())
        rows.push_back({{"what", context.say(figure.what)},
                        {"value", figure.value},
                        {"unit", context.say(figure.unit)},
                        {"reach", reach_of(figure)},
                        {"missed", figure.is_missed()}});
    context.out << nlohmann::json{{"figures", rows}, {"refused", bench.refused()}}.dump() << "\n";
}

Result<int> bench(Context& context) {
    crypto::harden_process();
    give_back_idle_memory();
    const auto data = TRY(context.values.has("--data")
                              ? VaultBenchData::below(context.disk, context.values.text("--data"))
                              : VaultBenchData::demo());
    const auto path = std::filesystem::absolute(context.values.text("--dir")) /
                      ("hygie-bench-" + to_hex(context.random.bytes<4>()));
    const std::string dir = path.lexically_normal().string();
    TRY_STATUS(context.disk.make_dirs(dir));
    VaultBench bench(context, data,
                     {.dir = dir,
                      .patients = context.values.number("--patients"),
                      .each = std::chrono::seconds(context.values.number("--seconds")),
                      .requests = context.values.number("--requests"),
                      .only = context.values.list("--only")});
    const Status done = bench.run();
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
    TRY_STATUS(done);
    if (context.json)
        print_json(context, bench);
    else
        print(context, bench);
    return bench.refused() == 0 ? kExitOk : kExitFailed;
}

std::vector<Parameter> bench_options() {
    return {{.name = "--dir",
             .placeholder = "DIR",
             .kind = Kind::Dir,
             .help = {"le disque à mesurer", "the disk to measure"},
             .by_default = "."},
            {.name = "--patients",
             .placeholder = "N",
             .kind = Kind::Number,
             .help = {"combien de patients importer", "how many patients to import"},
             .by_default = "320",
             .min = 16,
             .max = 1'000'000},
            {.name = "--seconds",
             .placeholder = "N",
             .kind = Kind::Number,
             .help = {"durée de chaque mesure de lecture", "length of each measurement of reads"},
             .by_default = "5",
             .min = 1,
             .max = 600},
            {.name = "--requests",
             .placeholder = "N",
             .kind = Kind::Number,
             .help = {"requêtes de chaque mesure, au plus : pour qui compte les instructions",
                      "requests of each measurement at most: for who counts instructions"},
             .by_default = "0"},
            {.name = "--only",
             .placeholder = "QUESTION",
             .help = {"cette question seulement", "this question only"},
             .many = true,
             .choices = VaultBench::questions()},
            {.name = "--data",
             .placeholder = "DIR",
             .kind = Kind::Dir,
             .help = {"des lots Synthea (.json), au lieu du cabinet de démonstration",
                      "bundles of Synthea (.json), instead of the demonstration's practice"}}};
}

}  // namespace

std::vector<Command> vault_bench_commands() {
    return {
        {.path = {"vault", "bench"},
         .summary = {"mesure le serveur de dossiers sur cette machine",
                     "measures the record server on this machine"},
         .description =
             {"Ouvre un service comme « hygie serve » dans un dossier neuf, retiré à la fin, y "
              "importe des patients, puis lit et cherche : TLS, jeton, cercle de soins, "
              "descellement et trace durable. Le client partage la machine et le processus ; le "
              "temps de processeur est sans lui. Les copies d'un patient ont d'autres ids et noms, "
              "le même matricule.\n\n"
              "« Sans sécurité » : les mêmes questions, sans TLS, jeton, cercle ni trace, par une "
              "porte qui n'existe que pendant cette mesure, sur la boucle locale. Ce qui est "
              "stocké reste scellé. Pour la croissance, relancer avec --patients dix fois plus "
              "grand. Code de sortie 1 si une requête est refusée ou ne "
              "trouve rien.",
              "Opens a service as 'hygie serve' does in a new folder, removed at the end, imports "
              "patients, then reads and searches: TLS, token, circle of care, unsealing and "
              "durable trace. The client shares machine and process; processor time is without "
              "it. Copies of a patient have other ids and names, the same national number.\n\n"
              "\"No security\": the same questions without TLS, token, circle or trace, through a "
              "door that exists only during that measurement, on the loopback. What is stored "
              "stays sealed. For growth, run again with --patients ten times larger. Exit code 1 "
              "when a request is refused or finds nothing."},
         .options = bench_options(),
         .examples = {{"hygie vault bench --dir /var/lib --patients 3200",
                       {"Mesurer le disque des données :", "Measure the data disk:"}},
                      {"hygie vault bench --data synthea/patients --seconds 10",
                       {"Avec les dossiers de Synthea :", "With the records of Synthea:"}}},
         .run = bench}};
}

}  // namespace hygie::app
