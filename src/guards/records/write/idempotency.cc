#include "guards/records/write/idempotency.h"

#include "base/cbor.h"
#include "crypto/aead.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"

namespace hygie::records {

namespace {

constexpr std::string_view kMemoryUrl = "urn:hygie:idempotency";
constexpr std::uint64_t kFieldsOfChange = 4;

crypto::Secret32 memory_key(const Desk& desk) {
    return crypto::derive(desk.options.key, "records/idempotency");
}

/// What makes two requests the same: all but what a proxy may change.
crypto::Hash digest_of(const Call& call) {
    Bytes all;
    cbor::Writer writer(all);
    writer.text(call.request.method);
    writer.text(call.request.path);
    writer.bytes(as_bytes(call.request.query));
    writer.bytes(call.request.body);
    return crypto::sha256(all);
}

std::unexpected<Error> no_memory() {
    return fail(Code::Corrupt,
                {"ce que retient la clé d'idempotence est illisible",
                 "what the idempotency key remembers cannot be read"},
                {"employez une nouvelle clé", "use a new key"});
}

struct Memory {
    Bytes digest{};
    std::vector<Remembered> changes{};
};

Result<Memory> read_memory(ByteView plaintext) {
    cbor::Reader reader(plaintext);
    if (TRY(reader.array()) != 2) return no_memory();
    Memory memory{.digest = to_bytes(TRY(reader.bytes()))};
    const std::uint64_t count = TRY(reader.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        if (TRY(reader.array()) != kFieldsOfChange) return no_memory();
        Remembered change;
        change.status = static_cast<int>(TRY(reader.number()));
        change.type = TRY(reader.text());
        change.id = TRY(reader.text());
        change.version = static_cast<std::uint32_t>(TRY(reader.number()));
        memory.changes.push_back(std::move(change));
    }
    return memory;
}

Result<Memory> open_memory(const Desk& desk, const Call& call, std::string_view body) {
    const auto document = TRY(fhir::parse(body));
    const auto extensions = document.root["extension"].items();
    if (extensions.empty()) return no_memory();
    const Bytes boxed = TRY(from_base64(extensions[0]["valueBase64Binary"].text()));
    const Bytes plaintext =
        TRY(crypto::unbox(memory_key(desk), as_bytes(call.actor.id.str()), boxed));
    return read_memory(plaintext);
}

}  // namespace

Result<std::string> memory_id(const Desk& desk, const Call& call) {
    const std::string_view key = call.request.header("idempotency-key");
    if (key.empty()) return std::string();
    if (key.size() > kIdempotencyKeyMax)
        return fail(Code::BadInput,
                    {"Idempotency-Key est trop long", "Idempotency-Key is too long"},
                    {"employez un UUID", "use a UUID"});
    const crypto::Secret32 secret = memory_key(desk);
    const std::string whose = call.actor.id.str() + '\n' + std::string(key);
    // Two tokens: an id that nobody else can guess, nor two keys share by chance.
    return to_hex(crypto::blind(secret, "first", whose)) +
           to_hex(crypto::blind(secret, "second", whose));
}

Answer<std::optional<std::vector<Remembered>>> recall(Desk& desk, const Call& call,
                                                      const std::string& id) {
    const auto found = desk.rooms.vault.find_own("Basic", id);
    if (!found) {
        if (found.error().code == Code::NotFound) return std::optional<std::vector<Remembered>>();
        return std::unexpected(Refusal(found.error()));
    }
    const auto version = TRY(desk.rooms.vault.read(*found));
    auto memory = TRY(open_memory(desk, call, version.body));
    if (std::ranges::equal(memory.digest, digest_of(call))) return std::move(memory.changes);
    return refuse(422, "duplicate",
                  {"cette Idempotency-Key a servi pour une autre demande",
                   "this Idempotency-Key was used for another request"},
                  {"employez une clé par demande", "use one key per request"});
}

fhir::Json memory_of(const Desk& desk, const Call& call, fhir::Arena& arena, const std::string& id,
                     const std::vector<Remembered>& changes) {
    Bytes plaintext;
    cbor::Writer writer(plaintext);
    writer.array(2);
    writer.bytes(digest_of(call));
    writer.array(changes.size());
    for (const Remembered& change : changes) {
        writer.array(kFieldsOfChange);
        writer.number(static_cast<std::uint64_t>(change.status));
        writer.text(change.type);
        writer.text(change.id);
        writer.number(change.version);
    }
    const Bytes boxed =
        crypto::box(memory_key(desk), as_bytes(call.actor.id.str()), plaintext, desk.rooms.random);
    const fhir::Json extension = arena.object(
        {{"url", arena.string(kMemoryUrl)}, {"valueBase64Binary", arena.string(to_base64(boxed))}});
    const fhir::Json code = arena.object({{"text", arena.string("Idempotency-Key")}});
    return arena.object({{"resourceType", arena.string("Basic")},
                         {"id", arena.string(id)},
                         {"extension", arena.array({&extension, 1})},
                         {"code", code}});
}

}  // namespace hygie::records
