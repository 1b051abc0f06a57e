#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "guards/mail/model/bench.h"

namespace hygie::mail {
namespace {

std::string line(std::string_view name, const Share& share) {
    return fmt::format("  {:<32}{:>7.2f} %  [{:6.2f} ; {:6.2f}]  {:>6}/{}\n", name,
                       100 * share.value(), 100 * share.low(), 100 * share.high(), share.hits,
                       share.of);
}

std::string block(const Text& title, Lang lang, const std::map<std::string, Share>& shares) {
    std::string out = title.in(lang) + "\n";
    for (const auto& [name, share] : shares) out += line(name.empty() ? "?" : name, share);
    return out;
}

nlohmann::json json_of(const Share& share) {
    return {{"value", share.value()},
            {"low", share.low()},
            {"high", share.high()},
            {"hits", share.hits},
            {"of", share.of}};
}

nlohmann::json json_of(const std::map<std::string, Share>& shares) {
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [name, share] : shares) all[name] = json_of(share);
    return all;
}

}  // namespace

std::string bench_table(const Bench& bench, Lang lang) {
    const auto say = [lang](const char* fr, const char* en) { return lang == Lang::Fr ? fr : en; };
    std::string out;
    out += block({"Attaques arrêtées, par classe (bornes de Wilson à 95 %)",
                  "Attacks stopped, by class (Wilson 95 % bounds)"},
                 lang, bench.recall_by_class);
    out += block({"Attaques arrêtées, par langue", "Attacks stopped, by language"}, lang,
                 bench.recall_by_language);
    out += block({"Courrier honnête arrêté à tort, par classe", "Honest mail flagged, by class"},
                 lang, bench.false_by_class);
    out += block({"Courrier honnête arrêté à tort, par source", "Honest mail flagged, by source"},
                 lang, bench.false_by_source);
    out += std::string(say("Ensemble", "Overall")) + "\n";
    out += line(say("attaques arrêtées", "attacks stopped"), bench.recall);
    out += line(say("faux positifs, courrier mêlé", "false positives, mixed"), bench.false_mixed);
    out += line(say("faux positifs, lettres et avis", "false positives, newsletters and notices"),
                bench.false_hard);
    out += line(say("classe juste", "class right"), bench.class_right);
    out += line(say("jumeaux : les deux justes", "twins: both right"), bench.twins_right);
    out += line(say("motifs présents dans le message", "reasons stand in the message"),
                bench.reasons_exist);
    out += line(say("sans eux le verdict tombe", "without them the verdict drops"),
                bench.reasons_decide);
    out += fmt::format("  AUC {:.4f}   {} {:.2f} %   {} {:.2f} %\n", bench.area_under_curve,
                       say("rappel à 0,1 %", "recall at 0.1 %"), 100 * bench.recall_at_mixed_tenth,
                       say("à 0,5 %", "at 0.5 %"), 100 * bench.recall_at_half);
    out += fmt::format("  {:.0f} {}   {} {:.2f} ms   p99 {:.2f} ms   {:.1f} MB\n",
                       bench.messages_per_second, say("messages/s", "messages/s"),
                       say("médiane", "median"), bench.milliseconds_median, bench.milliseconds_p99,
                       static_cast<double>(bench.bytes) / 1e6);
    if (bench.unreadable > 0)
        out += fmt::format("  {} {}\n", bench.unreadable, say("illisibles", "unreadable"));
    return out;
}

std::string bench_json(const Bench& bench) {
    const nlohmann::json all = {{"recall", json_of(bench.recall)},
                                {"recall_by_class", json_of(bench.recall_by_class)},
                                {"recall_by_language", json_of(bench.recall_by_language)},
                                {"false_mixed", json_of(bench.false_mixed)},
                                {"false_hard", json_of(bench.false_hard)},
                                {"false_by_class", json_of(bench.false_by_class)},
                                {"false_by_source", json_of(bench.false_by_source)},
                                {"class_right", json_of(bench.class_right)},
                                {"twins_right", json_of(bench.twins_right)},
                                {"reasons_exist", json_of(bench.reasons_exist)},
                                {"reasons_decide", json_of(bench.reasons_decide)},
                                {"auc", bench.area_under_curve},
                                {"recall_at_0.1_percent", bench.recall_at_mixed_tenth},
                                {"recall_at_0.5_percent", bench.recall_at_half},
                                {"messages_per_second", bench.messages_per_second},
                                {"milliseconds_median", bench.milliseconds_median},
                                {"milliseconds_p99", bench.milliseconds_p99},
                                {"unreadable", bench.unreadable},
                                {"missed", bench.missed},
                                {"wronged", bench.wronged}};
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace hygie::mail
