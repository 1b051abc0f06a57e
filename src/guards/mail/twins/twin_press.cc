#include "guards/mail/twins/twin_press.h"

#include <array>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "guards/mail/twins/twin_attacker.h"
#include "guards/mail/twins/twin_mime.h"
#include "guards/mail/twins/twin_rough.h"

namespace hygie::mail {
namespace {

/// How many draws in a hundred are honest letters without a hostile twin.
constexpr unsigned kHonestPercent = 42;
/// How often another line of small print follows, in a hundred.
constexpr unsigned kSmallPrintPercent = 45;

/// The body with small print under it, as real mail has on either side; no line of it twice.
Result<std::string> write_body(Expansion& expansion, std::string_view form, std::uint64_t seed) {
    std::string body = TRY(expand(expansion, form));
    const auto* lines = expansion.grammar.find("footer", expansion.lang, expansion.author);
    std::set<std::size_t> printed;
    for (Dice small_print(seed ^ 0x666f6f74ULL); lines && small_print.chance(kSmallPrintPercent);) {
        const std::size_t at = expansion.dice.below(lines->size());
        if (printed.insert(at).second) body += "\n" + TRY(expand(expansion, (*lines)[at]));
    }
    return body;
}

std::string stem_of(const TwinScene& scene, Dice& dice) {
    static constexpr std::array<std::string_view, 10> kStems = {
        "facture", "document", "scan", "invoice", "commande",
        "releve",  "doc",      "cv",   "order",   "courrier"};
    return fmt::format("{}_{}", dice.pick(kStems), scene.facts.at("num"));
}

}  // namespace

TwinPress::TwinPress(const TwinLibrary& library, std::uint64_t seed, std::string_view authors,
                     std::size_t draws_per_world)
    : library_(library), dice_(seed), seed_(seed), draws_per_world_(draws_per_world) {
    for (const TwinTemplate& form : library.grammar.templates()) {
        if (authors.find(form.key("author", "A")) == std::string_view::npos) continue;
        (form.key("side") == "ham" ? honest_ : hostile_).push_back(&form);
    }
    world_ = make_world(library, seed);
}

Result<std::vector<Twin>> TwinPress::next() {
    world_changed_ = drawn_ > 0 && drawn_ % draws_per_world_ == 0;
    if (world_changed_) world_ = make_world(library_, seed_ + drawn_);
    ++drawn_;
    if (honest_.empty() || hostile_.empty())
        return fail(
            Code::BadInput, {"aucun modèle de cet auteur", "no template of that author"},
            {"les auteurs vont de A à X, Z et de 1 à 3", "authors go from A to X, Z and 1 to 3"});
    const bool honest = dice_.chance(kHonestPercent);
    const TwinTemplate& form = *dice_.pick(honest ? honest_ : hostile_);
    const std::uint64_t seed = dice_.next();
    std::vector<Twin> made;
    if (!honest) made.push_back(TRY(print(form, Side::Attack, seed)));
    if (form.key("side") != "attack") made.push_back(TRY(print(form, Side::Legitimate, seed)));
    for (Twin& twin : made) twin.has_counterpart = made.size() == 2;
    return made;
}

Result<Twin> TwinPress::print(const TwinTemplate& form, Side side, std::uint64_t seed) {
    Twin twin;
    twin.pair = fmt::format("{}-{:08x}", form.id, seed & 0xffffffff);
    twin.template_id = form.id;
    twin.author = form.key("author", "A");
    twin.lang = form.key("lang", "fr");
    twin.kind = form.key("kind");
    twin.side = side;
    if (side == Side::Attack && !class_named(form.key("class"), twin.truth))
        return fail(Code::BadInput,
                    {"modèle sans classe : " + form.id, "template without a class: " + form.id},
                    {"corrigez le fichier de modèles", "mend the template file"});
    TwinScene scene = make_scene(library_, world_, form, side, seed);
    Expansion expansion{.grammar = library_.grammar,
                        .lang = twin.lang,
                        .author = twin.author,
                        .side = side,
                        .facts = scene.facts,
                        .dice = Dice(seed ^ 0x776f726473ULL)};
    // By dice of their own: whether a template has a name changes nothing else of its letters.
    Expansion naming = expansion;
    naming.dice = Dice(seed ^ 0x6e616d65ULL);
    const std::string shown = TRY(expand(naming, form.from));
    const bool dressed_up = form.from.find("{from_") != std::string::npos;
    if (!shown.empty() && !dressed_up) name_sender(scene, shown);
    if (!shown.empty()) scene.from_name = shown;
    expansion.facts = scene.facts;
    TwinLetter letter;
    letter.subject = TRY(expand_subject(expansion, form.subject));
    letter.body = TRY(write_body(expansion, form.body, seed));
    // What only memory can judge stays as it is: its two sides must differ in one fact.
    const bool by_memory = twin.kind.starts_with("fovi") || form.key("sender") == "hacked";
    if (!by_memory) {
        Dice road(seed ^ 0x726f616479ULL);
        roughen(scene, letter, road);
    }
    Dice dressing(seed ^ 0x6d696d65ULL);
    const std::string stem = stem_of(scene, dressing);
    Dice filing(seed ^ 0x66696c65ULL);
    const std::vector<TwinFile> files = make_files(scene, stem, filing);
    if (!files.empty()) twin.shape = files.front().shape;
    twin.message = write_message(scene, letter, files, dressing);
    twin.envelope = envelope_json(scene);
    return twin;
}

Status write_twins(Disk& disk, const TwinLibrary& library, std::uint64_t seed, std::size_t count,
                   std::string_view authors, const std::string& dir) {
    TRY_STATUS(disk.make_dirs(dir));
    // One history for one directory, so one world.
    TwinPress press(library, seed, authors, std::numeric_limits<std::size_t>::max());
    const std::string history = press.world().history_json();
    TRY_STATUS(disk.write_file(join(dir, "history.json"), as_bytes(history)));
    std::string index = "path,label,class,lang,cluster,source,author,truth,shape\n";
    std::size_t written = 0;
    while (written < count) {
        for (const Twin& twin : TRY(press.next())) {
            const std::string name = fmt::format("{:06}", ++written);
            TRY_STATUS(disk.write_file(join(dir, name + ".eml"), as_bytes(twin.message)));
            TRY_STATUS(disk.write_file(join(dir, name + ".json"), as_bytes(twin.envelope)));
            index += fmt::format("{}.eml,{},{},{},{},twins,{},{},{}\n", name,
                                 twin.side == Side::Attack ? "phish" : "ham", twin.kind, twin.lang,
                                 twin.pair, twin.author, name_of(twin.truth), twin.shape);
        }
    }
    return disk.write_file(join(dir, "index.csv"), as_bytes(index));
}

}  // namespace hygie::mail
