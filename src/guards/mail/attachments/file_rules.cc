#include "guards/mail/attachments/file_rules.h"

#include <yara.h>

#include <atomic>
#include <memory>

#include "base/check.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// Lives as long as the process: children that read attachments use it after a fork.
std::atomic<YR_RULES*> rules_of_process = nullptr;

std::unexpected<Error> not_read(const std::string& why) {
    return fail(Code::BadInput,
                {"une règle YARA ne se lit pas : " + why, "a YARA rule cannot be read: " + why},
                {"corrigez-la, ou vérifiez les règles avec le programme yara",
                 "mend it, or check the rules with the program yara"});
}

/// Includes are refused: a rule file says all it says by itself.
const char* no_include(const char*, const char*, const char*, void*) {
    return nullptr;
}

void first_error(int level, const char*, int line, const YR_RULE*, const char* what, void* user) {
    auto& said = *static_cast<std::string*>(user);
    if (level == YARA_ERROR_LEVEL_ERROR && said.empty())
        said = "ligne / line " + std::to_string(line) + ": " + clean_utf8(what ? what : "");
}

struct Compiler {
    Compiler() { HYGIE_CHECK(yr_compiler_create(&raw) == ERROR_SUCCESS, "memory for a compiler"); }
    ~Compiler() { yr_compiler_destroy(raw); }
    Compiler(const Compiler&) = delete;
    Compiler& operator=(const Compiler&) = delete;
    YR_COMPILER* raw = nullptr;
};

struct Scan {
    const std::function<void(std::string_view)>& known;
};

int on_match(YR_SCAN_CONTEXT*, int message, void* data, void* user) {
    if (message == CALLBACK_MSG_RULE_MATCHING)
        static_cast<Scan*>(user)->known(static_cast<YR_RULE*>(data)->identifier);
    return CALLBACK_CONTINUE;
}

Result<std::vector<std::string>> rule_files(Disk& disk, const std::string& path) {
    const auto listing = disk.list(path);
    if (!listing) return std::vector{path};
    std::vector<std::string> files;
    for (const DirEntry& entry : *listing)
        if (!entry.is_dir && (entry.name.ends_with(".yar") || entry.name.ends_with(".yara")))
            files.push_back(join(path, entry.name));
    return files;
}

}  // namespace

Status use_file_rules(Disk& disk, const std::string& path) {
    HYGIE_CHECK(!rules_of_process.load(), "rules are read once");
    if (yr_initialize() != ERROR_SUCCESS) return not_read("libyara");
    Compiler compiler;
    std::string said;
    yr_compiler_set_callback(compiler.raw, first_error, &said);
    yr_compiler_set_include_callback(compiler.raw, no_include, nullptr, nullptr);
    for (const std::string& file : TRY(rule_files(disk, path))) {
        const Bytes text = TRY(disk.read_file(file, kRuleBytesMax));
        const std::string rules(as_text(text));
        if (yr_compiler_add_string(compiler.raw, rules.c_str(), nullptr) != 0)
            return not_read(said);
    }
    YR_RULES* rules = nullptr;
    if (yr_compiler_get_rules(compiler.raw, &rules) != ERROR_SUCCESS) return not_read("memory");
    rules_of_process = rules;
    return {};
}

void match_file_rules(std::string_view bytes, const std::function<void(std::string_view)>& known) {
    YR_RULES* rules = rules_of_process;
    if (!rules) return;
    Scan scan{known};
    // No signal handlers: in the sandbox a crash is the sandbox's to notice.
    (void)yr_rules_scan_mem(rules, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                            bytes.size(), SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING,
                            on_match, &scan, kRuleSecondsMax);
}

}  // namespace hygie::mail
