#include "app/line/commands.h"

namespace hygie::app {

std::vector<Command> all_commands() {
    std::vector<Command> all;
    for (const auto area : {demo_commands,
                            serve_commands,
                            user_commands,
                            vault_commands,
                            vault_bench_commands,
                            access_commands,
                            access_policy_commands,
                            access_hold_commands,
                            access_bench_commands,
                            ledger_commands,
                            ledger_read_commands,
                            ledger_verify_commands,
                            ledger_keep_commands,
                            ledger_serve_commands,
                            link_commands,
                            ledger_bench_commands,
                            witness_commands,
                            key_commands,
                            mail_sample_commands,
                            mail_commands,
                            mail_model_commands,
                            mail_learn_commands,
                            mail_quarantine_commands,
                            files_commands,
                            mail_guard_commands,
                            mail_watch_commands,
                            mail_retract_commands,
                            mail_digest_commands,
                            mail_memory_commands,
                            files_history_commands,
                            files_judge_commands,
                            files_canaries_commands,
                            files_fence_commands,
                            backup_commands,
                            config_commands,
                            self_commands})
        for (Command& command : area()) all.push_back(std::move(command));
    return all;
}

}  // namespace hygie::app
