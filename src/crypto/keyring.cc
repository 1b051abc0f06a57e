#include "crypto/keyring.h"

#include <fmt/format.h>

#include "crypto/aead.h"
#include "crypto/root_file.h"
#include "crypto/sha256.h"
#include "crypto/sodium.h"
#include "crypto/tokens.h"
#include "crypto/wipe.h"

namespace hygie::crypto {
namespace {

using detail::RootFile;
using Kind = RootDescription::Kind;

constexpr std::uint64_t kRootFileBytesMax = 8192;
constexpr std::size_t kKeyFileBytes = 32;
constexpr std::size_t kCredentialBytesMin = 32;
constexpr std::size_t kCredentialBytesMax = 1 << 20;

static_assert(kInteractiveCost.passes == crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE &&
              kInteractiveCost.memory_bytes == crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE);
static_assert(kModerateCost.passes == crypto_pwhash_argon2id_OPSLIMIT_MODERATE &&
              kModerateCost.memory_bytes == crypto_pwhash_argon2id_MEMLIMIT_MODERATE);

template <typename... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

Kind kind_of(const Sealing& sealing) {
    return std::visit(Overloaded{[](const WithPassphrase&) { return Kind::Passphrase; },
                                 [](const WithCredential&) { return Kind::Credential; },
                                 [](const WithKeyFile&) { return Kind::KeyFile; }},
                      sealing);
}

/// A secret file's content; wiped when it goes.
struct Material {
    Bytes bytes;
    ~Material() { sodium_memzero(bytes.data(), bytes.size()); }
};

Result<Secret32> stretch(const WithPassphrase& with, const RootFile& file) {
    detail::sodium_ready();
    const std::string& passphrase = with.passphrase.reveal();
    Secret32 key;
    const int done = crypto_pwhash(key.mutable_view().data(), key.view().size(), passphrase.data(),
                                   passphrase.size(), file.salt.data(), file.cost.passes,
                                   file.cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
    if (done != 0)
        return fail(Code::Full,
                    {fmt::format("pas assez de mémoire pour la phrase de passe : {} Mio demandés",
                                 file.cost.memory_bytes >> 20),
                     fmt::format("not enough memory for the passphrase: {} MiB asked for",
                                 file.cost.memory_bytes >> 20)},
                    {"libérez de la mémoire, ou relevez la limite du service (MemoryMax)",
                     "free some memory, or raise the service's limit (MemoryMax)"});
    return key;
}

Result<Secret32> from_credential(Disk& disk, const WithCredential& with) {
    const Text remedy{
        fmt::format(
            "chargez-le dans l'unité systemd (LoadCredentialEncrypted={}:FICHIER), au moins "
            "{} octets aléatoires",
            with.name, kCredentialBytesMin),
        fmt::format("load it in the systemd unit (LoadCredentialEncrypted={}:FILE), at least {} "
                    "random bytes",
                    with.name, kCredentialBytesMin)};
    auto read = disk.read_file(join(with.directory, with.name), kCredentialBytesMax);
    if (!read)
        return fail(Code::Unavailable,
                    {fmt::format("le credential systemd {} est illisible", with.name),
                     fmt::format("the systemd credential {} cannot be read", with.name)},
                    remedy);
    const Material material{std::move(*read)};
    if (material.bytes.size() < kCredentialBytesMin)
        return fail(Code::BadInput,
                    {fmt::format("le credential systemd {} est trop court", with.name),
                     fmt::format("the systemd credential {} is too short", with.name)},
                    remedy);
    return Secret32(hmac_sha256(as_bytes("hygie root credential"), material.bytes));
}

/// A relative path starts from the folder of the root key, so that both can move together.
std::string place_of(const WithKeyFile& with, const std::string& root_path) {
    return with.path.starts_with('/') ? with.path : join(parent(root_path), with.path);
}

Result<Secret32> from_key_file(Disk& disk, const WithKeyFile& with, const std::string& root_path) {
    auto read = disk.read_file(place_of(with, root_path), kKeyFileBytes);
    if (!read && read.error().code == Code::NotFound)
        return fail(Code::NotFound,
                    {fmt::format("le fichier de clé {} est absent", with.path),
                     fmt::format("the key file {} is absent", with.path)},
                    {"montez le support qui le porte, ou réunissez les parts de récupération",
                     "mount the medium that holds it, or gather the recovery shares"});
    if (!read && read.error().code != Code::Full) return std::unexpected(read.error());
    const Material material{read ? std::move(*read) : Bytes()};
    if (material.bytes.size() != kKeyFileBytes)
        return fail(
            Code::BadInput,
            {fmt::format("{} n'est pas un fichier de clé de {} octets", with.path, kKeyFileBytes),
             fmt::format("{} is not a key file of {} bytes", with.path, kKeyFileBytes)},
            {"vérifiez le chemin du fichier de clé", "check the path of the key file"});
    return Secret32(hmac_sha256(as_bytes("hygie root key file"), material.bytes));
}

/// The key of the box, from what the caller has.
Result<Secret32> sealing_key(Disk& disk, const Sealing& sealing, const RootFile& file,
                             const std::string& root_path) {
    return std::visit(
        Overloaded{[&](const WithPassphrase& with) { return stretch(with, file); },
                   [&](const WithCredential& with) { return from_credential(disk, with); },
                   [&](const WithKeyFile& with) { return from_key_file(disk, with, root_path); }},
        sealing);
}

Status make_key_file(Disk& disk, Random& random, const std::string& path) {
    const Secret32 key(random.bytes<kKeyFileBytes>());
    TRY_STATUS(disk.make_dirs(parent(path)));
    return disk.replace_file(path, key.view());
}

/// What the file will say, and whatever must exist before a key can be sealed so.
Result<RootFile> prepare(Disk& disk, Random& random, const Sealing& sealing,
                         const std::string& root_path) {
    RootFile file;
    file.kind = kind_of(sealing);
    if (const auto* with = std::get_if<WithPassphrase>(&sealing)) {
        if (with->passphrase.reveal().size() < kPassphraseBytesMin)
            return fail(Code::BadInput, {"phrase de passe trop courte", "passphrase too short"},
                        {fmt::format("choisissez au moins {} caractères, par exemple cinq mots "
                                     "tirés au sort",
                                     kPassphraseBytesMin),
                         fmt::format("choose at least {} characters, for instance five words drawn "
                                     "at random",
                                     kPassphraseBytesMin)});
        file.cost = with->cost;
        file.salt = random.bytes<16>();
    } else if (const auto* from = std::get_if<WithCredential>(&sealing)) {
        file.name = from->name;
    } else {
        const auto& beside = std::get<WithKeyFile>(sealing);
        file.name = beside.path;
        const std::string place = place_of(beside, root_path);
        if (!disk.exists(place)) TRY_STATUS(make_key_file(disk, random, place));
    }
    return file;
}

Status store(Disk& disk, Random& random, const std::string& path, const Secret32& root,
             const Sealing& sealing) {
    RootFile file = TRY(prepare(disk, random, sealing, path));
    const Secret32 key = TRY(sealing_key(disk, sealing, file, path));
    file.box = box(key, detail::encode_associated(file), root.view(), random);
    TRY_STATUS(disk.make_dirs(parent(path)));
    return disk.replace_file(path, detail::encode_root_file(file));
}

Result<RootFile> read_root_file(Disk& disk, const std::string& path) {
    const Bytes bytes = TRY(disk.read_file(path, kRootFileBytesMax));
    return detail::decode_root_file(bytes);
}

std::unexpected<Error> sealed_otherwise(Kind kind) {
    constexpr const char* kFr[] = {"une phrase de passe", "un credential systemd",
                                   "un fichier de clé"};
    constexpr const char* kEn[] = {"a passphrase", "a systemd credential", "a key file"};
    const auto at = static_cast<std::size_t>(kind) - 1;
    return fail(
        Code::BadInput,
        {fmt::format("la clé racine est scellée par {}", kFr[at]),
         fmt::format("the root key is sealed by {}", kEn[at])},
        {"changez la configuration pour l'ouvrir ainsi", "change the configuration to open it so"});
}

std::unexpected<Error> refused(Kind kind) {
    const Text or_shares{" ; si elle est perdue, réunissez les parts de récupération",
                         "; if it is lost, gather the recovery shares"};
    if (kind == Kind::Passphrase)
        return fail(Code::Denied, {"phrase de passe refusée", "passphrase refused"},
                    {"retapez-la (majuscules, disposition du clavier)" + or_shares.fr,
                     "type it again (capitals, keyboard layout)" + or_shares.en});
    return fail(Code::Denied,
                {"ce secret n'ouvre pas la clé racine", "this secret does not open the root key"},
                {"donnez le credential ou le fichier de clé d'origine" + or_shares.fr,
                 "give the original credential or key file" + or_shares.en});
}

Text protection_of(const RootFile& file) {
    switch (file.kind) {
        case Kind::Passphrase:
            return {fmt::format("une phrase de passe, {} Mio et {} passes par essai",
                                file.cost.memory_bytes >> 20, file.cost.passes),
                    fmt::format("a passphrase, {} MiB and {} passes per guess",
                                file.cost.memory_bytes >> 20, file.cost.passes)};
        case Kind::Credential:
            return {fmt::format("le credential systemd {} (TPM ou clé de la machine)", file.name),
                    fmt::format("the systemd credential {} (TPM or host key)", file.name)};
        case Kind::KeyFile:
            break;
    }
    return {fmt::format("le seul fichier {} : qui l'emporte avec ce disque lit tout", file.name),
            fmt::format("the file {} alone: whoever takes it with this disk reads everything",
                        file.name)};
}

}  // namespace

Secret32 RootKey::domain(std::string_view name) const {
    return derive(secret_, fmt::format("hygie/domain/{}", name));
}

Result<WithCredential> credential(Process& process, const std::string& name) {
    const std::string directory = process.environment("CREDENTIALS_DIRECTORY");
    if (directory.empty() || name.empty() || name.contains('/'))
        return fail(Code::Unavailable,
                    {fmt::format("systemd ne fournit pas le credential {}", name),
                     fmt::format("systemd provides no credential {}", name)},
                    {"lancez hygie par son unité systemd, avec LoadCredentialEncrypted=NOM:FICHIER",
                     "start hygie by its systemd unit, with LoadCredentialEncrypted=NAME:FILE"});
    return WithCredential{directory, name};
}

Result<RootKey> create_root(Disk& disk, Random& random, const std::string& path,
                            const Sealing& sealing) {
    if (disk.exists(path))
        return fail(Code::AlreadyThere,
                    {fmt::format("une clé racine existe déjà : {}", path),
                     fmt::format("a root key exists already: {}", path)},
                    {"choisissez un autre répertoire : la remplacer rendrait tout illisible",
                     "choose another directory: replacing it would make everything unreadable"});
    RootKey root{Secret32(random.bytes<32>())};
    TRY_STATUS(store(disk, random, path, root.secret(), sealing));
    return root;
}

Result<RootKey> open_root(Disk& disk, const std::string& path, const Sealing& sealing) {
    const RootFile file = TRY(read_root_file(disk, path));
    if (file.kind != kind_of(sealing)) return sealed_otherwise(file.kind);
    const Secret32 key = TRY(sealing_key(disk, sealing, file, path));
    auto opened = unbox(key, detail::encode_associated(file), file.box);
    if (!opened) return refused(file.kind);
    const Material root{std::move(*opened)};
    return RootKey(Secret32(ByteView(root.bytes).first<32>()));
}

Status reseal(Disk& disk, Random& random, const std::string& path, const RootKey& root,
              const Sealing& sealing) {
    std::unique_ptr<File> old;
    if (disk.exists(path)) old = TRY(disk.open(path, Open::ReadWrite));
    TRY_STATUS(store(disk, random, path, root.secret(), sealing));
    // The old file has no name any more; its bytes go before its last handle does.
    return old ? wipe(*old) : Status();
}

Result<RootDescription> describe(Disk& disk, const std::string& path) {
    const RootFile file = TRY(read_root_file(disk, path));
    return RootDescription{file.kind, file.cost, file.name, file.kind != Kind::Passphrase,
                           protection_of(file)};
}

}  // namespace hygie::crypto
