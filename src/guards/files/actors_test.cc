#include "guards/files/actors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

namespace hygie::files {
namespace {

/// A process of Samba that works for nobody at first.
class LateSession final : public SmbSessions {
  public:
    std::optional<SmbClient> client_of(const ProcessId&) override {
        return SmbClient{std::exchange(is_asked_, true) ? "accueil" : kUnknownUser, "192.0.2.7"};
    }

  private:
    bool is_asked_ = false;
};

TEST(Actors, AreAskedAgainForWhomTheyWorkUntilItIsKnown) {
    LateSession sessions;
    Actors actors(&sessions);
    EXPECT_EQ(actors.of(::getpid()).smb->user, kUnknownUser);
    EXPECT_EQ(actors.of(::getpid()).smb->user, "accueil");
}

}  // namespace
}  // namespace hygie::files
