#include "guards/files/backup/backup.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

Bytes text(std::uint64_t seed) {
    std::string out;
    for (std::uint64_t i = 0; i < 120; ++i)
        out += fmt::format("ligne {} du dossier, tension {}\n", i, (i * seed) % 17);
    return Bytes(out.begin(), out.end());
}

/// A share, a repository of the real restic, and a state folder.
struct Practice {
    Practice() {
        for (const char* dir : {"share/Patients", "share/dos é [x]"})
            std::filesystem::create_directories(tmp / dir);
        put("pw", to_bytes(as_bytes("une phrase de passe\n")));
        for (std::uint64_t i = 0; i < 20; ++i)
            put(fmt::format("share/Patients/{}.txt", i), text(i));
        put("share/dos é [x]/b*.txt", text(99));
        settings.dirs = {tmp / "share"};
    }
    void put(const std::string& name, const Bytes& bytes) const {
        ASSERT_TRUE(real_disk().write_file(tmp / name, bytes));
    }
    void encrypt(const std::string& name) {
        std::mt19937_64 chance(1);
        Bytes bytes(6000);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
        put(name, bytes);
    }
    /// Each act in a scratch folder of its own.
    const BackupSettings& fresh() {
        settings.scratch = tmp / fmt::format("scratch{}", ++number);
        std::filesystem::create_directories(settings.scratch);
        return settings;
    }

    sim::TempDir tmp;
    int number = 0;
    BackupSettings settings;
    Restic restic{real_process(), tmp / "repository", tmp / "pw"};
    SealedFolder folder{real_disk(), real_random(), tmp / "state", crypto::Secret32(),
                        "files/backup"};
    DirectExaminer examiner;
    Backup backup{restic, folder, examiner, real_clock()};
};

TEST(Backup, ACopyIsPromotedAndItsRestoreProved) {
    Practice practice;
    const auto first = practice.backup.now(practice.fresh());
    ASSERT_TRUE(first) << first.error().what.en;
    EXPECT_TRUE(first->promoted);
    EXPECT_EQ(first->files, 21U);
    const auto proved = practice.backup.drill(practice.fresh());
    ASSERT_TRUE(proved) << proved.error().what.en;
    EXPECT_TRUE(proved->drill->passed());
    EXPECT_EQ(proved->drill->files, 21U);
    EXPECT_EQ((*practice.backup.records())[0].drill->files, 21U);
}

TEST(Backup, APoisonedCopyIsNotPromotedAndTheGoodOneStays) {
    Practice practice;
    const auto good = practice.backup.now(practice.fresh());
    ASSERT_TRUE(good && good->promoted);
    for (int i = 0; i < 4; ++i) practice.encrypt(fmt::format("share/Patients/{}.txt", i));
    const auto poisoned = practice.backup.now(practice.fresh());
    ASSERT_TRUE(poisoned) << poisoned.error().what.en;
    EXPECT_FALSE(poisoned->promoted);
    ASSERT_FALSE(poisoned->reasons.empty());
    EXPECT_EQ(poisoned->reasons[0].id, "files.scrambled");
    const auto proved = practice.backup.drill(practice.fresh());
    ASSERT_TRUE(proved);
    EXPECT_EQ(proved->id, good->id);
    EXPECT_TRUE(proved->drill->passed());
}

TEST(Backup, EncryptedCopiesBesideDeletedOriginalsAreSeen) {
    Practice practice;
    ASSERT_TRUE(practice.backup.now(practice.fresh()));
    for (int i = 0; i < 4; ++i) {
        practice.encrypt(fmt::format("share/Patients/{}.txt.locked", i));
        std::filesystem::remove(practice.tmp / fmt::format("share/Patients/{}.txt", i));
    }
    const auto poisoned = practice.backup.now(practice.fresh());
    ASSERT_TRUE(poisoned);
    EXPECT_FALSE(poisoned->promoted);
    EXPECT_EQ(poisoned->reasons[0].id, "files.replaced");
}

TEST(Backup, HonestWorkIsPromoted) {
    Practice practice;
    ASSERT_TRUE(practice.backup.now(practice.fresh()));
    for (std::uint64_t i = 0; i < 10; ++i) {
        Bytes more = text(i);
        append(more, as_bytes("une ligne de plus\n"));
        practice.put(fmt::format("share/Patients/{}.txt", i), more);
    }
    std::filesystem::remove(practice.tmp / "share/Patients/19.txt");
    const auto next = practice.backup.now(practice.fresh());
    ASSERT_TRUE(next);
    EXPECT_TRUE(next->promoted);
}

TEST(Backup, NothingIsPromotedDuringAnAttackNorWhenMostFilesVanished) {
    Practice practice;
    ASSERT_TRUE(practice.backup.now(practice.fresh()));
    practice.settings.is_under_attack = true;
    const auto during = practice.backup.now(practice.fresh());
    ASSERT_TRUE(during);
    EXPECT_FALSE(during->promoted);
    practice.settings.is_under_attack = false;
    for (int i = 0; i < 15; ++i)
        std::filesystem::remove(practice.tmp / fmt::format("share/Patients/{}.txt", i));
    const auto after = practice.backup.now(practice.fresh());
    ASSERT_TRUE(after);
    EXPECT_FALSE(after->promoted);
    EXPECT_EQ(after->reasons[0].id, "backup.vanished");
}

TEST(Backup, ADrillFindsOneWrongByte) {
    Practice practice;
    const auto first = practice.backup.now(practice.fresh());
    ASSERT_TRUE(first);
    // The manifest is what the share was; a copy that says otherwise is not the share.
    std::vector<ManifestEntry> manifest = *take_manifest(real_disk(), practice.settings.dirs);
    manifest[3].sha256[0] = manifest[3].sha256[0] == '0' ? '1' : '0';
    ASSERT_TRUE(practice.folder.write("backup/manifest-" + first->id, print_manifest(manifest)));
    const auto proved = practice.backup.drill(practice.fresh());
    ASSERT_TRUE(proved);
    EXPECT_FALSE(proved->drill->passed());
    EXPECT_EQ(proved->drill->differing, 1U);
}

TEST(Backup, NothingReadableAboutThePatientsIsKept) {
    Practice practice;
    practice.put("share/Patients/MARTIN_Lucie.txt", text(3));
    ASSERT_TRUE(practice.backup.now(practice.fresh()));
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(practice.tmp / "state")) {
        if (!entry.is_regular_file()) continue;
        const Bytes bytes = *real_disk().read_file(entry.path(), 1 << 20);
        EXPECT_EQ(as_text(bytes).find("MARTIN"), std::string_view::npos) << entry.path();
    }
}

TEST(Backup, ManifestsAreReadAsTheyWereWritten) {
    const std::vector<ManifestEntry> entries = {{"/share/a b\n[x]", 12, std::string(64, 'a'), true},
                                                {"/share/é", 0, std::string(64, '0'), false}};
    EXPECT_EQ(*parse_manifest(print_manifest(entries)), entries);
    EXPECT_FALSE(parse_manifest("nonsense"));
    EXPECT_FALSE(parse_manifest(std::string("short 1 = x\0", 12)));
}

}  // namespace
}  // namespace hygie::files
