#include "access/circles/policy_shelf.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/log.h"

namespace hygie::access {
namespace {

using nlohmann::json;

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt, {"les règles d'accès sont abîmées", "the access rules are damaged"},
                {"remettez-les : hygie access policy activate",
                 "put them there again: hygie access policy activate"});
}

bool is_none(const crypto::PublicKey& key) {
    return std::ranges::all_of(key, [](std::uint8_t byte) { return byte == 0; });
}

Result<PolicyShelf::Pack> decode(ByteView bytes) {
    if (bytes.empty()) return PolicyShelf::Pack{std::string(default_policy_text()), {}, {}};
    const json read = json::parse(as_text(bytes), nullptr, false);
    if (!read.is_object()) return damaged();
    const auto text = [&](const char* name) {
        const auto found = read.find(name);
        return found != read.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    PolicyShelf::Pack pack{text("text"), text("signature"), {}};
    const auto key = from_base64(text("key"));
    if (!key || key->size() != pack.key.size()) return damaged();
    std::ranges::copy(*key, pack.key.begin());
    return pack;
}

Bytes encode(const PolicyShelf::Pack& pack) {
    const json written = {
        {"text", pack.text}, {"signature", pack.signature}, {"key", to_base64(pack.key)}};
    return to_bytes(as_bytes(written.dump()));
}

Status check_pack(const PolicyShelf::Pack& before, const std::string& text,
                  const std::string& signature, std::optional<crypto::PublicKey> key) {
    const Policy policy = TRY(parse_policy(text));
    if (text == default_policy_text()) return {};
    const auto old = parse_policy(before.text);
    if (old && old->name == policy.name && policy.version < old->version)
        return fail(Code::Stale,
                    {"ce paquet est plus ancien que celui en vigueur",
                     "this pack is older than the one in force"},
                    {"donnez-lui un numéro de version plus grand, et signez-le",
                     "give it a greater version number, and sign it"});
    const crypto::PublicKey trusted = key.value_or(before.key);
    if (is_none(trusted))
        return fail(Code::Denied,
                    {"aucune clé n'est encore de confiance ici", "no key is trusted here yet"},
                    {"donnez la clé publique de qui signe les règles : --trust",
                     "give the public key of who signs the rules: --trust"});
    return check_signature(text, signature, {&trusted, 1});
}

}  // namespace

Result<std::unique_ptr<PolicyShelf>> PolicyShelf::open(const SealedFile::Doors& doors,
                                                       const std::string& dir,
                                                       const crypto::Secret32& key) {
    auto file = TRY(SealedFile::open(doors, dir, "policy", key));
    return std::unique_ptr<PolicyShelf>(new PolicyShelf(std::move(file)));
}

Result<PolicyShelf::Pack> PolicyShelf::pack() {
    return decode(TRY(file_->read()));
}

std::shared_ptr<const Policy> PolicyShelf::current() {
    const std::scoped_lock lock(mutex_);
    if (known_ && !file_->stale()) return known_;
    const auto read = pack();
    auto policy = read ? parse_policy(read->text) : std::unexpected(read.error());
    if (!policy) {
        log::warning("access.policy-unreadable", policy.error());
        known_.reset();
        static const auto closed = std::make_shared<const Policy>();
        return closed;
    }
    return known_ = std::make_shared<const Policy>(*std::move(policy));
}

Status PolicyShelf::check(const std::string& text, const std::string& signature,
                          std::optional<crypto::PublicKey> key) {
    return check_pack(TRY(pack()), text, signature, key);
}

Status PolicyShelf::put(std::string text, std::string signature,
                        std::optional<crypto::PublicKey> key) {
    const std::scoped_lock lock(mutex_);
    known_.reset();
    return file_->change([&](ByteView current) -> Result<Bytes> {
        const Pack before = TRY(decode(current));
        TRY_STATUS(check_pack(before, text, signature, key));
        return encode({text, signature, key.value_or(before.key)});
    });
}

}  // namespace hygie::access
