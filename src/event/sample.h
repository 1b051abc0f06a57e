#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "event/event.h"
#include "host/random.h"

namespace hygie::event {

/// Numbers from a seed (xoshiro256**, Blackman and Vigna): the same everywhere, for samples only.
class SampleRandom final : public Random {
  public:
    explicit SampleRandom(std::uint64_t seed);
    void fill(std::span<std::uint8_t> out) override;

    std::uint64_t next();
    /// Evenly in [0, bound).
    std::size_t below(std::size_t bound);
    /// In [0, bound), small numbers far more often: half of all draws fall in the first eighth.
    std::size_t skewed_below(std::size_t bound);

  private:
    std::array<std::uint64_t, 4> state_;
};

/// An endless stream of the events of a French hospital that never was: invented people with
/// identifiers of the ranges kept for tests, busy and quiet staff and patients, far more reads than
/// writes, searches with their queries (some hostile), mail, files and sign-ins, slow nights. One
/// seed gives one stream. No counters: the ledger counts.
class Sampler {
  public:
    /// The first event happens at `start`.
    explicit Sampler(std::uint64_t seed, WallTime start = kSampleStart);

    Event next();

    static constexpr WallTime kSampleStart{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5)};

  private:
    struct Person {
        ActorId id;
        std::string role;
        std::string device;
        std::string address;
    };
    /// Somebody at work on one record for a while.
    struct Visit {
        std::size_t person = 0;
        std::size_t patient = 0;
    };

    void advance_clock();
    Visit begin_visit();
    void fill_record(Event& event, const Visit& visit);
    void fill_session(Event& event);
    void fill_mail(Event& event);
    void fill_file(Event& event);
    void set_actor(Event& event, const Person& person);
    std::string query(const PatientId& patient);

    SampleRandom random_;
    WallTime now_;
    std::vector<Person> staff_;
    std::vector<PatientId> patients_;
    std::array<Visit, 64> visits_;
};

}  // namespace hygie::event
