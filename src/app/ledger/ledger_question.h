#pragma once

#include <string>
#include <vector>

#include "app/ledger/clerk.h"

/// Answering a Question from the index. Pure but for the reads of the index.
namespace hygie::app {

/// The words that are logged as what was asked of a ledger of that size; to be sealed.
std::string words_of(const Question& question, std::uint64_t size);

/// Where answers can be, ascending: a superset, to be filtered with `matches`. Not beside stages of
/// the log. Code::NotFound when the question is about an entry that is not there.
Result<std::vector<ledger::SequenceRange>> candidates(ledger::Log& log, const Question& question);

/// What to answer to an index that a ledger of that size does not have.
std::unexpected<Error> no_such_entry(std::uint64_t size);

/// Whether an entry answers. What cannot be opened answers only a question about entries as such.
bool matches(const Question& question, const Result<event::Event>& event);

}  // namespace hygie::app
