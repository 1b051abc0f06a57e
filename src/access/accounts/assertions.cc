#include "access/accounts/assertions.h"

#include <algorithm>

#include "access/accounts/account_codec.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"

namespace hygie::access {
namespace {

constexpr std::uint64_t kVersion = 1, kUsedFields = 2;

/// One that was used: of which client, and its jti; until when it would be good.
struct Used {
    crypto::Hash name{};
    WallTime expires{};
};

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"le fichier des assertions est illisible", "the file of assertions is unreadable"},
                {"attendez cinq minutes, puis supprimez-le", "wait five minutes, then remove it"});
}

std::unexpected<Error> stale() {
    return fail(Code::Stale,
                {"jeton expiré, trop long ou pas encore valable",
                 "token expired, too long-lived or not valid yet"},
                {"réglez l'heure du programme et signez pour moins de cinq minutes",
                 "set the program's clock and sign for less than five minutes"});
}

void write_used(cbor::Writer& out, const Used& used) {
    out.array(kUsedFields);
    out.bytes(used.name);
    out.number(to_number(used.expires));
}

Result<Used> read_used(cbor::Reader& in) {
    Used used;
    if (TRY(in.array()) != kUsedFields) return corrupt();
    const ByteView name = TRY(in.bytes());
    if (name.size() != used.name.size()) return corrupt();
    std::ranges::copy(name, used.name.begin());
    used.expires = TRY(to_time(TRY(in.number())));
    return used;
}

Result<std::vector<Used>> decode(ByteView bytes) {
    return read_list(bytes, kVersion, Assertions::kRememberedMax, read_used, corrupt);
}

}  // namespace

Result<std::unique_ptr<Assertions>> Assertions::open(const SealedFile::Doors& doors,
                                                     const std::string& dir,
                                                     const crypto::Secret32& key) {
    auto file = TRY(SealedFile::open(doors, dir, "assertions", crypto::derive(key, "assertions")));
    TRY(decode(TRY(file->read())));
    return std::unique_ptr<Assertions>(new Assertions(std::move(file)));
}

Status Assertions::accept(const Jwt& jwt, const std::vector<PublicKey>& keys, const ActorId& client,
                          std::string_view audience, WallTime now) {
    TRY_STATUS(verify_jwt(jwt, keys));
    const bool ours = jwt.issuer == client.str() && jwt.subject == client.str() &&
                      std::ranges::find(jwt.audience, audience) != jwt.audience.end();
    if (!ours || jwt.id.empty())
        return fail(
            Code::Forged,
            {"cette assertion n'est pas pour ce service", "this assertion is not for this service"},
            {"iss et sub : l'identifiant du programme ; aud : l'adresse du jeton ; jti : unique",
             "iss and sub: the program's login; aud: the token address; jti: unique"});
    if (jwt.expires <= now - kClockSkew || jwt.expires > now + kLifeMax + kClockSkew ||
        jwt.issued > now + kClockSkew || jwt.not_before > now + kClockSkew)
        return stale();
    const Used used{crypto::sha256(as_bytes(client.str() + "\n" + jwt.id)), jwt.expires};
    return file_->change([&](ByteView current) -> Result<Bytes> {
        std::vector<Used> all = TRY(decode(current));
        std::erase_if(all, [&](const Used& one) { return one.expires + kClockSkew < now; });
        if (std::ranges::find(all, used.name, &Used::name) != all.end())
            return fail(Code::Denied, {"assertion déjà utilisée", "assertion used before"},
                        {"signez une nouvelle assertion, avec un nouveau jti",
                         "sign a new assertion with a new jti"});
        if (all.size() >= kRememberedMax)
            return fail(
                Code::Full, {"trop d'assertions en cours", "too many assertions under way"},
                {"réutilisez le jeton reçu jusqu'à sa fin", "use the token you got until it ends"});
        all.push_back(used);
        return write_list(kVersion, all, write_used);
    });
}

}  // namespace hygie::access
