#include "fhir/clinical/clinical_substance.h"

#include <algorithm>

#include "fhir/search/search_value.h"

namespace hygie::fhir {

namespace {

constexpr std::string_view kAtc = "http://www.whocc.no/atc";

/// Drugs with crossed allergies: stems of their names (folded, French and English), how words of
/// prescriptions begin that name a French brand (as composed in the Base de données publique des
/// médicaments, https://base-donnees-publique.medicaments.gouv.fr), and ATC groups.
struct Family {
    std::string_view fr, en;
    std::string_view stems;       ///< between spaces
    std::string_view brands;      ///< between spaces
    std::string_view atc;         ///< between spaces
    std::string_view words = {};  ///< whole ones, between spaces: too short to be looked for within
};
constexpr Family kFamilies[] = {
    {"pénicillines", "penicillins", " cillin cilline ",
     " augmentin clamoxyl amodex orbenine selexid negaban claventin unacim ", " J01C "},
    {"céphalosporines", "cephalosporins", " cefa cefi cefo cefp ceft cefu cefe ceph ",
     " orelox zinnat oroken rocephine alfatil keforal fortum axepim texodil taketiam zinforo "
     "mabelio zerbaxa zavicefta ",
     " J01DB J01DC J01DD J01DE "},
    {"sulfamides", "sulfonamides", " sulfa sulfon ",
     " bactrim cotrimoxazole trimoxazole adiazine flammazine fansidar salazopyrine ", " J01E "},
    {"macrolides", "macrolides", " thromycin thromycine josamycin spiramycin macrolid ",
     " zithromax azadose azyter zeclar rulid josacine rovamycine rodogyl birodogyl egery ketek ",
     " J01FA "},
    {"quinolones", "quinolones", " floxacin floxacine quinolon ",
     " ciflox uniflox tavanic oflocet monoflocet izilox enoxor peflacine logiflox ", " J01M "},
    {"tétracyclines", "tetracyclines", " cycline ",
     " tetralysal vibramycine tolexine mynocine granudoxy doxylis spanor physiomycine tygacil ",
     " J01A "},
    {"aspirine et anti-inflammatoires", "aspirin and anti-inflammatory drugs",
     " aspirin aspirine acetylsalicyl ibuprofen ketoprofen naproxen diclofenac flurbiprofen "
     "piroxicam meloxicam aceclofenac indometacin celecoxib nsaid inflammatoire inflammatory ",
     " aspegic kardegic resitune aspro duoplavin advil nurofen nureflex spedifen upfen "
     "antarene ibufetum profenid ketum toprec apranax naprosyne aleve voltarene flector xenid "
     "artotec cartrex surgam feldene brexin mobic nifluril ponstyl antadys cebutid strefen "
     "indocid celebrex arcoxia ",
     " M01A N02BA B01AC06 ", " ains "},
    {"morphiniques", "opioids", " morphin codein oxycod tramadol fentanyl opioid opiace ",
     " skenan actiskenan oramorph moscontin sevredol sophidone oxycontin oxynorm oxsynia contramal "
     "topalgic zamudol takadol biodalgic monocrixo ixprim zaldiar durogesic matrifen abstral "
     "instanyl effentora pecfent breakyl codoliprane klipal lindilane prontalgine dicodin "
     "lamaline izalgi ",
     " N02A "},
    {"anesthésiques locaux amides", "amide local anaesthetics",
     " idocain ivacain articain prilocain ",
     " xylocaine xylonor xylocard emla anesderm versatis naropeine chirocaine septanest alphacaine "
     "ubistesin primacaine deltazine ",
     " N01BB "},
    {"produits de contraste iodés", "iodinated contrast media",
     " iohexol iopamidol iomeprol iobitridol iodixanol ioversol iopromide contrast ",
     " omnipaque iopamiron iomeron xenetix visipaque optiray optiject ultravist hexabrix telebrix ",
     " V08A "},
};

/// Words that say how, not what.
constexpr std::string_view kPlain =
    " allergy allergie allergic allergique intolerance intolerant reaction hypersensitivity "
    "hypersensibilite substance product produit medication medicament drug tablet tablets "
    "comprime comprimes capsule capsules gelule gelules oral orale solution injection injectable "
    "suspension topical cream creme potassium sodium calcium hydrochloride chlorhydrate sulfate "
    "sulphate acetate phosphate extended release liberation containing contenant vaccine vaccin "
    "preservative other autre disorder finding propensity adverse against dose pediatric adult "
    "adulte enfant acide animal product ";
constexpr std::size_t kWordMin = 5;

/// Calls `use(word)` for the words of a folded text.
template <typename Use>
void each_word(std::string_view text, Use&& use) {
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" ,;/()[]"), text.size());
        if (end > 0) use(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// A plural counts as its singular.
std::string_view singular(std::string_view word) {
    return word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
}

bool is_name(std::string_view word) {
    return word.size() >= kWordMin && !kPlain.contains(" " + std::string(word) + " ");
}

bool share_a_word(std::string_view one, std::string_view other) {
    bool found = false;
    each_word(one, [&](std::string_view word) {
        if (found || !is_name(word)) return;
        each_word(other, [&](std::string_view each) {
            found = found || singular(each) == singular(word);
        });
    });
    return found;
}

/// Of a salt: "sulfate de morphine" is no sulfonamide.
bool is_sulfate(std::string_view word) {
    return word.contains("sulfate");
}

bool has_stem(std::string_view text, std::string_view stems) {
    bool found = false;
    each_word(text, [&](std::string_view word) {
        if (found || is_sulfate(word)) return;
        each_word(stems, [&](std::string_view stem) { found = found || word.contains(stem); });
    });
    return found;
}

/// "augmentin®" and "xylocaïne", but not what has a brand's name within.
bool has_brand(std::string_view text, std::string_view brands) {
    bool found = false;
    each_word(text, [&](std::string_view word) {
        if (found) return;
        each_word(brands,
                  [&](std::string_view brand) { found = found || word.starts_with(brand); });
    });
    return found;
}

/// "AINS" and "AINS:", but neither "ainsi" nor "certains".
bool has_word(std::string_view text, std::string_view words) {
    bool found = false;
    each_word(text, [&](std::string_view word) {
        const auto end = std::ranges::find_if(word, [](char c) { return c < 'a' || c > 'z'; });
        const std::string_view name(word.begin(), end);
        each_word(words, [&](std::string_view each) { found = found || name == each; });
    });
    return found;
}

bool has_group(std::string_view code, std::string_view groups) {
    bool found = false;
    each_word(groups, [&](std::string_view group) { found = found || code.starts_with(group); });
    return found;
}

/// A letter and two digits, or a finer group.
bool is_atc_group(std::string_view code) {
    constexpr std::size_t kGroupMin = 3;
    return code.size() >= kGroupMin;
}

}  // namespace

void Substances::add_text(std::string_view text) {
    auto folded = fold(text);
    if (!folded.empty()) names.push_back(std::move(folded));
}

void Substances::add_concept(Json codeable_concept) {
    for (const Json coding : codeable_concept["coding"].items()) {
        if (coding["code"]) codes.push_back({coding["system"].text(), coding["code"].text()});
        add_text(coding["display"].text());
    }
    add_text(codeable_concept["text"].text());
}

void Substances::add_medication(Json medication) {
    add_concept(medication["code"]);
    for (const Json ingredient : medication["ingredient"].items())
        add_concept(ingredient["itemCodeableConcept"]);
}

SubstanceMatch match_of(const Substances& allergen, const Substances& drug) {
    using Kind = SubstanceMatch::Kind;
    for (const auto& one : allergen.codes) {
        for (const auto& other : drug.codes) {
            if (one.system != other.system || one.code.empty()) continue;
            const bool in_group =
                one.system == kAtc && is_atc_group(one.code) && other.code.starts_with(one.code);
            if (one.code == other.code || in_group) return {Kind::Same, {}};
        }
    }
    for (const auto& one : allergen.names)
        for (const auto& other : drug.names)
            if (share_a_word(one, other)) return {Kind::Same, {}};
    const auto belongs = [](const Substances& what, const Family& family) {
        return std::ranges::any_of(what.names,
                                   [&](const std::string& text) {
                                       return has_stem(text, family.stems) ||
                                              has_brand(text, family.brands) ||
                                              has_word(text, family.words);
                                   }) ||
               std::ranges::any_of(what.codes, [&](const auto& code) {
                   return code.system == kAtc && has_group(code.code, family.atc);
               });
    };
    for (const Family& family : kFamilies)
        if (belongs(allergen, family) && belongs(drug, family))
            return {Kind::Family, {std::string(family.fr), std::string(family.en)}};
    return {};
}

}  // namespace hygie::fhir
