#include <fmt/format.h>

#include "app/line/render.h"

namespace hygie::app {
namespace {

/// A text as roff input: nothing in it is taken for a request or an escape.
std::string roff(std::string_view text) {
    std::string out;
    bool line_start = true;
    for (char c : text) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        line_start = c == '\n';
    }
    return out;
}

/// Paragraphs; an empty line starts a new one.
std::string paragraphs(std::string_view text) {
    std::string page;
    while (!text.empty()) {
        const std::string_view row = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), row.size() + 1));
        if (row.empty())
            page += ".PP\n";
        else if (row.starts_with(' '))
            page += ".RS 2\n.nf\n" + roff(row.substr(row.find_first_not_of(' '))) + "\n.fi\n.RE\n";
        else
            page += roff(row) + "\n";
    }
    return page;
}

std::string tagged(std::string_view tag, std::string_view text) {
    return fmt::format(".TP\n.B {}\n{}", roff(tag), paragraphs(text));
}

std::string command_section(const Command& command, Lang lang) {
    std::string page = fmt::format(".SS \"{}\"\n", roff(full_name(command.path)));
    page += paragraphs(command.summary.in(lang) + ".");
    if (!command.description.in(lang).empty())
        page += ".PP\n" + paragraphs(command.description.in(lang));
    if (command.is_group()) return page;
    page += fmt::format(".PP\n.B {}\n", roff(usage_line(command)));
    for (const std::vector<Parameter>* list : {&command.arguments, &command.options})
        for (const Parameter& parameter : *list)
            page += tagged(spelling(parameter), explained(parameter, lang));
    for (const Example& example : command.examples)
        page += fmt::format(".PP\n{}.PP\n.RS 4\n.nf\n$ {}\n.fi\n.RE\n",
                            paragraphs(example.what.in(lang)), roff(example.line));
    return page;
}

}  // namespace

std::string man_page(Catalog catalog, Lang lang) {
    const bool french = lang == Lang::Fr;
    std::string page = fmt::format(".TH HYGIE 1 \"\" \"hygie {}\" \"{}\"\n", HYGIE_VERSION,
                                   french ? "Commandes" : "User Commands");
    page += fmt::format(
        ".SH {}\nhygie \\- {}\n", french ? "NOM" : "NAME",
        french ? "garde une organisation de soins, avec des preuves que chacun peut vérifier"
               : "guards a care organisation, with evidence anyone can check");
    page += fmt::format(".SH SYNOPSIS\n.B hygie\n.I {}\n[\\fIOPTIONS\\fR]\n",
                        french ? "COMMANDE" : "COMMAND");
    page += ".SH OPTIONS\n";
    for (const Parameter& option : global_options())
        page += tagged(spelling(option), explained(option, lang));
    page += french ? ".SH COMMANDES\n" : ".SH COMMANDS\n";
    for (const Command& command : catalog) page += command_section(command, lang);
    page += french ? ".SH \"CODES DE SORTIE\"\n" : ".SH \"EXIT STATUS\"\n";
    for (const auto& [code, meaning] : exit_codes())
        page += tagged(std::to_string(code), meaning.in(lang));
    return page;
}

}  // namespace hygie::app
