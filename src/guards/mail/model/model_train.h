#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "guards/mail/model/model.h"

/// How the model is made: stochastic gradient descent of our own, the same to the bit for the same
/// examples and seed.
namespace hygie::mail {

/// One message as the trainer keeps it.
struct TrainingExample {
    std::vector<std::pair<std::uint32_t, float>> words;
    std::vector<std::pair<std::uint32_t, float>> named;  ///< ids of a Vocabulary
    Class truth = Class::None;
    float weight = 1;
    std::uint32_t fold = 0;     ///< whole authors, sources and campaigns stay together
    bool is_hard = false;       ///< honest, of a kind that filters mistake
    bool is_generated = false;  ///< a twin of ours
    bool is_apart = false;      ///< honest, never learned from: it sets the bar
    bool is_sorted = true;      ///< its class is known; else it only says that it is an attack
    std::string source;         ///< a collection, or the author of generated letters
    std::string name;           ///< a template or a path, for the report
};

/// Names of signals and shapes, numbered as they come.
class Vocabulary {
  public:
    std::uint32_t id_of(std::string_view name);
    const std::vector<std::string>& names() const { return names_; }

  private:
    std::map<std::string, std::uint32_t, std::less<>> ids_;
    std::vector<std::string> names_;
};

TrainingExample example_of(const Features& features, Class truth, Vocabulary& vocabulary);

struct TrainingOptions {
    std::uint64_t seed = 1;
    unsigned epochs = 12;
    double rate = 0.25;
    double decay_words = 2e-5;  ///< L2
    double decay_named = 3e-3;  ///< strong: how facts occur together is known from our pen alone
    /// A fact seen in few examples proves little, whatever they were: added to the decay of each,
    /// divided by how many it was seen in. A prior of that weight, in examples.
    double rare_named = 1;
    unsigned words_dropped = 15;  ///< percent of the words hidden at each look, so that no single
                                  ///< phrase of a template carries the verdict
    unsigned named_dropped = 10;
    unsigned padded = 25;  ///< percent of the looks in which words of an honest message are mixed
                           ///< in, as padding that hides an attack or as the bulk of a long mail
    /// How often the same is learned, each time in another order and with other parts hidden; the
    /// weights kept are the mean.
    unsigned courses = 3;
    /// Facts that matter only together (model_pairs.h), and in how many parts the examples are
    /// held out of each other to see which do.
    std::size_t pairs = 200;
    unsigned pair_parts = 3;
    unsigned folds = 12;
    /// What may be flagged, and what may be held for certain, of honest mail whose source was not
    /// seen at all; of sources like those seen several times less is.
    double mixed_false_max = 0.005;
    double hard_false_max = 0.005;
    double mixed_sure_max = 0.001;
    double hard_sure_max = 0.003;
};

/// What was seen on the parts held out, before the final model was trained on all.
struct TrainingReport {
    std::size_t examples = 0;
    std::size_t attacks = 0;
    std::size_t honest = 0;
    double held_out_recall = 0;  ///< at log-odds 0
    double held_out_false = 0;   ///< share of honest mail above 0
    double held_out_hard_false = 0;
    /// … of a source never seen, each source weighing as in tail_point.
    double source_false = 0;
    double source_hard_false = 0;
    double sure_at = 0;      ///< how far above it the score is kMaliciousScore, uncalibrated
    double sure_recall = 0;  ///< … there
    double sure_false = 0;
    /// Attacks held out that are stopped where so many of the mixed honest mail held out are
    /// flagged.
    struct Point {
        double false_share;
        double recall;
        double hard_false;  ///< what is flagged of newsletters and notices there
    };
    std::vector<Point> curve;
    double class_right = 0;                        ///< of attacks held out, the class named rightly
    std::map<std::string, double> recall_by_name;  ///< of attacks held out
    std::vector<std::string> worst_honest;         ///< highest scores of honest mail held out
    static constexpr std::size_t kWorstMax = 60;
};

struct Trained {
    Model model;
    TrainingReport report;
};

/// Trains on all but one fold in turn to learn what unseen sources and authors fare, then on
/// everything but what is apart. Needs at least one attack and one honest message in each fold,
/// else Code::BadInput.
Result<Trained> train_model(const std::vector<TrainingExample>& examples,
                            const Vocabulary& vocabulary, const TrainingOptions& options);

}  // namespace hygie::mail
