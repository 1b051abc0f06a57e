#include <gtest/gtest.h>

#include <map>

#include "base/check.h"
#include "crypto/key_table_kit.h"
#include "sim/chance.h"

/// Loss of power, at any step.
namespace hygie::crypto {
namespace {

/// What must hold of a table whatever the moment its machine died.
class Crashes {
  public:
    explicit Crashes(std::uint64_t seed) : chance_(seed), house_(seed) {}

    /// Works until the power fails, then checks what the next process finds.
    void live_and_die() {
        house_.disk.crash_at_step(house_.disk.steps() + 1 + chance_.below(40));
        if (auto opened = open()) {
            for (int i = 0; i < 60 && act(**opened); ++i) {
            }
        }
        house_.disk.crash(chance_.next());
        auto opened = open();
        ASSERT_TRUE(opened) << opened.error().what.en;
        check(**opened);
    }

  private:
    struct Made {
        std::string subject;
        Secret32 key;
        bool durable = false;
        bool shred_asked = false;
        bool shredded = false;
    };

    /// A crash during rewrap leaves one of two wrapping keys in use.
    Result<std::unique_ptr<KeyTable>> open() {
        auto opened = house_.try_open();
        if (!opened && opened.error().code == Code::Denied) {
            std::swap(house_.wrapping, other_wrapping_);
            opened = house_.try_open();
        }
        return opened;
    }

    bool act(KeyTable& table) {
        const std::string subject = "p/" + std::to_string(chance_.below(6));
        switch (chance_.below(8)) {
            case 0:
                return shred(table, subject);
            case 1:
                if (!chance_.odds(1, 4)) return true;
                other_wrapping_ = Secret32(house_.random.bytes<32>());
                std::swap(house_.wrapping, other_wrapping_);
                return table.rewrap(house_.wrapping).has_value();
            case 2:
            case 3:
                if (!table.sync()) return false;
                for (auto& [slot, made] : made_) made.durable = true;
                return true;
            default:
                return make(table, subject);
        }
    }

    bool make(KeyTable& table, const std::string& subject) {
        const auto found = table.find_or_make(subject, kTrace);
        if (!found) return false;
        if (found->fresh) {
            EXPECT_FALSE(made_.contains(found->slot))
                << "slot number " << found->slot << " came back";
            made_[found->slot] = {subject, found->key};
        }
        return true;
    }

    bool shred(KeyTable& table, const std::string& subject) {
        for (auto& [slot, made] : made_)
            if (made.subject == subject) made.shred_asked = true;
        if (!table.shred(subject, {})) return false;
        for (auto& [slot, made] : made_)
            if (made.subject == subject) made.shredded = true;
        return true;
    }

    void check(const KeyTable& table) {
        for (auto& [slot, made] : made_) {
            const auto key = table.get(slot);
            const bool same = key && *key == made.key;
            EXPECT_TRUE(same || !key) << "slot " << slot << " holds another key";
            EXPECT_FALSE(made.shredded && key) << "slot " << slot << " came back to life";
            EXPECT_TRUE(key || !made.durable || made.shred_asked) << "slot " << slot << " is gone";
            // What this process sees is what later ones must see.
            made.durable = key.has_value();
            made.shredded = !key;
            made.shred_asked = made.shredded;
        }
    }

    sim::Chance chance_;
    House house_;
    Secret32 other_wrapping_ = house_.wrapping;
    std::map<KeySlot, Made> made_;
};

TEST(KeyTableCrash, synced_keys_live_shredded_keys_stay_dead_numbers_never_return) {
    for (std::uint64_t seed = 1; seed <= 150 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Crashes crashes(seed);
        for (int life = 0; life < 6 && !testing::Test::HasFatalFailure(); ++life)
            crashes.live_and_die();
    }
}

}  // namespace
}  // namespace hygie::crypto
