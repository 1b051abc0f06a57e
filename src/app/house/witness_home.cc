#include "app/house/witness_home.h"

#include "ledger/tree/canonical.h"
#include "serve/witness_routes.h"

namespace hygie::app {
namespace {

std::string key_path(const std::string& dir) {
    return join(dir, "key");
}
std::string logs_path(const std::string& dir) {
    return join(dir, "logs");
}

constexpr std::size_t kFileBytesMax = 1 << 20;

}  // namespace

bool WitnessHome::exists() const {
    return disk_.exists(key_path(dir_));
}

std::string WitnessHome::memory() const {
    return join(dir_, "memory");
}

Status WitnessHome::create(Random& random, const std::string& name) const {
    if (!ledger::is_key_name(name))
        return fail(
            Code::BadInput, {"nom de témoin invalide", "invalid name of a witness"},
            {"choisissez un nom sans espace ni « + »", "choose a name without spaces or '+'"});
    TRY_STATUS(disk_.make_dirs(dir_));
    if (exists())
        return fail(Code::AlreadyThere,
                    {"ce dossier est déjà celui d'un témoin", "this folder is a witness's already"},
                    {"choisissez un autre dossier", "choose another folder"});
    const crypto::Secret32 seed{random.bytes<32>()};
    const std::string file = name + "\n" + to_base64(seed.view()) + "\n";
    return disk_.replace_file(key_path(dir_), as_bytes(file));
}

Result<ledger::NoteSigner> WitnessHome::signer() const {
    if (!exists())
        return fail(Code::NotFound, {"aucun témoin dans " + dir_, "no witness in " + dir_},
                    {"créez-en un : hygie ledger witness init " + dir_ + " --name NOM",
                     "make one: hygie ledger witness init " + dir_ + " --name NAME"});
    const Bytes bytes = TRY(disk_.read_file(key_path(dir_), kFileBytesMax));
    std::string_view text = as_text(bytes);
    const auto name = ledger::take_line(text);
    const auto seed = ledger::take_line(text);
    const Bytes secret = TRY(from_base64(seed.value_or("")));
    if (!name || !ledger::is_key_name(*name) || secret.size() != 32 || !text.empty())
        return fail(Code::Corrupt, {"clé de témoin illisible", "unreadable key of a witness"},
                    {"restaurez le fichier « key » depuis une sauvegarde",
                     "restore the file 'key' from a backup"});
    const crypto::Secret32 key(std::span<const std::uint8_t, 32>(secret.data(), 32));
    return ledger::NoteSigner(std::string(*name), ledger::KeyType::Cosignature,
                              crypto::SigningKey::from_seed(key));
}

Result<std::vector<ledger::Policy::Log>> WitnessHome::logs() const {
    std::vector<ledger::Policy::Log> logs;
    if (!disk_.exists(logs_path(dir_))) return logs;
    const Bytes bytes = TRY(disk_.read_file(logs_path(dir_), kFileBytesMax));
    std::string_view text = as_text(bytes);
    while (const auto line = ledger::take_line(text))
        logs.push_back({TRY(ledger::VerifierKey::parse(*line)), ""});
    return logs;
}

Status WitnessHome::trust(const ledger::VerifierKey& log) const {
    std::string lines;
    for (const auto& known : TRY(logs())) {
        if (known.key == log) return {};
        lines += known.key.str() + "\n";
    }
    lines += log.str() + "\n";
    return disk_.replace_file(logs_path(dir_), as_bytes(lines));
}

Result<ServedWitness> serve_witness(Disk& disk, Clock& clock, const WitnessHome& home,
                                    const std::string& listen) {
    ServedWitness served;
    served.witness = TRY(
        ledger::Witness::open(disk, clock, home.memory(), TRY(home.signer()), TRY(home.logs())));
    served.server =
        TRY(serve::HttpServer::start({.listen = listen, .limits = serve::witness_limits()}, clock,
                                     serve::witness_routes(*served.witness)));
    return served;
}

}  // namespace hygie::app
