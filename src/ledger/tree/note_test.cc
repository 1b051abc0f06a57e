#include "ledger/tree/note.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/tree/checkpoint.h"

namespace hygie::ledger {
namespace {

// The example of C2SP signed-note.
constexpr char kKey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr char kNote[] =
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";

NoteSigner signer(const std::string& name, KeyType type, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return {name, type, crypto::SigningKey::from_seed(crypto::Secret32(bytes))};
}

Result<std::vector<Verified>> verify(const Note& note, std::vector<VerifierKey> keys) {
    std::vector<const VerifierKey*> pointers;
    for (const VerifierKey& key : keys) pointers.push_back(&key);
    return verify_note(note, pointers);
}

TEST(Note, VerifiesTheExampleOfTheSpecification) {
    const VerifierKey key = VerifierKey::parse(kKey).value();
    EXPECT_EQ(key.name, "example.com/foo");
    EXPECT_EQ(key.id, 0x530d903au);
    EXPECT_EQ(key.str(), kKey);
    const Note note = Note::parse(kNote).value();
    EXPECT_EQ(note.text, "This is an example message.\n");
    EXPECT_EQ(note.encode(), kNote);
    EXPECT_EQ(verify(note, {key}).value(), (std::vector<Verified>{{0, 0}}));
}

TEST(Note, EveryFlippedBitIsRefusedOrIgnored) {
    const VerifierKey key = VerifierKey::parse(kKey).value();
    const std::string good = kNote;
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        const auto note = Note::parse(bad);
        if (!note) continue;
        EXPECT_EQ(note->encode(), bad);
        const auto verified = verify(*note, {key});
        EXPECT_TRUE(!verified || verified->empty()) << "bit " << bit;
    }
}

TEST(Note, RefusesBadKeys) {
    const std::string key = kKey;
    for (const std::string& bad :
         {std::string(), std::string("example.com/foo"), key.substr(0, 30), key + "A",
          "example.com/foo+530D903A" + key.substr(24), "example.com/fop" + key.substr(15),
          "+530d903a" + key.substr(24), "a b" + key.substr(15),
          key.substr(0, 25) + "AA==", key.substr(0, 25) + "B" + key.substr(26)})
        EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
}

TEST(Note, KeyNamesAreOneWord) {
    for (const char* good : {"a", "example.com/log", "hôpital.example/journal", "—"})
        EXPECT_TRUE(is_key_name(good));
    for (const char* bad :
         {"", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\u3000", "a\tb", "a\nb", "\xff"})
        EXPECT_FALSE(is_key_name(bad)) << bad;
}

TEST(Note, RefusesMalformedNotes) {
    const std::string signature = Note::parse(kNote).value().signatures[0].line();
    const auto line_of = [](const std::string& rest) { return "text\n\n— " + rest + "\n"; };
    for (const std::string& bad : {std::string(),
                                   std::string("text\n"),
                                   std::string("text\n\n"),
                                   "text\n" + signature,
                                   "text\n\n\n" + signature + "x",
                                   "text\n\n" + signature + "\n",
                                   "text\r\n\n" + signature,
                                   "te\x01xt\n\n" + signature,
                                   "t\xff\n\n" + signature,
                                   "text\n\n" + signature.substr(0, signature.size() - 1),
                                   "text\n\n-" + signature.substr(3),
                                   line_of("name"),
                                   line_of("name "),
                                   line_of("name AAAA"),
                                   line_of("name AAAAAA=="),
                                   line_of(" AAAAAAA="),
                                   line_of("na+me AAAAAAA="),
                                   line_of("name AAAAAAA= "),
                                   line_of("name  AAAAAAA="),
                                   line_of("name AAAAAAB=")})
        EXPECT_FALSE(Note::parse(bad)) << bad;
    EXPECT_TRUE(Note::parse(line_of("name AAAAAAA=")));
    EXPECT_TRUE(Note::parse("\n\n" + signature)) << "an empty text is a text";
}

TEST(Note, TheTextMayHoldEmptyLines) {
    const auto log = signer("log", KeyType::Ed25519, 1);
    const std::string text = "one\n\n\ntwo\n";
    const Note note{text, {log.sign(text)}};
    EXPECT_EQ(Note::parse(note.encode()).value(), note);
    EXPECT_EQ(verify(note, {log.verifier()})->size(), 1u);
}

TEST(Note, AcceptsManySignaturesUpToTheNamedMaximum) {
    const auto log = signer("log", KeyType::Ed25519, 1);
    Note note{"text\n", {}};
    for (std::size_t i = 0; i < kNoteSignaturesMax; ++i)
        note.signatures.push_back(log.sign(note.text));
    EXPECT_EQ(Note::parse(note.encode()).value(), note);
    note.signatures.push_back(note.signatures[0]);
    EXPECT_FALSE(Note::parse(note.encode()));
    EXPECT_FALSE(Note::parse(std::string(kNoteBytesMax + 1, 'a')));
}

TEST(Note, UnknownKeysAreIgnoredAndKnownOnesMustVerify) {
    const auto log = signer("log", KeyType::Ed25519, 1);
    const auto other = signer("log", KeyType::Ed25519, 2);
    Note note{"text\n", {other.sign("something else\n"), log.sign("text\n")}};
    EXPECT_EQ(verify(note, {log.verifier()}).value(), (std::vector<Verified>{{0, 0}}));
    const auto refused = verify(note, {log.verifier(), other.verifier()});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::Forged);
    note.signatures.push_back(log.sign("text\n"));
    note.signatures.back().signature[5] ^= 1;
    EXPECT_FALSE(verify(note, {log.verifier()})) << "a false duplicate condemns the note too";
}

TEST(Note, CosignaturesBindTheirTime) {
    const auto witness = signer("witness", KeyType::Cosignature, 3);
    const std::string text = "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    Note note{text, {witness.cosign(text, 1'679'315'147)}};
    EXPECT_EQ(note.signatures[0].signature.size(), 72u);
    EXPECT_EQ(verify(note, {witness.verifier()}).value(),
              (std::vector<Verified>{{0, 1'679'315'147}}));
    note.signatures[0].signature[7] ^= 1;
    EXPECT_FALSE(verify(note, {witness.verifier()}));
    note.signatures[0].signature.resize(7);
    EXPECT_FALSE(verify(note, {witness.verifier()}));
}

TEST(Note, ATypeOfSignatureCannotPassForAnother) {
    const auto log = signer("same", KeyType::Ed25519, 4);
    const auto witness = signer("same", KeyType::Cosignature, 4);
    EXPECT_NE(log.verifier().id, witness.verifier().id);
    NoteSignature swapped = log.sign("text\n");
    swapped.id = witness.verifier().id;
    EXPECT_FALSE(verify({"text\n", {swapped}}, {witness.verifier()}));
}

TEST(Note, PostQuantumLinesAreKeptButNeverCount) {
    Bytes material = {0x06};
    material.resize(1 + 1312, 7);
    const std::uint32_t id = key_id("pq", KeyType::MlDsa44, ByteView(material).subspan(1));
    Bytes id_bytes(4);
    store_be(id_bytes.data(), id);
    const auto key =
        VerifierKey::parse("pq+" + to_hex(id_bytes) + "+" + to_base64(material)).value();
    const Note note{"text\n", {{"pq", id, Bytes(8 + 2420, 9)}}};
    EXPECT_EQ(Note::parse(note.encode()).value(), note);
    EXPECT_TRUE(verify(note, {key})->empty());
}

TEST(Note, WhatIsWrittenIsReadBack) {
    EXPECT_TRUE(rc::check([](std::vector<Bytes> signatures) {
        Note note{"text\n", {}};
        for (Bytes& bytes : signatures) {
            if (bytes.empty()) bytes.push_back(0);
            if (note.signatures.size() < kNoteSignaturesMax)
                note.signatures.push_back({"name", 7, bytes});
        }
        if (note.signatures.empty()) note.signatures.push_back({"name", 7, {1}});
        RC_ASSERT(Note::parse(note.encode()).value() == note);
    }));
}

}  // namespace
}  // namespace hygie::ledger
