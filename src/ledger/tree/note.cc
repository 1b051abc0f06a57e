#include "ledger/tree/note.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/sha256.h"
#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kDash = "\u2014 ";
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kEd25519KeyBytes = 32;
constexpr std::size_t kMlDsa44KeyBytes = 1312;

/// The characters that Unicode calls white space, as UTF-8.
constexpr std::array<std::string_view, 20> kSpaces = {
    " ",      "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002",
    "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
    "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

std::unexpected<Error> bad_key(const char* fr, const char* en) {
    return fail(
        Code::BadInput, {fr, en},
        {"recopiez la clé telle que son propriétaire la publie, de la forme nom+empreinte+base64",
         "copy the key exactly as its owner publishes it, in the form name+hash+base64"});
}

std::unexpected<Error> bad_note(const char* fr, const char* en) {
    return fail(Code::BadInput, {fr, en},
                {"reprenez la note telle que le journal la publie, octet pour octet",
                 "take the note again as the log publishes it, byte for byte"});
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20;
}

std::size_t key_bytes(KeyType type) {
    return type == KeyType::MlDsa44 ? kMlDsa44KeyBytes : kEd25519KeyBytes;
}

std::string id_hex(std::uint32_t id) {
    std::array<std::uint8_t, kIdBytes> bytes;
    store_be(bytes.data(), id);
    return to_hex(bytes);
}

/// What a cosignature signs (C2SP tlog-cosignature, Ed25519 signed message).
std::string cosigned_message(std::string_view text, std::uint64_t time) {
    std::string message = "cosignature/v1\ntime ";
    message += std::to_string(time);
    message += '\n';
    message += text;
    return message;
}

bool verify_ed25519(const VerifierKey& key, std::string_view message, ByteView bytes) {
    crypto::PublicKey public_key;
    crypto::Signature signature;
    if (key.key.size() != public_key.size() || bytes.size() != signature.size()) return false;
    std::ranges::copy(key.key, public_key.begin());
    std::ranges::copy(bytes, signature.begin());
    return crypto::verify(public_key, as_bytes(message), signature);
}

/// The time of a signature that verifies (0 when its type has none), or nothing.
std::optional<std::uint64_t> verify_one(const VerifierKey& key, std::string_view text,
                                        ByteView signature) {
    if (key.type == KeyType::Ed25519)
        return verify_ed25519(key, text, signature) ? std::optional<std::uint64_t>(0)
                                                    : std::nullopt;
    if (signature.size() < kTimeBytes) return std::nullopt;
    const auto time = load_be<std::uint64_t>(signature.data());
    if (time > INT64_MAX) return std::nullopt;
    if (!verify_ed25519(key, cosigned_message(text, time), signature.subspan(kTimeBytes)))
        return std::nullopt;
    return time;
}

Result<NoteSignature> parse_signature(std::string_view line) {
    const auto bad = [] {
        return bad_note("ligne de signature mal formée", "malformed signature line");
    };
    if (!line.starts_with(kDash)) return bad();
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return bad();
    const Bytes bytes = TRY(from_base64(line.substr(space + 1)));
    if (bytes.size() <= kIdBytes) return bad();
    return NoteSignature{std::string(line.substr(0, space)), load_be<std::uint32_t>(bytes.data()),
                         Bytes(bytes.begin() + kIdBytes, bytes.end())};
}

}  // namespace

bool is_key_name(std::string_view name) {
    if (name.empty() || !is_utf8(name) || name.contains('+') ||
        std::ranges::any_of(name, is_control))
        return false;
    return std::ranges::none_of(kSpaces,
                                [&](std::string_view space) { return name.contains(space); });
}

std::uint32_t key_id(std::string_view name, KeyType type, ByteView key) {
    const std::array<std::uint8_t, 2> between = {'\n', static_cast<std::uint8_t>(type)};
    Bytes front = to_bytes(as_bytes(name));
    append(front, between);
    return load_be<std::uint32_t>(crypto::sha256(front, key).data());
}

