#include "guards/files/content/finding.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <map>
#include <random>

#include "guards/files/judge/victims.h"

namespace hygie::files {
namespace {

Excerpt all_of(Bytes bytes) {
    const std::uint64_t size = bytes.size();
    return {std::move(bytes), size, true};
}

void overwrite(Bytes& bytes, std::size_t at, std::size_t size, Chance& chance) {
    for (std::size_t i = at; i < std::min(bytes.size(), at + size); ++i)
        bytes[i] = static_cast<std::uint8_t>(chance());
}

struct Attack {
    const char* name;
    Bytes (*make)(const Bytes& before, Chance& chance);
    std::size_t percent_min = 97;
};

/// Ciphertext with the byte frequencies of the original: what "entropy sharing" makes.
Bytes with_shared_entropy(const Bytes& before, Chance& chance) {
    Bytes after = before;
    std::ranges::shuffle(after, chance);
    return after;
}

const Attack kAttacks[] = {
    {"overwritten", [](const Bytes& b, Chance& c) { return random_bytes(b.size(), c); }},
    {"key in front",
     [](const Bytes& b, Chance& c) { return random_bytes((b.size() / 16 + 2) * 16 + 256, c); }},
    {"one page in sixteen",
     [](const Bytes& b, Chance& c) {
         Bytes a = b;
         for (std::size_t at = 0; at < a.size(); at += 65'536) overwrite(a, at, 4096, c);
         return a;
     }},
    {"first 4 KB",
     [](const Bytes& b, Chance& c) {
         Bytes a = b;
         overwrite(a, 0, 4096, c);
         return a;
     }},
    {"header kept",
     [](const Bytes& b, Chance& c) {
         Bytes a = b;
         overwrite(a, 1024, a.size(), c);
         return a;
     }},
    {"every other 16 bytes",
     [](const Bytes& b, Chance& c) {
         Bytes a = b;
         for (std::size_t at = 0; at < a.size(); at += 32) overwrite(a, at, 16, c);
         return a;
     }},
    {"3 percent in 16s",
     [](const Bytes& b, Chance& c) {
         Bytes a = b;
         for (std::size_t at = c() % 512; at < a.size(); at += 533) overwrite(a, at, 16, c);
         return a;
     }},
    {"base64",
     [](const Bytes& b, Chance& c) {
         const std::string text = to_base64(random_bytes(b.size(), c));
         return Bytes(text.begin(), text.end());
     }},
    {"hexadecimal",
     [](const Bytes& b, Chance& c) {
         const std::string text = to_hex(random_bytes(b.size(), c));
         return Bytes(text.begin(), text.end());
     }},
    {"entropy shared", with_shared_entropy},
    {"xor with one byte",
     [](const Bytes& b, Chance&) {
         Bytes a = b;
         for (std::uint8_t& byte : a) byte ^= 0xA5;
         return a;
     }},
    {"reversed", [](const Bytes& b, Chance&) { return Bytes(b.rbegin(), b.rend()); },
     85},  // a text read backwards is a text
    {"zeros", [](const Bytes& b, Chance&) { return Bytes(b.size()); }},
    {"emptied", [](const Bytes&, Chance&) { return Bytes(); }},
};

bool destroyed(Fate fate) {
    return fate == Fate::Emptied || fate == Fate::Damaged || fate == Fate::Scrambled;
}

/// Where each attack is tried: every file of some size of a practice's share.
constexpr std::size_t kVictimBytesMin = 2048;
/// One file in so many is tried with every attack: all of them take minutes.
constexpr std::size_t kStride = 4;

TEST(Finding, AttacksOnRealFilesAreSeen) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Chance chance(6);
    for (const Attack& attack : kAttacks) {
        std::size_t files = 0;
        std::size_t seen = 0;
        std::map<std::string, int> missed;
        for (std::size_t i = 0; i < victims().size(); i += kStride) {
            const Bytes& bytes = victims()[i].bytes;
            if (bytes.size() < kVictimBytesMin) continue;
            const Finding finding = examine(all_of(bytes), all_of(attack.make(bytes, chance)));
            ++files;
            seen += destroyed(finding.fate);
            if (!destroyed(finding.fate))
                ++missed[std::string(name_of(finding.before)) + " to " +
                         std::string(name_of(finding.after)) + " " +
                         std::string(name_of(finding.fate))];
        }
        std::string what;
        for (const auto& [name, count] : missed)
            what += "\n  " + name + ": " + std::to_string(count);
        EXPECT_GE(seen * 100, files * attack.percent_min)
            << attack.name << ": " << seen << " of " << files << what;
    }
}

TEST(Finding, WhatIsUntouchedIsInnocentHoweverOddItLooks) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    for (const Victim& victim : victims())
        EXPECT_EQ(examine(all_of(victim.bytes), all_of(victim.bytes)).fate, Fate::Same);
}

/// A small honest change of any file, also of the 38 that were damaged from the start.
TEST(Finding, AppendingHarmsNoFile) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    std::map<std::string, int> harmed;
    for (const Victim& victim : victims()) {
        if (victim.bytes.size() < kVictimBytesMin) continue;
        Bytes after = victim.bytes;
        append(after, as_bytes("\nUne ligne de plus, comme un logiciel de cabinet en ajoute.\n"));
        const Finding finding = examine(all_of(victim.bytes), all_of(after));
        if (destroyed(finding.fate))
            ++harmed[std::string(name_of(finding.before)) + " " +
                     std::string(name_of(finding.fate))];
    }
    int all = 0;
    std::string what;
    for (const auto& [name, count] : harmed) {
        all += count;
        what += "\n  " + name + ": " + std::to_string(count);
    }
    EXPECT_LE(all, 3) << what;
}

