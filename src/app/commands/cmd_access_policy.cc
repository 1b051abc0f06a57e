#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/circle_load.h"
#include "access/circles/policy_diff.h"
#include "app/house/access_world.h"
#include "app/line/commands.h"
#include "crypto/ed25519.h"

namespace hygie::app {
namespace {

using nlohmann::json;

constexpr std::size_t kKeyBytesMax = 256;

Text verb_of(bool gains) {
    return gains ? Text{"gagne", "gains"} : Text{"perd", "loses"};
}

void print_matrix(Context& context, const std::vector<access::MatrixChange>& changes) {
    for (const access::MatrixChange& one : changes) {
        if (context.json) {
            context.out << json{{"code", one.code},
                                {"class", access::name_of(one.data)},
                                {"writing", one.writing},
                                {"change", one.gains ? "gains" : "loses"}}
                               .dump()
                        << "\n";
            continue;
        }
        context.out << fmt::format("{} ({}) {} {} : {}\n", one.code, context.say(one.title),
                                   context.say(verb_of(one.gains)),
                                   context.say(one.writing ? Text{"l'écriture", "writing"}
                                                           : Text{"la lecture", "reading"}),
                                   access::name_of(one.data));
    }
}

Status print_persons(Context& context, const access::Policy& before, const access::Policy& after) {
    const access::ReadFacts facts = TRY(read_facts(context));
    const auto old_world = access::CircleWorld::build(facts, before);
    const auto new_world = access::CircleWorld::build(facts, after);
    WallTime at = context.clock.now();
    if (context.values.has("--at")) at = TRY(from_rfc3339(context.values.text("--at")));
    const auto diff = access::diff_worlds(old_world, new_world, access::second_of(at));
    for (const access::PersonChange& one : diff.persons) {
        const std::string& name = old_world.actor_name(one.actor);
        if (context.json)
            context.out << json{{"actor", name}, {"gains", one.gains}, {"loses", one.losses}}.dump()
                        << "\n";
        else
            context.out << fmt::format("{} : +{} −{} ", name, one.gains, one.losses)
                        << context.say({"patients", "patients"}) << "\n";
    }
    if (diff.every > 1)
        context.err << context.say({"monde échantillonné, un patient sur ",
                                    "sampled world, one patient in "})
                    << diff.every << "\n";
    return {};
}

Result<int> diff(Context& context) {
    const access::Policy before = TRY(read_pack(context, context.values.text("OLD")));
    const access::Policy after = TRY(read_pack(context, context.values.text("NEW")));
    const auto matrix = diff_matrix(before, after);
    const auto limits = diff_limits(before, after);
    print_matrix(context, matrix);
    for (const std::string& name : limits) {
        if (context.json)
            context.out << json{{"limit", name}}.dump() << "\n";
        else
            context.out << context.say({"change : ", "changes: "}) << name << "\n";
    }
    if (context.values.has("--world")) TRY_STATUS(print_persons(context, before, after));
    if (!context.json && matrix.empty() && limits.empty())
        context.out << context.say({"Rien ne change.\n", "Nothing changes.\n"});
    return kExitOk;
}

Result<int> show(Context& context) {
    context.out << TRY(read_pack_text(context, context.values.text("PACK")));
    return kExitOk;
}

Result<crypto::SigningKey> read_key(Context& context, const std::string& path) {
    std::string text(as_text(TRY(context.disk.read_file(path, kKeyBytesMax))));
    while (text.ends_with('\n')) text.pop_back();
    const auto seed = from_base64(text);
    if (!seed || seed->size() != 32)
        return fail(Code::BadInput,
                    {"ce fichier n'est pas une clé de signature", "this file is no signing key"},
                    {"faites-en une : hygie access policy key FILE",
                     "make one: hygie access policy key FILE"});
    std::array<std::uint8_t, 32> bytes{};
    std::ranges::copy(*seed, bytes.begin());
    return crypto::SigningKey::from_seed(crypto::Secret32(bytes));
}

Result<int> make_key(Context& context) {
    const std::string& path = context.values.text("FILE");
    if (context.disk.exists(path))
        return fail(Code::AlreadyThere, {"ce fichier existe déjà", "this file is there already"},
                    {"donnez un autre nom", "give another name"});
    std::array<std::uint8_t, 32> seed{};
    context.random.fill(seed);
    TRY_STATUS(context.disk.replace_file(path, as_bytes(to_base64(seed) + "\n")));
    context.out << to_base64(crypto::SigningKey::from_seed(crypto::Secret32(seed)).public_key())
                << "\n";
    return kExitOk;
}

Result<int> sign(Context& context) {
    const std::string& path = context.values.text("PACK");
    const std::string text = TRY(read_pack_text(context, path));
    TRY(access::parse_policy(text));
    const auto key = TRY(read_key(context, context.values.text("--key")));
    const std::string signature = path + ".sig";
    TRY_STATUS(context.disk.replace_file(signature, as_bytes(access::sign_policy(text, key))));
    context.out << signature << "\n";
    return kExitOk;
}

Result<int> check(Context& context) {
    const std::string& path = context.values.text("PACK");
    const std::string text = TRY(read_pack_text(context, path));
    const access::Policy policy = TRY(access::parse_policy(text));
    if (context.values.has("--trust")) {
        const Bytes key = TRY(from_base64(context.values.text("--trust")));
        crypto::PublicKey trusted{};
        if (key.size() != trusted.size())
            return fail(Code::BadInput,
                        {"la clé publique fait 32 octets", "a public key is 32 bytes"},
                        {"donnez ce que « hygie access policy key » a écrit",
                         "give what 'hygie access policy key' wrote"});
        std::ranges::copy(key, trusted.begin());
        const Bytes signature = TRY(context.disk.read_file(path + ".sig", access::kPolicyBytesMax));
        TRY_STATUS(access::check_signature(text, as_text(signature), {&trusted, 1}));
    }
    context.out << fmt::format("{} {} ({})\n", policy.name, policy.version, to_hex(policy.hash));
    return kExitOk;
}

Parameter pack_argument(std::string name) {
    return {.name = std::move(name),
            .kind = Kind::File,
            .help = {"un paquet de règles, ou « default »", "a policy pack, or 'default'"},
            .required = true};
}

Command diff_command() {
    std::vector<Parameter> options = {world_options().front()};
    options.push_back(
        {.name = "--at",
         .placeholder = "TIME",
         .help = {"à cet instant ; maintenant par défaut", "at this instant; now by default"}});
    return {.path = {"access", "diff"},
            .summary = {"dit qui gagne et qui perd avec d'autres règles",
                        "says who gains and who loses under other rules"},
            .description = {"Avant de les mettre en vigueur : profession par profession, et avec "
                            "--world personne par personne.",
                            "Before they are in force: profession by profession, and with --world "
                            "person by person."},
            .options = options,
            .arguments = {pack_argument("OLD"), pack_argument("NEW")},
            .examples = {{"hygie access diff default new-pack.json --world hospital/",
                          {"Qui perdrait l'accès à qui ?", "Who would lose access to whom?"}}},
            .run = diff};
}

std::vector<Command> pack_commands() {
    return {
        {.path = {"access", "policy"},
         .summary = {"paquets de règles : voir, vérifier, signer",
                     "policy packs: show, check, sign"},
         .description = {"Profession × catégorie de données, en données signées et versionnées.",
                         "Profession × class of data, as signed and versioned data."}},
        {.path = {"access", "policy", "show"},
         .summary = {"écrit un paquet", "prints a pack"},
         .description = {"« default » est le paquet livré : profession par classe de données. "
                         "Modifiez-en une copie, puis comparez : hygie access diff.",
                         "\"default\" is the pack that is delivered: profession by class of "
                         "data. Change a copy of it, then compare: hygie access diff."},
         .arguments = {pack_argument("PACK")},
         .examples = {{"hygie access policy show default",
                       {"Partir du défaut :", "Start from the default:"}}},
         .run = show},
        {.path = {"access", "policy", "check"},
         .summary = {"vérifie un paquet et sa signature", "checks a pack and its signature"},
         .description =
             {"Lit le paquet comme le ferait le service, sans l'activer, et dit ce qui "
              "l'en empêcherait.",
              "Reads the pack as the service would, without activating it, and says what "
              "would prevent it."},
         .options = {{.name = "--trust",
                      .placeholder = "KEY",
                      .help = {"clé publique de confiance ; PACK.sig est alors exigé",
                               "trusted public key; PACK.sig is then required"}}},
         .arguments = {pack_argument("PACK")},
         .examples = {{"hygie access policy check new-pack.json",
                       {"Est-il bien formé ?", "Is it well formed?"}}},
         .run = check},
        {.path = {"access", "policy", "key"},
         .summary = {"crée une clé de signature", "makes a signing key"},
         .description = {"Écrit la clé privée dans FILE et affiche la clé publique.",
                         "Writes the private key to FILE and prints the public key."},
         .arguments = {{.name = "FILE",
                        .kind = Kind::File,
                        .help = {"un nouveau fichier", "a new file"},
                        .required = true}},
         .examples = {{"hygie access policy key officer.key", {"Une fois :", "Once:"}}},
         .run = make_key},
        {.path = {"access", "policy", "sign"},
         .summary = {"signe un paquet", "signs a pack"},
         .description = {"Écrit PACK.sig (Ed25519).", "Writes PACK.sig (Ed25519)."},
         .options = {{.name = "--key",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"la clé de signature", "the signing key"},
                      .required = true}},
         .arguments = {pack_argument("PACK")},
         .examples = {{"hygie access policy sign new-pack.json --key officer.key",
                       {"Avant de le proposer :", "Before proposing it:"}}},
         .run = sign}};
}

}  // namespace

std::vector<Command> access_policy_commands() {
    std::vector<Command> commands = {diff_command()};
    for (auto more : {pack_commands(), access_state_commands()})
        for (Command& command : more) commands.push_back(std::move(command));
    return commands;
}

}  // namespace hygie::app
