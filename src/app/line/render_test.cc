#include "app/line/render.h"

#include <gtest/gtest.h>

#include "app/line/commands.h"
#include "app/line/harness.h"
#include "app/line/parse.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

constexpr Lang kBoth[] = {Lang::Fr, Lang::En};

/// The words of the `hygie` commands in a line of shell; pipes, redirections and substitutions end
/// a command.
std::vector<std::vector<std::string>> hygie_commands(const std::string& line) {
    std::vector<std::vector<std::string>> commands(1);
    std::string word;
    char quote = 0;
    const auto end_word = [&] {
        if (!word.empty()) commands.back().push_back(word);
        word.clear();
    };
    for (char c : line + "\n") {
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (std::string_view("|;&()<>\n").contains(c)) {
            end_word();
            commands.emplace_back();
        } else if (c == ' ') {
            end_word();
        } else {
            word += c;
        }
    }
    std::erase_if(commands,
                  [](const auto& words) { return words.empty() || words.front() != "hygie"; });
    for (auto& words : commands) words.erase(words.begin());
    return commands;
}

void expect_both(const Text& text, const std::string& where) {
    EXPECT_FALSE(text.fr.empty()) << where;
    EXPECT_FALSE(text.en.empty()) << where;
}

/// French punctuation stands behind a blank, where no line may end.
TEST(Help, TearsNoPunctuationFromItsWord) {
    const std::vector<Command> commands = all_commands();
    for (const Command& command : commands) {
        std::istringstream page(help_page(commands, command.path, Lang::Fr));
        for (std::string line; std::getline(page, line);) {
            const auto first = line.find_first_not_of(' ');
            if (first == line.npos) continue;
            const std::string_view text = std::string_view(line).substr(first);
            EXPECT_FALSE(text.starts_with("»") || text.find_first_of(":;?!") == 0) << line;
            EXPECT_FALSE(text.ends_with("«")) << line;
        }
    }
}

TEST(Catalog, IsWholeInBothLanguages) {
    const std::vector<Command> commands = all_commands();
    for (const Command& command : commands) {
        const std::string name = full_name(command.path);
        expect_both(command.summary, name);
        expect_both(command.description, name);
        for (const auto* list : {&command.options, &command.arguments, &global_options()}) {
            for (const Parameter& parameter : *list) {
                expect_both(parameter.help, name + " " + parameter.name);
                const bool takes_value = !parameter.is_argument() && parameter.kind != Kind::Flag;
                EXPECT_EQ(parameter.placeholder.empty(), !takes_value)
                    << name << " " << parameter.name;
            }
        }
        for (const Example& example : command.examples) expect_both(example.what, name);
        EXPECT_EQ(command.is_group(), !children(commands, command.path).empty()) << name;
        EXPECT_TRUE(command.is_group() || !command.examples.empty()) << name << " teaches nothing";
        const std::span<const std::string> above =
            std::span(command.path).first(command.path.size() - 1);
        EXPECT_TRUE(above.empty() || find(commands, above) != nullptr) << name << " has no group";
    }
}

TEST(Catalog, EveryExampleIsAcceptedAndShowsItsOwnCommand) {
    const std::vector<Command> commands = all_commands();
    for (const Command& command : commands) {
        for (const Example& example : command.examples) {
            bool shown = false;
            for (const std::vector<std::string>& words : hygie_commands(example.line)) {
                const Result<Request> request = parse(commands, words);
                ASSERT_TRUE(request) << example.line << ": " << request.error().what.en;
                shown = shown || request->path == command.path;
            }
            EXPECT_TRUE(shown || command.is_group()) << example.line;
        }
    }
}

TEST(Catalog, DefaultsAreAccepted) {
    for (const Command& command : all_commands()) {
        for (const Parameter& option : command.options) {
            if (option.by_default.empty()) continue;
            Command alone{.path = {"x"}, .options = {option}, .run = [](Context&) -> Result<int> {
                              return 0;
                          }};
            const std::vector<Command> catalog{alone};
            EXPECT_TRUE(parse(catalog, {"x", std::string(option.key()), option.by_default}))
                << full_name(command.path) << " " << option.name;
        }
    }
}

