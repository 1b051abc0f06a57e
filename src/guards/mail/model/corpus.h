#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/judge/judge.h"
#include "host/disk.h"

/// Directories of messages with an index.csv beside them: what training and the bench read.
namespace hygie::mail {

inline constexpr std::size_t kIndexBytesMax = 64U << 20;

/// One row of index.csv. Columns are found by their names; `path` and `label` are needed.
struct CorpusRow {
    std::string path;
    bool is_attack = false;  ///< label "phish", "attack" or "spam"
    std::string kind;        ///< column class: "credential", "newsletter", …
    std::string lang;
    std::string cluster;  ///< campaign, thread or pair of twins
    std::string source;
    std::string author;
    Class truth = Class::None;   ///< column truth, else drawn from `kind`; None when honest
    bool truth_is_said = false;  ///< the attack's kind has a class: else Spam stands for it
};

/// Code::BadInput when a needed column is absent or a label unknown.
Result<std::vector<CorpusRow>> parse_index(std::string_view csv);
/// Whether honest mail of that kind is what filters mistake: newsletters, invoices, notices.
bool is_hard_kind(std::string_view kind);

/// A message with its side-car; the envelope is empty when there is none.
struct CorpusMessage {
    std::string bytes;
    Envelope envelope;
};
Result<CorpusMessage> read_corpus_message(Disk& disk, const std::string& path);
/// `dir`/history.json when it is there, else nothing is known.
Result<History> read_corpus_history(Disk& disk, const std::string& dir);

}  // namespace hygie::mail
