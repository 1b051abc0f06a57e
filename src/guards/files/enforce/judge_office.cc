#include "guards/files/enforce/judge_office.h"

#include "host/log.h"

namespace hygie::files {
namespace {

constexpr std::uint64_t kToolListBytesMax = 1 << 20;

}  // namespace

Result<std::unique_ptr<JudgeOffice>> JudgeOffice::open(Doors doors, const Settings& settings,
                                                       const crypto::Secret32& state_key) {
    std::unique_ptr<JudgeOffice> office(new JudgeOffice);
    office->examiner_ = TRY(SandboxedExaminer::start());
    office->state_ =
        std::make_unique<JudgeState>(doors.disk, doors.random, settings.state, state_key);
    Policy policy;
    policy.enrolled = TRY(office->state_->load_enrolled());
    office->judge_ = std::make_unique<Judge>(std::move(policy), *office->examiner_);
    // A damaged memory must not keep the guard from guarding.
    if (const Status loaded = office->state_->load_judge(*office->judge_); !loaded)
        log::warning("files.judge-forgot", loaded.error());
    if (const Status loaded = office->state_->load_habits(office->theft_); !loaded)
        log::warning("files.judge-forgot", loaded.error());
    std::vector<RemoteTool> tools = parse_tools(built_in_tools());
    if (!settings.tools.empty()) {
        const Bytes list = TRY(doors.disk.read_file(settings.tools, kToolListBytesMax));
        for (RemoteTool& tool : parse_tools(as_text(list))) tools.push_back(std::move(tool));
    }
    office->tools_ = std::make_unique<ToolWatch>(std::move(tools));
    office->held_.emplace(TRY(HeldBook::open(join(settings.state, "held"))));
    office->enforcer_ = std::make_unique<Enforcer>(
        Enforcer::Doors{real_process_control(), doors.clock, doors.random}, office->state_.get(),
        settings.sink, office->held());
    TRY_STATUS(office->enforcer_->restore());
    office->sessions_ = std::make_unique<SambaSessions>(doors.process, settings.smb_conf);
    office->desk_ = std::make_unique<JudgeDesk>(
        JudgeDesk::Parts{*office->judge_, office->theft_, *office->tools_, *office->enforcer_,
                         doors.clock, doors.random, office->state_.get(), settings.sink,
                         settings.tool_policy, settings.canaries});
    return office;
}

void JudgeOffice::start(std::function<void()> heed) {
    desk_->on_stop(std::move(heed));
    sessions_->start();
    desk_->start();
}

Status JudgeOffice::obey(const event::Order& order) {
    switch (order.kind) {
        case event::Order::Kind::ThawWriter:
            return state_->give({GuardOrder::Kind::Thaw, order.target});
        case event::Order::Kind::FreezeWriter:
        case event::Order::Kind::CutSession:
            enforcer_->refuse(order.target, order.reason);
            return {};
        default:
            return fail(Code::BadInput,
                        {"cet ordre n'est pas pour le garde des fichiers",
                         "this order is not for the guard of files"},
                        {"adressez-le au garde qu'il concerne", "give it to the guard it is for"});
    }
}

}  // namespace hygie::files
