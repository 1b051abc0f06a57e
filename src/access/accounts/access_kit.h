#pragma once

#include <gtest/gtest.h>

#include "access/accounts/accounts.h"
#include "access/accounts/password.h"
#include "access/accounts/sessions.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// What tests of this room and of serve/ share.
namespace hygie::access {

/// The least that libsodium allows: tests guess by the million.
inline constexpr crypto::PassphraseCost kTestCost{1, 8192};
inline constexpr const char* kPassphrase = "trombone girafe ocre 42";

inline std::string test_hash() {
    static const std::string hash = *hash_password(Sensitive<std::string>(kPassphrase), kTestCost);
    return hash;
}

struct Bench {
    sim::SimDisk disk{1};
    sim::SimClock clock;
    sim::SimRandom random{1};
    crypto::Secret32 key{std::array<std::uint8_t, 32>{7}};

    SealedFile::Doors doors() { return {disk, clock, random}; }
    std::unique_ptr<Accounts> open_accounts() {
        auto opened = Accounts::open(doors(), "state", key);
        EXPECT_TRUE(opened) << opened.error().what.en;
        return std::move(*opened);
    }
    /// A physician who signs in by password.
    Account person(const std::string& login = "anne.martin",
                   const std::string& name = "Anne Martin") {
        Account account;
        account.login = ActorId(login);
        account.name = name;
        account.profession = "10";
        account.person = "Practitioner/" + std::string(login, 0, login.find('.')) + "-" +
                         std::to_string(login.size());
        account.organisation = "Organization/cabinet";
        account.since = clock.now();
        account.end = clock.now() + std::chrono::days(365);
        account.password = test_hash();
        return account;
    }
    Account program(const std::string& login = "logiciel") {
        Account account;
        account.login = ActorId(login);
        account.name = "Logiciel du cabinet";
        account.role = Role::Program;
        account.sponsor = ActorId("anne.martin");
        account.since = clock.now();
        account.end = clock.now() + std::chrono::days(365);
        account.scopes = {"openid", "fhirUser", "launch", "user/*.cruds", "system/*.rs"};
        account.redirects = {"https://logiciel.example/retour"};
        return account;
    }
};

inline const ActorId kNobody{"root"};

}  // namespace hygie::access
