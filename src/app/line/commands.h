#pragma once

#include <vector>

#include "app/line/command.h"

/// Each area of the product describes its commands in one cmd_*.cc file. To add one: write the
/// function there, declare it here, and list it in all_commands().
namespace hygie::app {

std::vector<Command> demo_commands();
std::vector<Command> serve_commands();
std::vector<Command> user_commands();
std::vector<Command> vault_commands();
std::vector<Command> vault_bench_commands();
/// `access explain`, `who-can`, `unexplained`.
std::vector<Command> access_commands();
std::vector<Command> access_policy_commands();
/// `access opened`, `worklist`, `review`, `policy activate` and `active`.
std::vector<Command> access_state_commands();
/// `access contain`, `release`, `held`, `grant`, `revoke`.
std::vector<Command> access_hold_commands();
std::vector<Command> access_bench_commands();
std::vector<Command> ledger_commands();
std::vector<Command> ledger_read_commands();
std::vector<Command> ledger_verify_commands();
std::vector<Command> ledger_keep_commands();
std::vector<Command> ledger_serve_commands();
std::vector<Command> ledger_bench_commands();
/// `link send` and `link status`.
std::vector<Command> link_commands();
/// `guard files`.
std::vector<Command> files_commands();
/// `files …`.
std::vector<Command> files_history_commands();
/// `files stopped`, `thaw`, `enrol` and `bench`.
std::vector<Command> files_judge_commands();
std::vector<Command> files_canaries_commands();
std::vector<Command> files_fence_commands();
/// `backup …`.
std::vector<Command> backup_commands();
std::vector<Command> witness_commands();
std::vector<Command> key_commands();
/// `mail judge`.
std::vector<Command> mail_commands();
std::vector<Command> mail_sample_commands();
std::vector<Command> mail_model_commands();
std::vector<Command> mail_learn_commands();
/// `guard mail`.
std::vector<Command> mail_guard_commands();
std::vector<Command> mail_quarantine_commands();
/// `mail watch`.
std::vector<Command> mail_watch_commands();
/// `mail retract`.
std::vector<Command> mail_retract_commands();
std::vector<Command> mail_digest_commands();
std::vector<Command> mail_memory_commands();
std::vector<Command> config_commands();
/// `man` and `completion`.
std::vector<Command> self_commands();

/// Every command, in the order of the overview.
std::vector<Command> all_commands();

}  // namespace hygie::app