TEST(Help, ShowsEverythingOfACommandWithinTheColumns) {
    const std::vector<Command> commands = all_commands();
    for (const Lang lang : kBoth) {
        for (const Command& command : commands) {
            const std::string page = help_page(commands, command.path, lang);
            EXPECT_NE(page.find(full_name(command.path)), std::string::npos);
            for (const auto* list : {&command.options, &command.arguments})
                for (const Parameter& parameter : *list)
                    EXPECT_NE(page.find("\n  " + spelling(parameter)), std::string::npos) << page;
            for (const Example& example : command.examples)
                EXPECT_NE(page.find("    $ " + example.line + "\n"), std::string::npos) << page;
        }
    }
}

TEST(Help, WritesAGroupAndACommandLikeThis) {
    const std::vector<Command> commands = {
        {.path = {"pain"},
         .summary = {"le pain", "bread"},
         .description = {"Tout du pain.", "All about bread."}},
        {.path = {"pain", "cuire"},
         .summary = {"cuit un pain", "bakes a loaf"},
         .description = {"Cuit.\n\n  $ à la main", "Bakes.\n\n  $ by hand"},
         .options = {{.name = "-t,--temps",
                      .placeholder = "D",
                      .kind = Kind::Duration,
                      .help = {"le temps de cuisson, bien assez long pour que cette aide passe à "
                               "la ligne suivante",
                               "the baking time"},
                      .by_default = "40m"}},
         .arguments = {{.name = "PATE", .help = {"la pâte", "the dough"}, .required = true}},
         .examples = {{"hygie pain cuire levain", {"Cuire au levain :", "Bake sourdough:"}}},
         .run = [](Context&) -> Result<int> { return 0; }}};
    EXPECT_EQ(help_page(commands, commands[0].path, Lang::En),
              "hygie pain — bread\n\nUsage: hygie pain COMMAND\n\nAll about bread.\n\nCommands:\n"
              "  cuire                   bakes a loaf\n");
    const std::string page = help_page(commands, commands[1].path, Lang::Fr);
    const std::string start =
        "hygie pain cuire — cuit un pain\n\nUsage : hygie pain cuire [OPTIONS] PATE\n\nCuit.\n\n  "
        "$ à la main\n\n"
        "Arguments :\n  PATE                    la pâte\n\nOptions :\n"
        "  -t, --temps D           le temps de cuisson, bien assez long pour que cette\n"
        "                          aide passe à la ligne suivante (par défaut : 40m)\n";
    EXPECT_EQ(page.substr(0, start.size()), start);
    const std::string end = "\nExemples :\n  Cuire au levain :\n    $ hygie pain cuire levain\n";
    EXPECT_TRUE(page.ends_with(end)) << page;
}

/// A file that holds a script or a page.
class TemporaryFile {
  public:
    explicit TemporaryFile(std::string_view content) {
        EXPECT_TRUE(real_disk().write_file(path, as_bytes(content)));
    }

  private:
    sim::TempDir dir_;

  public:
    const std::string path = dir_ / "file";
};

std::string output_of(const std::vector<std::string>& argv) {
    const Result<RunOutcome> ran = real_process().run(argv, {}, {});
    EXPECT_TRUE(ran) << argv.front() << ": " << ran.error().what.en;
    if (!ran) return "";
    EXPECT_EQ(ran->exit_code, 0) << argv.front() << ": " << as_text(ran->out) << as_text(ran->err);
    return std::string(as_text(ran->out));
}

