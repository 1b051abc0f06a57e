#include "host/words.h"

#include <curl/curl.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace hygie {
namespace {

/// The French of what glibc says; null for what nobody meets.
const char* french_of(int error) {
    switch (error) {
        case ENOENT:
            return "fichier ou dossier introuvable";
        case ENOTDIR:
            return "ce n'est pas un dossier";
        case EISDIR:
            return "c'est un dossier";
        case EEXIST:
            return "existe déjà";
        case ENOTEMPTY:
            return "le dossier n'est pas vide";
        case EACCES:
            return "accès refusé";
        case EPERM:
            return "opération non permise";
        case EAGAIN:
            return "déjà pris par un autre processus";
        case ENOSPC:
            return "il n'y a plus de place sur le disque";
        case EDQUOT:
            return "le quota du disque est atteint";
        case EROFS:
            return "le disque est en lecture seule";
        case ELOOP:
            return "trop de liens symboliques";
        case EIO:
            return "erreur du disque";
        case ENAMETOOLONG:
            return "nom trop long";
        case EFBIG:
            return "fichier trop gros";
        case EMFILE:
        case ENFILE:
            return "trop de fichiers ouverts";
        case ENOMEM:
            return "il n'y a plus de mémoire";
        case EINVAL:
            return "argument refusé par le système";
        case ETXTBSY:
            return "le programme est en cours d'exécution";
        case ECONNREFUSED:
            return "connexion refusée : rien n'écoute là";
        case ECONNRESET:
            return "l'autre côté a coupé la connexion";
        case EPIPE:
            return "l'autre côté n'écoute plus";
        case ETIMEDOUT:
            return "pas de réponse à temps";
        case EHOSTUNREACH:
        case ENETUNREACH:
            return "aucun chemin vers cette machine";
        case EADDRINUSE:
            return "adresse déjà prise par un autre service";
        case EADDRNOTAVAIL:
            return "cette adresse n'est pas celle de cette machine";
        default:
            return nullptr;
    }
}

const char* french_of(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return "le nom de la machine est inconnu";
        case CURLE_COULDNT_CONNECT:
            return "connexion impossible";
        case CURLE_OPERATION_TIMEDOUT:
            return "pas de réponse à temps";
        case CURLE_PEER_FAILED_VERIFICATION:
            return "le certificat n'est pas celui attendu";
        case CURLE_SSL_CONNECT_ERROR:
            return "la liaison TLS échoue";
        case CURLE_SSL_CACERT_BADFILE:
            return "le fichier des autorités est illisible";
        case CURLE_USE_SSL_FAILED:
            return "le serveur ne parle pas TLS";
        case CURLE_LOGIN_DENIED:
            return "identification refusée";
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
            return "la liaison s'est rompue";
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return "adresse incorrecte";
        case CURLE_WEIRD_SERVER_REPLY:
            return "réponse incompréhensible";
        default:
            return nullptr;
    }
}

}  // namespace

Text os_words(int error) {
    const std::string english = std::generic_category().message(error);
    const char* const french = french_of(error);
    return {french == nullptr ? english : french, english};
}

Text curl_words(int code) {
    const auto known = static_cast<CURLcode>(code);
    const std::string english = curl_easy_strerror(known);
    const char* const french = french_of(known);
    return {french == nullptr ? english : french, english};
}

}  // namespace hygie
