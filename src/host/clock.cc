#include "host/clock.h"

#include <thread>

namespace hygie {
namespace {

class RealClock final : public Clock {
  public:
    WallTime now() override { return std::chrono::floor<Micros>(std::chrono::system_clock::now()); }
    SteadyTime steady() override { return std::chrono::steady_clock::now(); }
    void sleep_for(Micros duration) override { std::this_thread::sleep_for(duration); }
};

}  // namespace

Clock& real_clock() {
    static RealClock clock;
    return clock;
}

}  // namespace hygie
