#include "host/os_error.h"

#include <fmt/format.h>

#include <cerrno>

#include "host/words.h"

namespace hygie {
namespace {

struct Meaning {
    Code code;
    Text remedy;
};

Meaning meaning_of(int error, const std::string& path) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return {Code::NotFound,
                    {fmt::format("vérifiez le chemin {}", path),
                     fmt::format("check the path {}", path)}};
        case EEXIST:
        case ENOTEMPTY:
            return {
                Code::AlreadyThere,
                {fmt::format("choisissez un autre nom que {}, ou déplacez ce qui s'y trouve", path),
                 fmt::format("choose another name than {}, or move what is there", path)}};
        case EISDIR:
            return {Code::BadInput,
                    {fmt::format("donnez un fichier ordinaire à la place de {}", path),
                     fmt::format("give a regular file instead of {}", path)}};
        case EWOULDBLOCK:
            return {Code::Busy,
                    {fmt::format("arrêtez l'autre hygie qui tient {}, puis recommencez", path),
                     fmt::format("stop the other hygie that holds {}, then try again", path)}};
        case ENOSPC:
        case EDQUOT:
            return {
                Code::Full,
                {fmt::format("libérez de la place (ou relevez le quota) sur le disque qui porte {}",
                             path),
                 fmt::format("free some room (or raise the quota) on the disk that holds {}",
                             path)}};
        case EACCES:
        case EPERM:
            return {Code::Denied,
                    {fmt::format(
                         "donnez au compte qui lance hygie les droits sur {} (chown, chmod)", path),
                     fmt::format("give the account that runs hygie the rights on {} (chown, chmod)",
                                 path)}};
        case EROFS:
            return {Code::Denied,
                    {fmt::format(
                         "remontez en écriture le disque qui porte {} (mount -o remount,rw)", path),
                     fmt::format("remount for writing the disk that holds {} (mount -o remount,rw)",
                                 path)}};
        case ELOOP:
            return {Code::Denied,
                    {fmt::format("remplacez le lien symbolique {} par un vrai fichier", path),
                     fmt::format("replace the symbolic link {} by a real file", path)}};
        default:
            return {
                Code::Io,
                {fmt::format("vérifiez le disque qui porte {} et le journal du noyau (dmesg)",
                             path),
                 fmt::format("check the disk that holds {} and the kernel's log (dmesg)", path)}};
    }
}

}  // namespace

std::unexpected<Error> os_failure(int error, const std::string& path, std::source_location where) {
    const Text words = os_words(error);
    Meaning meaning = meaning_of(error, path);
    return fail(meaning.code,
                {fmt::format("{} : {}", path, words.fr), fmt::format("{}: {}", path, words.en)},
                std::move(meaning.remedy), where);
}

}  // namespace hygie