VerifierKey VerifierKey::of(std::string name, KeyType type, const crypto::PublicKey& key) {
    HYGIE_CHECK(is_key_name(name) && type != KeyType::MlDsa44,
                "a key of ours would be unreadable to others");
    const std::uint32_t id = key_id(name, type, key);
    return {std::move(name), type, Bytes(key.begin(), key.end()), id};
}

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
    const std::size_t first = vkey.find('+');
    const std::size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
    if (second == std::string_view::npos || !is_key_name(vkey.substr(0, first)))
        return bad_key("ce n'est pas une clé de vérification", "this is not a verifier key");
    const Bytes material = TRY(from_base64(vkey.substr(second + 1)));
    if (material.empty() || (material[0] != 0x01 && material[0] != 0x04 && material[0] != 0x06))
        return bad_key("type de signature inconnu", "unknown signature type");
    VerifierKey key{std::string(vkey.substr(0, first)), static_cast<KeyType>(material[0]),
                    Bytes(material.begin() + 1, material.end()), 0};
    if (key.key.size() != key_bytes(key.type))
        return bad_key("clé publique de longueur inattendue", "public key of unexpected length");
    key.id = key_id(key.name, key.type, key.key);
    if (vkey.substr(first + 1, second - first - 1) != id_hex(key.id))
        return bad_key("l'empreinte de la clé n'est pas la sienne",
                       "the hash in the key is not its own");
    return key;
}

std::string VerifierKey::str() const {
    Bytes material = {static_cast<std::uint8_t>(type)};
    append(material, key);
    return name + '+' + id_hex(id) + '+' + to_base64(material);
}

std::string NoteSignature::line() const {
    Bytes bytes(kIdBytes);
    store_be(bytes.data(), id);
    append(bytes, signature);
    return std::string(kDash) + name + ' ' + to_base64(bytes) + '\n';
}

Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines) {
    std::vector<NoteSignature> signatures;
    while (!lines.empty()) {
        const auto line = take_line(lines);
        if (!line)
            return bad_note("dernière ligne sans fin de ligne", "last line without a newline");
        if (signatures.size() == kNoteSignaturesMax)
            return bad_note("trop de signatures", "too many signatures");
        signatures.push_back(TRY(parse_signature(*line)));
    }
    if (signatures.empty()) return bad_note("note sans signature", "note without a signature");
    return signatures;
}

Result<Note> Note::parse(std::string_view bytes) {
    if (bytes.size() > kNoteBytesMax) return bad_note("note trop longue", "note too long");
    if (!is_utf8(bytes) ||
        std::ranges::any_of(bytes, [](char c) { return c != '\n' && is_control(c); }))
        return bad_note("la note n'est pas du texte UTF-8 propre",
                        "the note is not clean UTF-8 text");
    const std::size_t blank = bytes.rfind("\n\n");
    if (blank == std::string_view::npos)
        return bad_note("la note n'a pas de ligne vide avant les signatures",
                        "the note has no blank line before the signatures");
    auto signatures = TRY(parse_signatures(bytes.substr(blank + 2)));
    return Note{std::string(bytes.substr(0, blank + 1)), std::move(signatures)};
}

std::string Note::encode() const {
    std::string bytes = text + '\n';
    for (const NoteSignature& signature : signatures) bytes += signature.line();
    return bytes;
}

Result<std::vector<Verified>> verify_note(const Note& note,
                                          std::span<const VerifierKey* const> keys) {
    std::vector<Verified> verified;
    for (const NoteSignature& signature : note.signatures) {
        const auto known = std::ranges::find_if(keys, [&](const VerifierKey* key) {
            return key->type != KeyType::MlDsa44 && key->id == signature.id &&
                   key->name == signature.name;
        });
        if (known == keys.end()) continue;
        const auto time = verify_one(**known, note.text, signature.signature);
        if (!time)
            return fail(Code::Forged,
                        {"la signature de " + signature.name + " est fausse",
                         "the signature by " + signature.name + " is false"},
                        {"la note a été modifiée ou forgée : gardez-la comme preuve",
                         "the note was altered or forged: keep it as evidence"});
        verified.push_back({static_cast<std::size_t>(known - keys.begin()), *time});
    }
    return verified;
}

NoteSigner::NoteSigner(std::string name, KeyType type, crypto::SigningKey key)
    : verifier_(VerifierKey::of(std::move(name), type, key.public_key())), key_(std::move(key)) {}

NoteSignature NoteSigner::sign(std::string_view text) const {
    HYGIE_CHECK(verifier_.type == KeyType::Ed25519, "a cosigning key would sign what it must not");
    const crypto::Signature signature = key_.sign(as_bytes(text));
    return {verifier_.name, verifier_.id, Bytes(signature.begin(), signature.end())};
}

NoteSignature NoteSigner::cosign(std::string_view text, std::uint64_t time) const {
    HYGIE_CHECK(verifier_.type == KeyType::Cosignature, "a log key would make a cosignature");
    HYGIE_CHECK(time <= INT64_MAX, "no verifier would accept this time");
    const crypto::Signature signature = key_.sign(as_bytes(cosigned_message(text, time)));
    Bytes bytes(kTimeBytes);
    store_be(bytes.data(), time);
    append(bytes, signature);
    return {verifier_.name, verifier_.id, std::move(bytes)};
}

}  // namespace hygie::ledger
