#include "guards/mail/model/bench.h"

#include <algorithm>
#include <cmath>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr double kWilsonZ = 1.96;

double wilson(const Share& share, double sign) {
    if (share.of == 0) return 0;
    const auto n = static_cast<double>(share.of);
    const double p = static_cast<double>(share.hits) / n;
    const double z2 = kWilsonZ * kWilsonZ;
    const double middle = p + z2 / (2 * n);
    const double wide = kWilsonZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return std::clamp((middle + sign * wide) / (1 + z2 / n), 0.0, 1.0);
}

void count(Share& share, bool hit) {
    ++share.of;
    share.hits += hit;
}

void erase_all(std::string& from, std::string_view part) {
    if (part.size() < 2) return;
    for (std::size_t at = from.find(part); at != std::string::npos; at = from.find(part, at))
        from.erase(at, part.size());
}

/// What was judged, kept for the figures that need all of it.
struct Scored {
    double score;
    bool is_attack;
};

double area_under(std::vector<Scored> scored) {
    std::ranges::sort(scored, {}, &Scored::score);
    double rank_sum = 0;
    double attacks = 0;
    for (std::size_t at = 0; at < scored.size();) {
        std::size_t end = at;
        while (end < scored.size() && scored[end].score == scored[at].score) ++end;
        const double rank = (static_cast<double>(at + end) + 1) / 2;
        for (; at < end; ++at)
            if (scored[at].is_attack) {
                rank_sum += rank;
                ++attacks;
            }
    }
    const double honest = static_cast<double>(scored.size()) - attacks;
    if (attacks == 0 || honest == 0) return 0;
    return (rank_sum - attacks * (attacks + 1) / 2) / (attacks * honest);
}

double recall_at(const std::vector<Scored>& scored, double false_share) {
    std::vector<double> honest;
    std::size_t attacks = 0;
    for (const Scored& one : scored) {
        if (one.is_attack) ++attacks;
        if (!one.is_attack) honest.push_back(one.score);
    }
    if (honest.empty() || attacks == 0) return 0;
    std::ranges::sort(honest, std::greater<>());
    const auto at = static_cast<std::size_t>(false_share * static_cast<double>(honest.size()));
    const double point = honest[std::min(at, honest.size() - 1)];
    const auto above = std::ranges::count_if(
        scored, [&](const Scored& one) { return one.is_attack && one.score > point; });
    return static_cast<double>(above) / static_cast<double>(attacks);
}

/// The two of a pair, as far as they were seen.
struct Pair {
    bool attack_seen = false;
    bool honest_seen = false;
    bool attack_flagged = false;
    bool honest_flagged = false;
};

class Counter {
  public:
    Counter(Bench& bench, const BenchOptions& options, const History& history, const Scorer& model)
        : bench_(bench), options_(options), history_(history), model_(model) {}

    void add(const CorpusRow& row, const Message& message, const Envelope& envelope,
             const Reading& reading, const Judgement& judgement) {
        const bool flagged = judgement.level != event::Level::Clean;
        scored_.push_back({judgement.score, row.is_attack});
        row.is_attack ? add_attack(row, judgement, flagged) : add_honest(row, flagged);
        if (!row.cluster.empty()) note_pair(row, flagged);
        if (!flagged) return;
        count(bench_.reasons_exist,
              !judgement.reasons.empty() &&
                  std::ranges::all_of(judgement.reasons, [&](const Reason& reason) {
                      return evidence_stands(message, reading.evidence, reason);
                  }));
        if (row.is_attack && bench_.reasons_decide.of < options_.counterfactuals_max) {
            const Judgement again =
                judge(without_evidence(message, judgement.reasons), envelope, history_, model_);
            count(bench_.reasons_decide,
                  again.level == event::Level::Clean || again.level < judgement.level);
        }
    }

    void settle() {
        for (const auto& [name, pair] : pairs_)
            if (pair.attack_seen && pair.honest_seen)
                count(bench_.twins_right, pair.attack_flagged && !pair.honest_flagged);
        bench_.area_under_curve = area_under(scored_);
        bench_.recall_at_mixed_tenth = recall_at(scored_, 0.001);
        bench_.recall_at_half = recall_at(scored_, 0.005);
    }

  private:
    void add_attack(const CorpusRow& row, const Judgement& judgement, bool flagged) {
        count(bench_.recall, flagged);
        count(bench_.recall_by_class[row.kind], flagged);
        count(bench_.recall_by_language[row.lang], flagged);
        if (flagged && row.truth_is_said) count(bench_.class_right, judgement.kind == row.truth);
        if (!flagged && bench_.missed.size() < Bench::kListedMax) bench_.missed.push_back(row.path);
    }

