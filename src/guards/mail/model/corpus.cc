#include "guards/mail/model/corpus.h"

#include <array>
#include <map>

#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kSideCarBytesMax = 1U << 20;
constexpr std::size_t kHistoryBytesMax = 64U << 20;

std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells;
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (true) {
        const std::size_t comma = line.find(',');
        cells.push_back(line.substr(0, comma));
        if (comma == std::string_view::npos) return cells;
        line.remove_prefix(comma + 1);
    }
}

/// What the verdict should call an attack of that kind; None where the kind does not say it.
Class class_of_kind(std::string_view kind) {
    static constexpr auto kKinds = std::to_array<std::pair<std::string_view, Class>>({
        {"credential", Class::Phishing},
        {"prize_delivery", Class::Phishing},
        {"pdf_lure", Class::Phishing},
        {"pdf_qr_lure", Class::Phishing},
        {"document", Class::Phishing},
        {"health", Class::Phishing},
        {"health_brand", Class::Phishing},
        {"crypto", Class::Phishing},
        {"callback", Class::TechSupport},
        {"payment_fraud", Class::PaymentFraud},
        {"fovi_first", Class::PaymentFraud},
        {"fovi_thread", Class::PaymentFraud},
        {"gift_card", Class::PaymentFraud},
        {"executive", Class::SpearPhishing},
        {"lateral", Class::SpearPhishing},
        {"spear", Class::SpearPhishing},
        {"attachment_active", Class::Malware},
        {"dropper", Class::Malware},
        {"extortion", Class::Extortion},
        {"advance_fee", Class::Spam},
        {"spam", Class::Spam},
        {"other", Class::Spam},
    });
    for (const auto& [name, known] : kKinds)
        if (name == kind) return known;
    Class named = Class::None;
    class_named(kind, named);
    return named;
}

std::unexpected<Error> wrong_index() {
    return fail(Code::BadInput,
                {"index.csv : colonne « path » ou « label » absente, ou étiquette inconnue",
                 "index.csv: column 'path' or 'label' is missing, or a label is unknown"},
                {"première ligne : path,label,class,lang,cluster,source ; étiquettes phish et ham",
                 "first line: path,label,class,lang,cluster,source; labels phish and ham"});
}

std::string side_car_of(const std::string& path) {
    const std::size_t dot = path.rfind(".eml");
    return (dot == std::string::npos ? path : path.substr(0, dot)) + ".json";
}

}  // namespace

Result<std::vector<CorpusRow>> parse_index(std::string_view csv) {
    std::map<std::string_view, std::size_t> columns;
    std::vector<CorpusRow> rows;
    while (!csv.empty()) {
        const std::size_t end = std::min(csv.find('\n'), csv.size());
        const std::string_view line = csv.substr(0, end);
        csv.remove_prefix(std::min(end + 1, csv.size()));
        if (line.empty()) continue;
        const std::vector<std::string_view> cells = cells_of(line);
        if (columns.empty()) {
            for (std::size_t i = 0; i < cells.size(); ++i) columns.emplace(cells[i], i);
            if (!columns.contains("path") || !columns.contains("label")) return wrong_index();
            continue;
        }
        const auto cell = [&](std::string_view name) -> std::string {
            const auto at = columns.find(name);
            return at == columns.end() || at->second >= cells.size()
                       ? std::string()
                       : std::string(cells[at->second]);
        };
        CorpusRow row{.path = cell("path"),
                      .kind = cell("class"),
                      .lang = cell("lang"),
                      .cluster = cell("cluster"),
                      .source = cell("source"),
                      .author = cell("author")};
        const std::string label = cell("label");
        if (label != "ham" && label != "phish" && label != "attack" && label != "spam")
            return wrong_index();
        row.is_attack = label != "ham";
        if (row.is_attack && !class_named(cell("truth"), row.truth))
            row.truth = class_of_kind(row.kind);
        row.truth_is_said = row.truth != Class::None;
        if (row.is_attack && !row.truth_is_said) row.truth = Class::Spam;
        rows.push_back(std::move(row));
    }
    if (columns.empty()) return wrong_index();
    return rows;
}

bool is_hard_kind(std::string_view kind) {
    static constexpr std::array<std::string_view, 8> kHard = {
        "hard",   "notification",   "newsletter", "invoice",
        "notice", "security_alert", "service",    "lab"};
    for (const std::string_view hard : kHard)
        if (hard == kind) return true;
    return false;
}

Result<CorpusMessage> read_corpus_message(Disk& disk, const std::string& path) {
    CorpusMessage message;
    message.bytes = as_text(TRY(disk.read_file(path, kMessageBytesMax)));
    const std::string side_car = side_car_of(path);
    if (disk.exists(side_car))
        message.envelope =
            TRY(parse_envelope(as_text(TRY(disk.read_file(side_car, kSideCarBytesMax)))));
    return message;
}

Result<History> read_corpus_history(Disk& disk, const std::string& dir) {
    const std::string path = join(dir, "history.json");
    if (!disk.exists(path)) return History{};
    return parse_history(as_text(TRY(disk.read_file(path, kHistoryBytesMax))));
}

}  // namespace hygie::mail
