#include "host/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace hygie {
namespace {

class RealRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override {
        while (!out.empty()) {
            const ssize_t got = getrandom(out.data(), out.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            HYGIE_CHECK(got > 0, "keys made without the kernel's entropy could be guessed");
            out = out.subspan(static_cast<std::size_t>(got));
        }
    }
};

}  // namespace

Random& real_random() {
    static RealRandom random;
    return random;
}

}  // namespace hygie
