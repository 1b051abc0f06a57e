#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/house/core.h"
#include "app/house/vault_figures_bare.h"
#include "app/house/vault_figures_data.h"
#include "serve/load.h"

namespace hygie::app {

/// A figure, with what the project set out to reach.
struct VaultFigure {
    enum class Goal : std::uint8_t { None, AtLeast, AtMost };
    Text what{};
    double value = 0;
    Text unit{};
    Goal goal = Goal::None;
    double reach = 0;

    bool is_missed() const {
        return (goal == Goal::AtLeast && value < reach) || (goal == Goal::AtMost && value > reach);
    }
};

/// `hygie vault bench`: a core as `hygie serve` starts it, in a folder of its own, and a client
/// beside it in the same process.
class VaultBench {
  public:
    struct Plan {
        std::string dir;  ///< exists, and is empty
        std::size_t patients = 0;
        Micros each{};                    ///< length of each measurement of reads
        std::uint64_t requests = 0;       ///< ends a measurement too; 0: time alone does
        std::vector<std::string> only{};  ///< keys of the questions to ask; empty: all
    };
    VaultBench(Context& context, const VaultBenchData& data, Plan plan);
    ~VaultBench();

    Status run();
    const std::vector<VaultFigure>& figures() const { return figures_; }
    /// Answers that were no success, lost connections, and searches that found nothing.
    std::uint64_t refused() const { return refused_; }

    /// What --only may name.
    static std::vector<std::string> questions();

  private:
    struct House;
    using Next = std::function<std::string(std::uint64_t number)>;

    Status open();
    Status close();
    Status open_sessions();
    Status import();
    /// A moment of the import.
    struct Mark {
        SteadyTime time;
        std::uint64_t taken;
    };
    void compare_import(const std::vector<Mark>& marks);
    Status open_again(const Text& when, const std::string& token);
    Status after_a_busy_day();
    /// What is asked, with what to reach.
    struct Probe {
        std::string_view key;
        Text what;
        Next next;
        std::size_t connections = 64;
        double per_second = 0, p99_ms = 0;  ///< 0: none
        bool priced = false;                ///< asked once more with all security off
    };
    Status ask();
    std::vector<Probe> probes() const;
    /// What one kind of question came to.
    struct Measured {
        double per_second = 0;
        double server_us = 0;  ///< processor a request, without the client's
    };
    /// Asks as the reader, or at the bare door, and adds the figures.
    Result<Measured> measure(const Probe& probe);
    Status warm_up(const Probe& probe);
    Status price(const Probe& probe, const Measured& guarded);
    serve::LoadPlan load(std::size_t connections) const;
    std::string get(const std::string& target, const std::string& token) const;
    std::string post(const std::string& body) const;
    /// Sends one transaction; Code::BadInput when it is refused.
    Status send(const std::string& bundle);
    void note_stored(std::size_t patient, std::string_view answer);
    void add(VaultFigure figure) { figures_.push_back(std::move(figure)); }

    Context& context_;
    const VaultBenchData& data_;
    const Plan plan_;
    const CoreDirs dirs_;
    std::unique_ptr<House> house_;
    std::unique_ptr<BareDoor> bare_;  ///< while it is what is measured
    std::string reader_token_, writer_token_;
    std::vector<std::string> stored_;    ///< "Type/id": some of all
    std::uint64_t seen_ = 0;             ///< of which those are some
    std::vector<std::string> patients_;  ///< ids of those with observations of kCode
    std::uint64_t resources_ = 0;        ///< in the vault after the import
    std::uint64_t refused_ = 0;
    std::vector<VaultFigure> figures_;
};

}  // namespace hygie::app
