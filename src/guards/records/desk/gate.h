#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hygie::records {

/// Lets one conditional write of the same criteria through at a time, from the search until the
/// commit: two that arrive together make one resource, not two.
class Gate {
  public:
    /// What it holds of the gate, until destroyed.
    class Pass {
      public:
        Pass() = default;
        Pass(Pass&& other) noexcept
            : gate_(std::exchange(other.gate_, nullptr)), names_(std::move(other.names_)) {}
        Pass& operator=(Pass&& other) noexcept {
            std::swap(gate_, other.gate_);
            std::swap(names_, other.names_);
            return *this;
        }
        ~Pass() {
            if (gate_) gate_->leave(names_);
        }
        explicit operator bool() const { return gate_ != nullptr; }

      private:
        friend class Gate;
        Pass(Gate* gate, std::vector<std::string> names) : gate_(gate), names_(std::move(names)) {}
        Gate* gate_ = nullptr;
        std::vector<std::string> names_;
    };

    /// A pass for all the names, each given once; none when somebody holds one of them.
    Pass enter(std::vector<std::string> names) {
        const std::lock_guard lock(mutex_);
        for (const std::string& name : names) {
            if (held_.contains(name)) return {};
        }
        held_.insert(names.begin(), names.end());
        return {this, std::move(names)};
    }

  private:
    void leave(const std::vector<std::string>& names) {
        const std::lock_guard lock(mutex_);
        for (const std::string& name : names) held_.erase(name);
    }

    std::mutex mutex_;
    std::set<std::string, std::less<>> held_;
};

}  // namespace hygie::records