TEST(Finding, ANewVersionOfTheSameKindIsInnocent) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    std::map<Format, const Bytes*> previous;
    std::map<std::string, int> harmed;
    int pairs = 0;
    for (const Victim& victim : victims()) {
        const Format format = format_of(victim.bytes);
        if (victim.bytes.size() < kVictimBytesMin || format == Format::Unknown ||
            check(format, victim.bytes) == Soundness::Broken)
            continue;
        const Bytes*& before = previous[format];
        if (before != nullptr) {
            const Finding finding = examine(all_of(*before), all_of(victim.bytes));
            ++pairs;
            if (destroyed(finding.fate))
                ++harmed[std::string(name_of(format)) + " " + std::string(name_of(finding.fate))];
        }
        before = &victim.bytes;
    }
    int all = 0;
    std::string what;
    for (const auto& [name, count] : harmed) {
        all += count;
        what += "\n  " + name + ": " + std::to_string(count);
    }
    EXPECT_LE(all * 1000, pairs * 5) << all << " of " << pairs << what;
}

TEST(Finding, WhatDecompressesToTheOriginalIsInnocent) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    for (std::size_t i = 0; i < victims().size(); i += kStride) {
        const Bytes& bytes = victims()[i].bytes;
        if (bytes.size() < kVictimBytesMin) continue;
        const Fate packed = examine(all_of(bytes), all_of(gzip(bytes))).fate;
        EXPECT_FALSE(destroyed(packed)) << name_of(packed);
        const std::string text = to_base64(bytes);
        const Fate spelled = examine(all_of(bytes), all_of(Bytes(text.begin(), text.end()))).fate;
        EXPECT_FALSE(destroyed(spelled)) << name_of(spelled);
    }
}

Bytes in_utf16(std::string_view latin, bool with_mark) {
    Bytes out;
    if (with_mark) out = {0xFF, 0xFE};
    for (const char letter : latin) out.insert(out.end(), {static_cast<std::uint8_t>(letter), 0});
    return out;
}

TEST(Finding, AnotherSetOfCharactersIsTheSameTextAndHidesNoCiphertext) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "ligne " + std::to_string(i * 37) + " du compte rendu\n";
    const Bytes before(text.begin(), text.end());
    Chance chance(10);
    Bytes noise(6000);
    overwrite(noise, 0, noise.size(), chance);
    for (const bool with_mark : {false, true}) {
        const Bytes wide = in_utf16(text, with_mark);
        EXPECT_EQ(examine(all_of(before), all_of(wide)).fate, Fate::Same);
        EXPECT_EQ(examine(all_of(wide), all_of(before)).fate, Fate::Same);
        const Bytes sealed = in_utf16(to_base64(noise), with_mark);
        EXPECT_TRUE(destroyed(examine(all_of(before), all_of(sealed)).fate));
        EXPECT_TRUE(destroyed(examine(all_of(wide), all_of(noise)).fate));
    }
}

enum class Packing { Deflated, Stored };

