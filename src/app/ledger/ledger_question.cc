#include "app/ledger/ledger_question.h"

#include <fmt/format.h>

#include <algorithm>

namespace hygie::app {
namespace {

using ledger::SequenceRange;

/// Keeps what lies in both lists; each is ascending and without overlap.
std::vector<SequenceRange> both(const std::vector<SequenceRange>& left,
                                const std::vector<SequenceRange>& right) {
    std::vector<SequenceRange> out;
    for (std::size_t i = 0, j = 0; i < left.size() && j < right.size();) {
        const SequenceRange common{std::max(left[i].first, right[j].first),
                                   std::min(left[i].end, right[j].end)};
        if (common.first < common.end) out.push_back(common);
        left[i].end < right[j].end ? ++i : ++j;
    }
    return out;
}

/// Where tokens of one name are; a name may have several tokens, one a year.
Result<std::vector<SequenceRange>> find_any(const ledger::QueryIndex& index,
                                            ledger::Dimension dimension,
                                            const std::vector<crypto::Token>& tokens,
                                            SequenceRange within) {
    std::vector<SequenceRange> found;
    for (const crypto::Token& token : tokens) {
        const auto some = TRY(index.find(dimension, token, within));
        found.insert(found.end(), some.begin(), some.end());
    }
    std::ranges::sort(found, {}, &SequenceRange::first);
    std::vector<SequenceRange> merged;
    for (const SequenceRange& range : found) {
        if (!merged.empty() && range.first <= merged.back().end)
            merged.back().end = std::max(merged.back().end, range.end);
        else
            merged.push_back(range);
    }
    return merged;
}

std::vector<crypto::Token> list_of(const std::optional<crypto::Token>& token) {
    return token ? std::vector{*token} : std::vector<crypto::Token>();
}

Result<std::vector<SequenceRange>> found_in_index(ledger::Log& log, const Question& question) {
    const SequenceRange all = log.index().covered();
    std::vector<SequenceRange> where{all};
    const auto narrow = [&](ledger::Dimension dimension,
                            const std::vector<crypto::Token>& tokens) -> Status {
        where = both(where, TRY(find_any(log.index(), dimension, tokens, all)));
        return {};
    };
    if (!question.actor.empty())
        TRY_STATUS(narrow(ledger::Dimension::Actor, log.keys().known_actor_tokens(question.actor)));
    if (!question.patient.empty())
        TRY_STATUS(narrow(ledger::Dimension::Patient,
                          list_of(log.keys().known_patient_token(question.patient))));
    if (!question.object.empty())
        TRY_STATUS(narrow(ledger::Dimension::Object, list_of(log.keys().known_object_token(
                                                         question.patient, question.object))));
    if (question.since || question.until)
        where = both(where, log.index().sequences_in(question.since.value_or(WallTime{}),
                                                     question.until.value_or(WallTime::max())));
    return where;
}

}  // namespace

std::unexpected<Error> no_such_entry(std::uint64_t size) {
    const std::string last = std::to_string(size == 0 ? 0 : size - 1);
    return fail(
        Code::NotFound,
        {"le journal n'a pas d'entrée à cet indice", "the ledger has no entry at this index"},
        {"choisissez un indice de 0 à " + last, "choose an index from 0 to " + last});
}

std::string words_of(const Question& question, std::uint64_t size) {
    if (question.kind == Question::Kind::Tail)
        return fmt::format("tail --lines {}", std::min(question.number, size));
    if (question.kind == Question::Kind::Show) return fmt::format("show {}", question.number);
    std::string words = question.kind == Question::Kind::Query ? "query" : "export";
    const auto say = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) words += fmt::format(" {} {}", name, value);
    };
    say("--actor", question.actor.str());
    say("--patient", question.patient.str());
    say("--object", question.object.str());
    say("--since", question.since ? to_rfc3339(*question.since) : "");
    say("--until", question.until ? to_rfc3339(*question.until) : "");
    return words;
}

Result<std::vector<SequenceRange>> candidates(ledger::Log& log, const Question& question) {
    const std::uint64_t size = log.applied_size();
    if (question.kind == Question::Kind::Tail)
        return std::vector{SequenceRange{size - std::min(question.number, size), size}};
    if (question.kind != Question::Kind::Show) return found_in_index(log, question);
    if (question.number >= size) return no_such_entry(size);
    return std::vector{SequenceRange{question.number, question.number + 1}};
}

bool matches(const Question& question, const Result<event::Event>& event) {
    if (question.kind == Question::Kind::Tail || question.kind == Question::Kind::Show) return true;
    if (!event) return false;
    if (!question.actor.empty() && event->actor.id != question.actor) return false;
    if (!question.patient.empty() && event->subject.patient != question.patient) return false;
    if (!question.object.empty() && event->subject.object != question.object) return false;
    return (!question.since || event->time >= *question.since) &&
           (!question.until || event->time < *question.until);
}

}  // namespace hygie::app
