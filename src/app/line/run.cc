#include "app/line/run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/line/parse.h"
#include "app/line/render.h"

namespace hygie::app {
namespace {

Result<int> dispatch(Catalog catalog, const Request& request, Context& context) {
    if (request.version) {
        context.out << "hygie " << HYGIE_VERSION << "\n";
        return kExitOk;
    }
    if (request.help) {
        context.out << help_page(catalog, request.path, context.lang);
        return kExitOk;
    }
    if (request.command == nullptr || request.command->is_group()) {
        context.err << help_page(catalog, request.path, context.lang);
        return kExitUsage;
    }
    return request.command->run(context);
}

Status output_written(std::ostream& out) {
    if (out.flush().good()) return {};
    return fail(
        Code::Io,
        {"la sortie n'a pas pu être écrite en entier", "the output could not be written in full"},
        {"vérifiez la place et les droits de la destination, puis recommencez",
         "check the room and rights of the destination, then try again"});
}

}  // namespace

int run(Catalog catalog, const std::vector<std::string>& args, const Outside& outside) {
    Context context(outside, catalog, choose_lang(args, outside.process));
    const Result<Request> request = parse(catalog, args);
    if (!request) {
        print_error(context.err, request.error(), context.lang, wants_json(args));
        return kExitUsage;
    }
    context.json = request->json;
    context.values = request->values;
    Result<int> code = dispatch(catalog, *request, context);
    if (const Status written = output_written(context.out); code && !written)
        code = std::unexpected(written.error());
    if (code) return *code;
    print_error(context.err, code.error(), context.lang, context.json);
    return exit_code_of(code.error().code);
}

int exit_code_of(Code code) {
    switch (code) {
        case Code::Busy:
        case Code::Full:
        case Code::Unavailable:
        case Code::Io:
            return kExitEnvironment;
        case Code::BadInput:
        case Code::NotFound:
        case Code::AlreadyThere:
        case Code::Corrupt:
        case Code::Forged:
        case Code::Stale:
        case Code::Denied:
        case Code::Erased:
            break;
    }
    return kExitFailed;
}

std::string_view name_of(Code code) {
    switch (code) {
        case Code::BadInput:
            return "bad-input";
        case Code::NotFound:
            return "not-found";
        case Code::AlreadyThere:
            return "already-there";
        case Code::Corrupt:
            return "corrupt";
        case Code::Forged:
            return "forged";
        case Code::Stale:
            return "stale";
        case Code::Denied:
            return "denied";
        case Code::Busy:
            return "busy";
        case Code::Full:
            return "full";
        case Code::Unavailable:
            return "unavailable";
        case Code::Io:
            return "io";
        case Code::Erased:
            return "erased";
    }
    return "unknown";
}

void print_error(std::ostream& out, const Error& error, Lang lang, bool json) {
    if (json) {
        const nlohmann::json object = {{"error",
                                        {{"code", name_of(error.code)},
                                         {"what", error.what.in(lang)},
                                         {"remedy", error.remedy.in(lang)}}}};
        // A file name may be no UTF-8: it is shown with replacement characters rather than not at
        // all.
        out << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        return;
    }
    out << "hygie" << (lang == Lang::Fr ? " : " : ": ") << error.what.in(lang) << "\n";
    if (!error.remedy.in(lang).empty()) out << "  → " << error.remedy.in(lang) << "\n";
}

}  // namespace hygie::app
