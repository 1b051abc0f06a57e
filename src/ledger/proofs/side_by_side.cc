#include "ledger/proofs/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace hygie::ledger {

Status side_by_side(std::size_t count, std::size_t threads,
                    const std::function<Status(std::size_t)>& work) {
    std::vector<Status> outcomes(count);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    const auto take_turns = [&] {
        while (!failed) {
            const std::size_t i = next++;
            if (i >= count) return;
            outcomes[i] = work(i);
            if (!outcomes[i]) failed = true;
        }
    };
    {
        std::vector<std::jthread> helpers;
        for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(take_turns);
        take_turns();
    }
    for (Status& outcome : outcomes) TRY_STATUS(std::move(outcome));
    return {};
}

}  // namespace hygie::ledger