TEST(Man, HasEveryCommandAndIsCleanRoff) {
    const std::vector<Command> commands = all_commands();
    for (const Lang lang : kBoth) {
        const TemporaryFile page(man_page(commands, lang));
        output_of({"mandoc", "-T", "lint", "-W", "error", page.path});
        const std::string read = output_of({"mandoc", "-T", "utf8", "-O", "width=1000", page.path});
        std::string plain;  // without the overstrikes of bold text
        for (std::size_t i = 0; i < read.size(); ++i) {
            if (i + 1 < read.size() && read[i + 1] == '\b')
                ++i;
            else
                plain += read[i];
        }
        for (const Command& command : commands) {
            EXPECT_NE(plain.find(full_name(command.path)), std::string::npos)
                << full_name(command.path);
            EXPECT_NE(plain.find(command.summary.in(lang)), std::string::npos)
                << command.summary.in(lang);
            for (const Example& example : command.examples)
                EXPECT_NE(plain.find("$ " + example.line), std::string::npos) << example.line;
        }
    }
}

TEST(Man, KeepsRoffFromReadingOurTexts) {
    const std::vector<Command> commands = {
        {.path = {"x"},
         .summary = {"s", "s"},
         .description = {".de danger\n'br\n\\n(.s et --tout", "e"},
         .run = [](Context&) -> Result<int> { return 0; }}};
    const std::string page = man_page(commands, Lang::Fr);
    EXPECT_NE(page.find("\n\\&.de danger\n\\&'br\n\\en(.s et \\-\\-tout\n"), std::string::npos)
        << page;
}

TEST(Completion, NamesEveryCommandAndOptionInEveryShell) {
    const std::vector<Command> commands = all_commands();
    for (const std::string& shell : shells()) {
        const std::string script = completion_script(commands, shell, Lang::Fr);
        for (const Command& command : commands) {
            EXPECT_NE(script.find(full_name(command.path)), std::string::npos) << shell;
            for (const Parameter& option : command.options) {
                const std::string name(option.key());
                EXPECT_NE(script.find(shell == "fish" ? "-l " + name.substr(2) : name),
                          std::string::npos)
                    << name;
            }
        }
    }
}

/// What bash offers after the words typed so far, the last one being completed.
std::string bash_offers(const std::string& words) {
    const std::vector<Command> commands = all_commands();
    const TemporaryFile script(completion_script(commands, "bash", Lang::Fr));
    return output_of(
        {"bash", "-c",
         "source " + script.path + "; COMP_WORDS=(" + words +
             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _hygie; echo \"${COMPREPLY[*]}\""});
}

TEST(Completion, WorksInBash) {
    EXPECT_EQ(bash_offers("hygie conf"), "config\n");
    EXPECT_EQ(bash_offers("hygie config ''"), "default check\n");
    EXPECT_EQ(bash_offers("hygie --lang en config ch"), "check\n");
    EXPECT_EQ(bash_offers("hygie --lang ''"), "fr en\n");
    EXPECT_EQ(bash_offers("hygie completion z"), "zsh\n");
    EXPECT_EQ(bash_offers("hygie man --j"), "--json\n");
    EXPECT_EQ(bash_offers("hygie config check /usr/share/common-lic"),
              "/usr/share/common-licenses\n");
}

TEST(Completion, IsRegisteredInBash) {
    const std::vector<Command> commands = all_commands();
    const TemporaryFile script(completion_script(commands, "bash", Lang::Fr));
    EXPECT_EQ(output_of({"bash", "-c", "source " + script.path + " && complete -p hygie"}),
              "complete -o filenames -F _hygie hygie\n");
}

TEST(Completion, IsAcceptedByZshAndFish) {
    const std::vector<Command> commands = all_commands();
    const TemporaryFile zsh(completion_script(commands, "zsh", Lang::Fr));
    const TemporaryFile fish(completion_script(commands, "fish", Lang::Fr));
    output_of({"zsh", "-n", zsh.path});
    EXPECT_EQ(
        output_of({"fish", "-N", "-c", "source " + fish.path + "; complete -C 'hygie config ch'"}),
        "check\tvérifie un fichier de configuration\n");
}

}  // namespace
}  // namespace hygie::app