    void add_honest(const CorpusRow& row, bool flagged) {
        count(is_hard_kind(row.kind) ? bench_.false_hard : bench_.false_mixed, flagged);
        count(bench_.false_by_class[row.kind], flagged);
        count(bench_.false_by_source[row.source], flagged);
        if (flagged && bench_.wronged.size() < Bench::kListedMax)
            bench_.wronged.push_back(row.path);
    }

    void note_pair(const CorpusRow& row, bool flagged) {
        Pair& pair = pairs_[row.cluster];
        (row.is_attack ? pair.attack_seen : pair.honest_seen) = true;
        if (flagged) (row.is_attack ? pair.attack_flagged : pair.honest_flagged) = true;
    }

    Bench& bench_;
    const BenchOptions& options_;
    const History& history_;
    const Scorer& model_;
    std::vector<Scored> scored_;
    std::map<std::string, Pair> pairs_;
};

}  // namespace

double Share::value() const {
    return of == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(of);
}
double Share::low() const {
    return wilson(*this, -1);
}
double Share::high() const {
    return wilson(*this, 1);
}

bool evidence_stands(const Message& message, const Evidence& evidence, const Reason& reason) {
    if (reason.evidence.empty()) return false;
    const std::string_view part = reason.evidence;
    for (const std::string* text :
         {&message.subject, &message.text, &message.plain, &message.html, &message.hidden,
          &message.return_path, &evidence.attachments.text})
        if (contains(*text, part)) return true;
    for (const Header& header : message.headers)
        if (contains(header.value, part)) return true;
    for (const auto* list : {&message.from, &message.reply_to, &message.sender, &message.to})
        for (const Address& address : *list)
            if (contains(address.name + " <" + address.address + ">", part)) return true;
    for (const Link& link : evidence.links)
        if (contains(link.target, part) || contains(link.shown, part) || contains(link.host, part))
            return true;
    for (const QrCode& code : evidence.attachments.qr)
        if (contains(code.payload, part)) return true;
    for (const FileFacts& file : evidence.attachments.files) {
        if (contains(file.path, part)) return true;
        for (const FileFacts::Finding& finding : file.findings)
            if (contains(finding.detail, part)) return true;
    }
    return std::ranges::any_of(message.attachments, [&](const Attachment& file) {
        return contains(file.name, part) || contains(file.bytes, part);
    });
}

Message without_evidence(const Message& message, std::vector<Reason> reasons) {
    Message left = message;
    // A sentence first: without the word that another reason cites it would not be found.
    std::ranges::stable_sort(reasons, std::greater{},
                             [](const Reason& reason) { return reason.evidence.size(); });
    for (const Reason& reason : reasons) {
        const std::string_view part = reason.evidence;
        if (reason.where.starts_with("attachment")) {
            std::erase_if(left.attachments, [&](const Attachment& file) {
                return reason.where.ends_with(file.name) || contains(part, file.name);
            });
            continue;
        }
        for (std::string* text :
             {&left.subject, &left.text, &left.plain, &left.html, &left.hidden, &left.return_path})
            erase_all(*text, part);
        for (Header& header : left.headers) erase_all(header.value, part);
        for (auto* list : {&left.from, &left.reply_to, &left.sender})
            for (Address& address : *list) {
                const bool whole = contains(part, address.address);
                erase_all(address.name, part);
                if (whole) address.name.clear();
                if (whole || contains(address.address, part)) address.address.clear();
            }
        std::erase_if(left.links, [&](const RawLink& link) {
            return contains(link.target, part) || (!part.empty() && contains(link.shown, part));
        });
        if (reason.id.starts_with("form")) left.forms.clear();
    }
    return left;
}

Result<Bench> run_bench(Disk& disk, Clock& clock, const std::vector<CorpusRow>& rows,
                        const History& history, const Scorer& model, const BenchOptions& options) {
    Bench bench;
    Counter counter(bench, options, history, model);
    std::vector<double> milliseconds;
    double total = 0;
    for (const CorpusRow& row : rows) {
        const CorpusMessage stored = TRY(read_corpus_message(disk, join(options.dir, row.path)));
        const auto begin = clock.steady();
        const Result<Message> message = parse_message(stored.bytes);
        if (!message) {
            ++bench.unreadable;
            continue;
        }
        const Reading reading = read_evidence(*message, stored.envelope, history);
        const Judgement judgement = judge(*message, reading, model);
        const std::chrono::duration<double, std::milli> took = clock.steady() - begin;
        milliseconds.push_back(took.count());
        total += took.count();
        bench.bytes += stored.bytes.size();
        counter.add(row, *message, stored.envelope, reading, judgement);
    }
    counter.settle();
    std::ranges::sort(milliseconds);
    if (!milliseconds.empty()) {
        bench.milliseconds_median = milliseconds[milliseconds.size() / 2];
        bench.milliseconds_p99 = milliseconds[milliseconds.size() * 99 / 100];
        bench.messages_per_second = static_cast<double>(milliseconds.size()) * 1000 / total;
    }
    return bench;
}

}  // namespace hygie::mail
