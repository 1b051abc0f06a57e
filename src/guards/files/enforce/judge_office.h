#pragma once

#include <memory>
#include <optional>
#include <string>

#include "guards/files/acts/smb.h"
#include "guards/files/enforce/judge_desk.h"
#include "guards/files/judge/sandbox.h"

namespace hygie::files {

/// The judge and all it needs, put together.
class JudgeOffice {
  public:
    struct Doors {
        Disk& disk;
        Clock& clock;
        Random& random;
        Process& process;
    };
    struct Settings {
        std::string state;     ///< the guard's state folder
        std::string smb_conf;  ///< empty: Samba's own default
        ToolPolicy tool_policy = ToolPolicy::Report;
        std::string tools;  ///< a list of tools beside the built-in one (tools.h); empty: none
        std::vector<std::string> canaries;
        EventSink sink;
    };

    /// Forks the sandbox: call it while the process has one thread.
    static Result<std::unique_ptr<JudgeOffice>> open(Doors doors, const Settings& settings,
                                                     const crypto::Secret32& state_key);
    /// From here on changes are judged; `heed` is called when an actor was stopped.
    void start(std::function<void()> heed);

    /// An order of a case: a writer named by its key is stopped, or let go.
    Status obey(const event::Order& order);

    JudgeDoor& door() { return *desk_; }
    SmbSessions* sessions() { return sessions_.get(); }
    JudgeDesk& desk() { return *desk_; }
    HeldBook* held() { return &*held_; }
    Enforcer& enforcer() { return *enforcer_; }

  private:
    JudgeOffice() = default;

    std::unique_ptr<SandboxedExaminer> examiner_;
    std::unique_ptr<JudgeState> state_;
    std::unique_ptr<Judge> judge_;
    TheftWatch theft_;
    std::optional<HeldBook> held_;
    std::unique_ptr<ToolWatch> tools_;
    std::unique_ptr<Enforcer> enforcer_;
    std::unique_ptr<SambaSessions> sessions_;
    std::unique_ptr<JudgeDesk> desk_;
};

}  // namespace hygie::files