/// A document as office programs write it: a part that names the others, and the text.
Bytes document(ByteView inside, Packing packing = Packing::Deflated) {
    Bytes out(inside.size() + (64 << 10));
    std::size_t used = 0;
    struct archive* writer = archive_write_new();
    archive_write_set_format_zip(writer);
    if (packing == Packing::Stored) archive_write_zip_set_compression_store(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    const std::string types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006\"/>";
    for (const auto& [name, bytes] : {std::pair("[Content_Types].xml", as_bytes(types)),
                                      std::pair("word/document.xml", inside)}) {
        struct archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name);
        archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0600);
        archive_write_header(writer, entry);
        archive_write_data(writer, bytes.data(), bytes.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

TEST(Finding, ASoundDocumentHoldingCiphertextIsScrambled) {
    Chance chance(11);
    std::string letter = "<w:document>";
    for (int i = 0; i < 400; ++i) letter += "<w:t>ligne " + std::to_string(i * 37) + "</w:t>";
    std::string revised = letter;
    for (int i = 0; i < 300; ++i) revised += "<w:t>ajout " + std::to_string(i * 91) + "</w:t>";
    const Bytes noise = random_bytes(12'000, chance);
    const std::string spelled = "<w:document><w:t>" + to_base64(noise) + "</w:t></w:document>";
    const Excerpt before = all_of(document(as_bytes(letter)));
    EXPECT_FALSE(destroyed(examine(before, all_of(document(as_bytes(revised)))).fate));
    EXPECT_TRUE(destroyed(examine(before, all_of(document(noise))).fate));
    EXPECT_TRUE(destroyed(examine(before, all_of(document(as_bytes(spelled)))).fate));
    EXPECT_TRUE(destroyed(
        examine(all_of(to_bytes(as_bytes(letter))), all_of(document(as_bytes(spelled)))).fate));
    EXPECT_EQ(examine(all_of(noise), all_of(document(noise))).fate, Fate::Packed);
}

void put_chunk(Bytes& out, std::string_view kind, ByteView data) {
    const std::size_t start = out.size();
    out.resize(start + 4);
    store_be(&out[start], static_cast<std::uint32_t>(data.size()));
    append(out, as_bytes(kind));
    append(out, data);
    const auto crc = static_cast<std::uint32_t>(crc32_z(0, &out[start + 4], data.size() + 4));
    out.resize(out.size() + 4);
    store_be(&out[out.size() - 4], crc);
}

/// As a PNG; nobody looks at its sides.
Bytes picture(ByteView pixels) {
    Bytes packed(compressBound(pixels.size()));
    uLongf size = packed.size();
    compress(packed.data(), &size, pixels.data(), pixels.size());
    packed.resize(size);
    Bytes out = to_bytes(as_bytes("\x89PNG\r\n\x1A\n"));
    put_chunk(out, "IHDR", Bytes(13));
    put_chunk(out, "IDAT", packed);
    put_chunk(out, "IEND", {});
    return out;
}

std::string letter_of(std::size_t words, Chance& chance) {
    static constexpr std::array<std::string_view, 8> kWords = {
        "patient", "tension", "examen", "traitement", "semaine", "prescrit", "controle", "normal"};
    std::string letter = "<w:document>";
    for (std::size_t i = 0; i < words; ++i)
        letter += i % 10 == 9 ? std::to_string(chance() % 1000) + "\n"
                              : std::string(kWords[chance() % kWords.size()]) + " ";
    return letter + "</w:document>";
}

std::string with_word(std::string text, std::string_view old, std::string_view other) {
    for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += other.size())
        text.replace(at, old.size(), other);
    return text;
}

/// Ciphertext in a document as attackers leave it who keep most of the file.
void strew(Bytes& bytes, std::size_t from, std::size_t to, Chance& chance) {
    for (std::size_t at = from; at + 16 < to; at += 64) overwrite(bytes, at, 16, chance);
}

TEST(Finding, ADocumentSavedAnewWithOneWordReplacedIsNotDamaged) {
    Chance chance(12);
    int of_one_size = 0;
    for (int i = 0; i < 200; ++i) {
        const std::string letter = letter_of(300 + chance() % 3000, chance);
        const std::string revised = with_word(letter, "patient", "malade");
        const Excerpt before = all_of(document(as_bytes(letter)));
        const Excerpt after = all_of(document(as_bytes(revised)));
        of_one_size += before.size == after.size;
        EXPECT_FALSE(destroyed(examine(before, after).fate)) << before.size << " " << after.size;
        Bytes strewn = before.bytes;
        strew(strewn, 100, strewn.size() - 200, chance);
        EXPECT_TRUE(destroyed(examine(before, all_of(strewn)).fate));
    }
    EXPECT_GE(of_one_size, 5);
}

/// Sound is a directory that does not name what was encrypted: nothing vouches for that.
TEST(Finding, ADirectoryThatNamesLittleExcusesNothing) {
    Chance chance(13);
    const Bytes before = document(as_bytes(letter_of(30'000, chance)));
    Bytes after = before;
    const std::size_t first = as_text(before).find("PK\x01\x02");
    const std::size_t last = as_text(before).rfind("PK\x01\x02");
    const std::size_t end = as_text(before).rfind("PK\x05\x06");
    for (std::size_t at = 200; at + 2048 < first; at += 4096) overwrite(after, at, 2048, chance);
    // The text's record goes in front of the directory, which begins, and counts, behind it.
    std::rotate(&after[first], &after[last], &after[end]);
    after[end + 8] = after[end + 10] = 1;
    for (std::size_t i = 0; i < 4; ++i) {
        after[end + 12 + i] = static_cast<std::uint8_t>((last - first) >> (8 * i));
        after[end + 16 + i] = static_cast<std::uint8_t>((first + end - last) >> (8 * i));
    }
    ASSERT_TRUE(reads_inside(after));
    ASSERT_EQ(check(Format::Zip, after), Soundness::Sound);
    EXPECT_FALSE(vouches_for_itself(Format::Zip, after));
    EXPECT_TRUE(vouches_for_itself(Format::Zip, before));
    EXPECT_TRUE(destroyed(examine(all_of(before), all_of(after)).fate));
}

TEST(Finding, CiphertextStrewnIntoATextIsFoundThoughItsChecksumsAreMadeAnew) {
    Chance chance(15);
    const Bytes letter = to_bytes(as_bytes(letter_of(3000, chance)));
    Bytes strewn = letter;
    strew(strewn, 100, strewn.size(), chance);
    const Bytes after = document(strewn, Packing::Stored);
    ASSERT_TRUE(vouches_for_itself(Format::Zip, after));
    EXPECT_TRUE(destroyed(examine(all_of(document(letter, Packing::Stored)), all_of(after)).fate));
}

Bytes pixels_of(std::size_t count, Chance& chance) {
    Bytes pixels;
    for (std::size_t i = 0; i < count; ++i)
        pixels.push_back(static_cast<std::uint8_t>(i / 100 % 16 + chance() % 64));
    return pixels;
}

TEST(Finding, APictureDrawnAnewIsNotDamaged) {
    Chance chance(16);
    int of_one_size = 0;
    for (int i = 0; i < 400; ++i) {
        const Excerpt before = all_of(picture(pixels_of(1500, chance)));
        const Excerpt after = all_of(picture(pixels_of(1500, chance)));
        of_one_size += before.size == after.size;
        EXPECT_FALSE(destroyed(examine(before, after).fate));
    }
    EXPECT_GE(of_one_size, 5);
}

TEST(Finding, APictureIsVouchedForUntilItHoldsCiphertext) {
    Chance chance(14);
    const Bytes before = picture(pixels_of(20'000, chance));
    EXPECT_TRUE(vouches_for_itself(Format::Png, before));
    EXPECT_FALSE(vouches_for_itself(Format::Png, picture(random_bytes(20'000, chance))));
    Bytes after = before;
    strew(after, 100, after.size() - 100, chance);
    EXPECT_FALSE(vouches_for_itself(Format::Png, after));
    Bytes with_tail = before;
    append(with_tail, random_bytes(before.size(), chance));
    EXPECT_FALSE(vouches_for_itself(Format::Png, with_tail));
}

TEST(Finding, ASampleOfALargeFileShowsOneDamagedPageInSixteen) {
    Chance chance(9);
    Bytes before(40 << 20);
    for (std::size_t i = 0; i < before.size(); ++i)
        before[i] = static_cast<std::uint8_t>(i % 61 * (i >> 15 & 3));
    Bytes after = before;
    for (std::size_t at = 0; at < after.size(); at += 65'536) overwrite(after, at, 4096, chance);
    const Excerpt left = excerpt_of(MemoryContent(before));
    const Excerpt right = excerpt_of(MemoryContent(after));
    EXPECT_FALSE(left.whole);
    EXPECT_TRUE(destroyed(examine(left, right).fate));
}

}  // namespace
}  // namespace hygie::files
