#include "guards/mail/model/model_recipe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "guards/mail/model/corpus.h"
#include "guards/mail/twins/twin_press.h"

namespace hygie::mail {
namespace {

/// What a group of examples weighs as a whole, in units of one generated attack each.
constexpr double kRealHonestShare = 0.9;   ///< real honest mail, against generated attacks
constexpr double kRealAttackShare = 0.25;  ///< real spam
/// SpamAssassin's spam is twenty years old, and still what most shows how mailings are built.
constexpr std::string_view kOldSpam = "sa_spam";
constexpr float kOldSpamShare = 1.5F;
constexpr std::string_view kOldCollection = "sa_";
/// Attacks of which nobody said what kind they are.
constexpr std::string_view kUnsorted = "unsorted";

std::uint32_t fold_of(std::string_view name) {
    std::uint32_t hash = 2166136261U;
    for (const char sign : name) hash = (hash ^ static_cast<unsigned char>(sign)) * 16777619U;
    return hash ^ (hash >> 15);
}

TrainingExample read_example(const Message& message, const Envelope& envelope,
                             const History& history, Class truth, Vocabulary& vocabulary) {
    const Reading reading = read_evidence(message, envelope, history);
    return example_of(features_of(message, reading.evidence, reading.signals), truth, vocabulary);
}

Status add_twins(Examples& examples, const Recipe& recipe) {
    const TwinLibrary library = TRY(twin_library());
    TwinPress press(library, recipe.seed, recipe.authors);
    History known = TRY(parse_history(press.world().history_json()));
    const History unknown;
    Dice dice(recipe.seed ^ 0x686973746fULL);
    for (std::size_t draw = 0; draw < recipe.twins; ++draw) {
        const std::vector<Twin> twins = TRY(press.next());
        if (press.world_changed()) known = TRY(parse_history(press.world().history_json()));
        // A house without memory yet must be guarded too, except where only memory can decide.
        const bool needs_memory = twins.front().kind.starts_with("fovi");
        const bool remembered = needs_memory || dice.chance(50);
        for (const Twin& twin : twins) {
            const Message message = TRY(parse_message(twin.message));
            const Envelope envelope = TRY(parse_envelope(twin.envelope));
            TrainingExample example = read_example(message, envelope, remembered ? known : unknown,
                                                   twin.truth, examples.vocabulary);
            // Any number will do, as long as it is the author's own: that of a digit wraps.
            example.fold = static_cast<std::uint32_t>(twin.author.front() - 'A');
            example.is_hard = twin.truth == Class::None && is_hard_kind(twin.kind);
            example.source = twin.author;
            example.is_generated = true;
            example.name = twin.template_id;
            examples.all.push_back(std::move(example));
        }
    }
    return {};
}

struct Group {
    std::size_t begin;
    std::size_t end;
};

Result<std::map<std::string, std::vector<std::size_t>>> add_directory(Disk& disk,
                                                                      Examples& examples,
                                                                      const Recipe& recipe,
                                                                      const std::string& dir) {
    std::map<std::string, std::vector<std::size_t>> by_source;
    const Bytes index = TRY(disk.read_file(join(dir, "index.csv"), kIndexBytesMax));
    const History history = TRY(read_corpus_history(disk, dir));
    for (const CorpusRow& row : TRY(parse_index(as_text(index)))) {
        if (std::ranges::find(recipe.without, row.source) != recipe.without.end()) continue;
        const CorpusMessage stored = TRY(read_corpus_message(disk, join(dir, row.path)));
        const Result<Message> message = parse_message(stored.bytes);
        if (!message) continue;
        TrainingExample example =
            read_example(*message, stored.envelope, history, row.truth, examples.vocabulary);
        // Honest mail is held out by whole sources: the threshold must hold for a kind of mail that
        // was never seen. Real attacks come from few sources and are held out by campaign.
        // … and one collection, honest or not, stays together: else its spam would teach what the
        // mail of its day looks like.
        example.fold = row.source.starts_with(kOldCollection) ? fold_of(kOldCollection)
                       : row.is_attack                        ? fold_of(row.cluster)
                                                              : fold_of(row.source);
        example.is_sorted = row.kind != kUnsorted;
        example.is_hard = !row.is_attack && is_hard_kind(row.kind);
        example.source = row.source;
        example.name = row.is_attack ? row.source : row.source + "/" + row.path;
        by_source[(row.is_attack ? "+" : "-") + row.source].push_back(examples.all.size());
        examples.all.push_back(std::move(example));
    }
    return by_source;
}

Status add_apart(Disk& disk, Examples& examples, const Recipe& recipe, const std::string& dir) {
    const std::size_t before = examples.all.size();
    TRY(add_directory(disk, examples, recipe, dir));
    for (std::size_t at = before; at < examples.all.size(); ++at) {
        if (examples.all[at].truth != Class::None)
            return fail(
                Code::BadInput,
                {"une attaque parmi le courrier mis à part", "an attack among the mail kept apart"},
                {"n'y laissez que du courrier honnête", "leave only honest mail there"});
        examples.all[at].is_apart = true;
    }
    return {};
}

/// "1087 of 24 sources: os_apps, …", or "nothing".
std::string apart_in_words(const std::vector<TrainingExample>& all) {
    std::set<std::string> sources;
    std::size_t letters = 0;
    for (const TrainingExample& one : all) {
        if (!one.is_apart) continue;
        sources.insert(one.source);
        ++letters;
    }
    return letters == 0 ? "nothing"
                        : fmt::format("{} of {} sources: {}", letters, sources.size(),
                                      fmt::join(sources, " "));
}

/// Each real source counts as much as the square root of its size says, and all together what
/// the constants above allow.
void weigh_sources(Examples& examples,
                   const std::map<std::string, std::vector<std::size_t>>& by_source,
                   double generated_attacks) {
    for (const char side : {'+', '-'}) {
        double roots = 0;
        for (const auto& [name, members] : by_source)
            if (name.front() == side) roots += std::sqrt(static_cast<double>(members.size()));
        const double total =
            std::max(generated_attacks, 1.0) * (side == '+' ? kRealAttackShare : kRealHonestShare);
        for (const auto& [name, members] : by_source) {
            if (name.front() != side) continue;
            const double count = static_cast<double>(members.size());
            const double each = total * std::sqrt(count) / roots / count;
            const float share = name.substr(1) == kOldSpam ? kOldSpamShare : 1.0F;
            for (const std::size_t at : members)
                examples.all[at].weight = share * static_cast<float>(std::clamp(each, 0.2, 6.0));
        }
    }
}

}  // namespace

Result<Examples> gather_examples(Disk& disk, const Recipe& recipe) {
    Examples examples;
    TRY_STATUS(add_twins(examples, recipe));
    const auto attacks = std::ranges::count_if(
        examples.all, [](const TrainingExample& one) { return one.truth != Class::None; });
    std::map<std::string, std::vector<std::size_t>> by_source;
    for (const std::string& dir : recipe.apart) TRY_STATUS(add_apart(disk, examples, recipe, dir));
    for (const std::string& dir : recipe.data)
        for (auto& [source, members] : TRY(add_directory(disk, examples, recipe, dir))) {
            auto& all = by_source[source];
            all.insert(all.end(), members.begin(), members.end());
        }
    weigh_sources(examples, by_source, static_cast<double>(attacks));
    return examples;
}

Result<Trained> follow_recipe(Disk& disk, const Recipe& recipe) {
    const Examples examples = TRY(gather_examples(disk, recipe));
    Trained trained = TRY(train_model(examples.all, examples.vocabulary, recipe.options));
    trained.model.recipe = fmt::format(
        "twins {} seed {} authors {}; {} examples, {} attacks; without {}; apart {}", recipe.twins,
        recipe.seed, recipe.authors, trained.report.examples, trained.report.attacks,
        fmt::join(recipe.without, ","), apart_in_words(examples.all));
    return trained;
}

}  // namespace hygie::mail
