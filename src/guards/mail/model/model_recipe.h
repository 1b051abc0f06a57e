#pragma once

#include <string>
#include <vector>

#include "guards/mail/model/model_train.h"
#include "guards/mail/twins/twin_press.h"
#include "host/disk.h"

/// From messages to examples: what the shipped model is made of, in one place.
namespace hygie::mail {

struct Recipe {
    std::uint64_t seed = 1;
    std::size_t twins = 16'000;  ///< draws of the generator
    std::string authors{kTwinAuthors};
    std::vector<std::string> data;  ///< directories with index.csv
    /// … of honest mail that is not learned from: its sources set the bar.
    std::vector<std::string> apart;
    /// Sources left out. phishing_pot is CC BY-NC: a model that is shipped must not have seen it.
    std::vector<std::string> without = {"phishing_pot"};
    TrainingOptions options;
};

struct Examples {
    std::vector<TrainingExample> all;
    Vocabulary vocabulary;
};

/// Reads, generates and weighs the examples. Code::BadInput when an index or a message is not one.
Result<Examples> gather_examples(Disk& disk, const Recipe& recipe);
/// All of it; the model's `recipe` says what it was made of.
Result<Trained> follow_recipe(Disk& disk, const Recipe& recipe);

}  // namespace hygie::mail
