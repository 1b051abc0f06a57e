#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "guards/mail/model/corpus.h"
#include "host/clock.h"

/// Measures the guard on labelled mail, the way its goals are written.
namespace hygie::mail {

/// A share with its Wilson 95 % bounds.
struct Share {
    std::size_t hits = 0;
    std::size_t of = 0;
    double value() const;
    double low() const;
    double high() const;
};

struct Bench {
    std::map<std::string, Share> recall_by_class;  ///< column `class`, attacks flagged
    std::map<std::string, Share> recall_by_language;
    std::map<std::string, Share> false_by_class;  ///< honest mail flagged
    std::map<std::string, Share> false_by_source;
    Share recall;
    Share false_mixed;
    Share false_hard;      ///< newsletters, invoices, notices
    Share class_right;     ///< flagged attacks whose class is the true one, where the index says it
    Share twins_right;     ///< pairs of which the attack is flagged and the honest one is not
    Share reasons_exist;   ///< flagged messages whose every reason has its evidence in the message
    Share reasons_decide;  ///< flagged attacks that fall below when the evidence cited is taken out
    double area_under_curve = 0;
    double recall_at_mixed_tenth = 0;  ///< recall where 0.1 % of honest mail is flagged
    double recall_at_half = 0;         ///< … where 0.5 % is
    double messages_per_second = 0;
    double milliseconds_median = 0;
    double milliseconds_p99 = 0;
    std::uint64_t bytes = 0;
    std::size_t unreadable = 0;
    std::vector<std::string> missed;   ///< paths of attacks let through, at most kListedMax
    std::vector<std::string> wronged;  ///< paths of honest mail flagged, at most kListedMax
    static constexpr std::size_t kListedMax = 2'000;
};

struct BenchOptions {
    std::string dir;
    std::size_t counterfactuals_max = 400;  ///< flagged attacks judged again without their evidence
};

/// Judges every message of the index once, one after the other.
Result<Bench> run_bench(Disk& disk, Clock& clock, const std::vector<CorpusRow>& rows,
                        const History& history, const Scorer& model, const BenchOptions& options);

/// As a table for people and as one JSON object.
std::string bench_table(const Bench& bench, Lang lang);
std::string bench_json(const Bench& bench);

/// The message without what the judgement stands on.
Message without_evidence(const Message& message, std::vector<Reason> reasons);
/// Whether the evidence of a reason stands in the message.
bool evidence_stands(const Message& message, const Evidence& evidence, const Reason& reason);

}  // namespace hygie::mail
