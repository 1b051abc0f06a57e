#include "crypto/keyring.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/root_file.h"
#include "crypto/shares.h"
#include "sim/sim_disk.h"
#include "sim/sim_process.h"
#include "sim/sim_random.h"

namespace hygie::crypto {
namespace {

const std::string kPath = "state/keys/root.hyk";
constexpr PassphraseCost kCheap{1, 8192};

Sealing phrase(const std::string& text) {
    return WithPassphrase{Sensitive<std::string>(text), kCheap};
}
const Sealing kPhrase = phrase("correct horse battery");
const Sealing kKeyFile = WithKeyFile{"/usb/hygie.key"};
const Sealing kCredential = WithCredential{"run/credentials", "hygie-root"};

struct House {
    sim::SimDisk disk;
    sim::SimRandom random{1};

    House() {
        EXPECT_TRUE(disk.make_dirs("run/credentials"));
        EXPECT_TRUE(disk.replace_file("run/credentials/hygie-root", Bytes(32, 9)));
    }
    RootKey create(const Sealing& sealing) {
        return create_root(disk, random, kPath, sealing).value();
    }
    Result<RootKey> open(const Sealing& sealing) { return open_root(disk, kPath, sealing); }
    Bytes bytes() { return disk.read_file(kPath, 1 << 20).value(); }
};

TEST(Keyring, a_root_key_opens_as_it_was_sealed_and_in_no_other_way) {
    const Sealing all[] = {kPhrase, kCredential, kKeyFile};
    for (const Sealing& sealing : all) {
        House house;
        const RootKey root = house.create(sealing);
        house.disk.crash(1);
        EXPECT_TRUE(house.open(sealing).value().secret() == root.secret());
        for (const Sealing& other : all)
            if (other.index() != sealing.index()) {
                EXPECT_EQ(house.open(other).error().code, Code::BadInput);
            }
        EXPECT_EQ(as_text(house.bytes()).find(as_text(root.secret().view())),
                  std::string_view::npos);
    }
}

TEST(Keyring, domains_have_keys_of_their_own) {
    House house;
    const RootKey root = house.create(kPhrase);
    const RootKey again = house.open(kPhrase).value();
    EXPECT_TRUE(root.domain("ledger") == again.domain("ledger"));
    EXPECT_FALSE(root.domain("ledger") == root.domain("vault"));
    EXPECT_FALSE(root.domain("ledger") == root.secret());
}

TEST(Keyring, a_wrong_secret_is_denied_with_a_remedy) {
    House house;
    house.create(kPhrase);
    const auto opened = house.open(phrase("correct horse batterY"));
    ASSERT_EQ(opened.error().code, Code::Denied);
    EXPECT_NE(opened.error().remedy.fr.find("parts de récupération"), std::string::npos);
    EXPECT_EQ(opened.error().what.en.find("batter"), std::string::npos);

    House with_credential;
    with_credential.create(kCredential);
    ASSERT_TRUE(with_credential.disk.write_file("run/credentials/hygie-root", Bytes(32, 8)));
    EXPECT_EQ(with_credential.open(kCredential).error().code, Code::Denied);

    House with_key_file;
    with_key_file.create(kKeyFile);
    ASSERT_TRUE(with_key_file.disk.write_file("/usb/hygie.key", Bytes(32, 8)));
    EXPECT_EQ(with_key_file.open(kKeyFile).error().code, Code::Denied);
}

TEST(Keyring, two_houses_have_two_keys) {
    sim::SimDisk disk;
    sim::SimRandom random(1);
    const RootKey one = create_root(disk, random, "a/root.hyk", kPhrase).value();
    const RootKey two = create_root(disk, random, "b/root.hyk", kPhrase).value();
    EXPECT_FALSE(one.secret() == two.secret());
}

TEST(Keyring, a_root_key_is_never_overwritten_by_a_new_one) {
    House house;
    house.create(kPhrase);
    const Bytes before = house.bytes();
    EXPECT_EQ(create_root(house.disk, house.random, kPath, kKeyFile).error().code,
              Code::AlreadyThere);
    EXPECT_EQ(house.bytes(), before);
    EXPECT_FALSE(house.disk.exists("/usb/hygie.key"));
}

TEST(Keyring, short_passphrases_are_refused_before_anything_is_written) {
    House house;
    const auto made = create_root(house.disk, house.random, kPath, phrase("short"));
    EXPECT_EQ(made.error().code, Code::BadInput);
    EXPECT_FALSE(house.disk.exists(kPath));
}

TEST(Keyring, an_absent_key_file_is_made_and_an_existing_one_is_used) {
    House house;
    house.create(kKeyFile);
    const Bytes made = house.disk.read_file("/usb/hygie.key", 64).value();
    EXPECT_EQ(made.size(), 32u);
    ASSERT_TRUE(create_root(house.disk, house.random, "other/root.hyk", kKeyFile));
    EXPECT_EQ(house.disk.read_file("/usb/hygie.key", 64).value(), made);
    EXPECT_TRUE(open_root(house.disk, "other/root.hyk", kKeyFile));
}

TEST(Keyring, a_key_file_named_relatively_moves_with_its_root_key) {
    House house;
    const Sealing beside = WithKeyFile{"root.key"};
    const RootKey root = house.create(beside);
    ASSERT_TRUE(house.disk.make_dirs("elsewhere"));
    ASSERT_TRUE(house.disk.rename(kPath, "elsewhere/root.hyk"));
    ASSERT_TRUE(house.disk.rename("state/keys/root.key", "elsewhere/root.key"));
    const auto opened = open_root(house.disk, "elsewhere/root.hyk", beside);
    EXPECT_TRUE(opened.value().secret() == root.secret());
}

TEST(Keyring, missing_or_unfit_secrets_say_so) {
    House house;
    EXPECT_EQ(house.open(kPhrase).error().code, Code::NotFound);
    house.create(kKeyFile);
    ASSERT_TRUE(house.disk.write_file("/usb/hygie.key", Bytes(33)));
    EXPECT_EQ(house.open(kKeyFile).error().code, Code::BadInput);
    ASSERT_TRUE(house.disk.write_file("/usb/hygie.key", Bytes(31)));
    EXPECT_EQ(house.open(kKeyFile).error().code, Code::BadInput);
    ASSERT_TRUE(house.disk.remove("/usb/hygie.key"));
    EXPECT_EQ(house.open(kKeyFile).error().code, Code::NotFound);

    const auto create = [&](const Sealing& sealing) {
        return create_root(house.disk, house.random, "other/root.hyk", sealing).error().code;
    };
    EXPECT_EQ(create(WithCredential{"run/credentials", "absent"}), Code::Unavailable);
    ASSERT_TRUE(house.disk.write_file("run/credentials/short", Bytes(31)));
    EXPECT_EQ(create(WithCredential{"run/credentials", "short"}), Code::BadInput);
}

TEST(Keyring, the_credential_directory_comes_from_systemd) {
    sim::SimProcess process;
    EXPECT_EQ(credential(process, "hygie-root").error().code, Code::Unavailable);
    process.variables["CREDENTIALS_DIRECTORY"] = "run/credentials";
    EXPECT_EQ(credential(process, "hygie-root").value().directory, "run/credentials");
    for (const char* name : {"", "../../etc/passwd"})
        EXPECT_EQ(credential(process, name).error().code, Code::Unavailable);
}

TEST(Keyring, resealing_keeps_the_key_and_wipes_the_old_file) {
    House house;
    const RootKey root = house.create(kPhrase);
    const std::size_t size = house.bytes().size();
    const auto old_file = house.disk.open(kPath, Open::Read).value();
    ASSERT_TRUE(reseal(house.disk, house.random, kPath, root, kKeyFile));
    EXPECT_TRUE(house.open(kKeyFile).value().secret() == root.secret());
    EXPECT_EQ(house.open(kPhrase).error().code, Code::BadInput);
    Bytes old_bytes(size, 0xFF);
    ASSERT_EQ(old_file->read_at(0, old_bytes).value(), size);
    EXPECT_EQ(old_bytes, Bytes(size));
}

TEST(Keyring, a_loss_of_power_while_resealing_leaves_one_of_the_two_seals) {
    for (std::uint64_t step = 1; step <= 8; ++step)
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            House house;
            const RootKey root = house.create(kPhrase);
            house.disk.crash_at_step(house.disk.steps() + step);
            (void)reseal(house.disk, house.random, kPath, root, phrase("another passphrase"));
            house.disk.crash(seed);
            auto opened = house.open(kPhrase);
            if (!opened) opened = house.open(phrase("another passphrase"));
            ASSERT_TRUE(opened) << "step " << step << " seed " << seed;
            EXPECT_TRUE(opened->secret() == root.secret());
        }
}

TEST(Keyring, shares_bring_back_a_key_whose_passphrase_is_lost) {
    House house;
    const RootKey root = house.create(kPhrase);
    auto shares = split(root.secret(), 2, 3, house.random).value();
    shares.erase(shares.begin());
    ASSERT_TRUE(house.disk.remove(kPath));
    ASSERT_TRUE(reseal(house.disk, house.random, kPath, RootKey(combine(shares).value()),
                       phrase("a new passphrase")));
    EXPECT_TRUE(house.open(phrase("a new passphrase")).value().secret() == root.secret());
}

TEST(Keyring, tells_how_the_key_is_sealed_without_opening_it) {
    House house;
    house.create(kPhrase);
    auto told = describe(house.disk, kPath).value();
    EXPECT_EQ(told.kind, RootDescription::Kind::Passphrase);
    EXPECT_EQ(told.cost, kCheap);
    EXPECT_FALSE(told.starts_unattended);

    const RootKey root = house.open(kPhrase).value();
    ASSERT_TRUE(reseal(house.disk, house.random, kPath, root, kKeyFile));
    told = describe(house.disk, kPath).value();
    EXPECT_EQ(told.kind, RootDescription::Kind::KeyFile);
    EXPECT_EQ(told.name, "/usb/hygie.key");
    EXPECT_TRUE(told.starts_unattended);
    EXPECT_NE(told.protection.en.find("reads everything"), std::string::npos);

    ASSERT_TRUE(reseal(house.disk, house.random, kPath, root, kCredential));
    told = describe(house.disk, kPath).value();
    EXPECT_EQ(told.name, "hygie-root");
    EXPECT_TRUE(told.starts_unattended);
}

TEST(Keyring, any_damage_is_told_from_a_wrong_passphrase) {
    House house;
    house.create(kPhrase);
    const Bytes sound = house.bytes();
    for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
        Bytes damaged = sound;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        ASSERT_TRUE(house.disk.write_file(kPath, damaged));
        ASSERT_EQ(house.open(kPhrase).error().code, Code::Corrupt) << bit;
    }
    for (std::size_t size = 0; size < sound.size(); ++size)
        ASSERT_EQ(detail::decode_root_file(ByteView(sound).first(size)).error().code,
                  Code::Corrupt);
}

TEST(Keyring, a_file_cannot_ask_for_endless_memory_or_time) {
    detail::RootFile file;
    file.box = Bytes(32 + kBoxBytes);
    file.cost = kModerateCost;
    EXPECT_TRUE(detail::decode_root_file(detail::encode_root_file(file)));
    for (const PassphraseCost cost : {PassphraseCost{17, 1 << 20},
                                      {1, (1ull << 30) + 1},
                                      {~0ull, 8192},
                                      {1, ~0ull},
                                      {0, 8192},
                                      {1, 8191}}) {
        file.cost = cost;
        EXPECT_FALSE(detail::decode_root_file(detail::encode_root_file(file)));
    }
}

}  // namespace
}  // namespace hygie::crypto
