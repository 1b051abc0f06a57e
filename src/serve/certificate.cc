#include "serve/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.h"
#include "crypto/freed.h"

namespace hygie::serve {
namespace {

constexpr std::size_t kPemBytesMax = 64 << 10;
constexpr std::size_t kNamesMax = 64;
/// Certificates begin a little in the past: clocks of clients differ.
constexpr Micros kClockSkew = std::chrono::hours(1);

using crypto::Freed;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

struct Identity {
    Certificate certificate;
    Key key;
};

bool is_address(const std::string& name) {
    std::array<std::uint8_t, 16> scrap;
    return ::inet_pton(AF_INET, name.c_str(), scrap.data()) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), scrap.data()) == 1;
}

/// Labels of letters, digits and hyphens: nothing that the syntax of OpenSSL could read otherwise.
bool is_dns_name(std::string_view name) {
    if (name.empty() || name.size() > 253 || name.front() == '.' || name.back() == '.' ||
        name.contains(".."))
        return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

Result<std::vector<std::string>> all_names(const std::vector<std::string>& names) {
    std::vector<std::string> all = {"localhost", "127.0.0.1", "::1"};
    for (const std::string& name : names) {
        if (!is_address(name) && !is_dns_name(name))
            return fail(Code::BadInput,
                        {"nom de serveur incorrect dans le certificat demandé",
                         "bad server name in the certificate asked for"},
                        {"donnez des noms DNS en minuscules ou des adresses IP",
                         "give DNS names in lower case or IP addresses"});
        if (std::ranges::find(all, name) == all.end()) all.push_back(name);
    }
    if (all.size() > kNamesMax)
        return fail(Code::BadInput, {"trop de noms de serveur", "too many server names"},
                    {"donnez-en moins", "give fewer"});
    return all;
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
    return text;
}

/// Only these names may be certified: others, of whatever kind, are refused by clients.
std::string constraints(const std::vector<std::string>& names) {
    std::string text = "critical";
    for (const std::string& name : names) {
        if (!is_address(name)) {
            text += ",permitted;DNS:" + name;
        } else {
            text += ",permitted;IP:" + name +
                    (name.contains(':') ? "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
                                        : "/255.255.255.255");
        }
    }
    return text;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    HYGIE_CHECK(made != nullptr, "a certificate would lack an extension");
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

void set_time(ASN1_TIME* to, WallTime time) {
    HYGIE_CHECK(ASN1_TIME_set(to, std::chrono::system_clock::to_time_t(time)) != nullptr,
                "a certificate would have no term");
}

Certificate blank(EVP_PKEY* key, const std::string& name, WallTime now, Micros life,
                  Random& random) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    std::array<std::uint8_t, 16> serial = random.bytes<16>();
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, never short
    BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
    BN_free(number);
    set_time(X509_getm_notBefore(certificate.get()), now - kClockSkew);
    set_time(X509_getm_notAfter(certificate.get()), now + life);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
}

void sign(X509* certificate, const X509* issuer, EVP_PKEY* key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    HYGIE_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0, "a certificate would be unsigned");
}

Key new_key() {
    Key key(EVP_EC_gen("P-256"));
    HYGIE_CHECK(key != nullptr, "OpenSSL cannot make a P-256 key");
    return key;
}

Identity make_authority(const std::vector<std::string>& names, WallTime now, Random& random) {
    Key key = new_key();
    Certificate made =
        blank(key.get(), "Hygie " + to_hex(random.bytes<4>()), now, kAuthorityLife, random);
    X509* c = made.get();
    extend(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(c, c, NID_key_usage, "critical,keyCertSign");
    extend(c, c, NID_subject_key_identifier, "hash");
    extend(c, c, NID_name_constraints, constraints(names));
    sign(c, c, key.get());
    return {std::move(made), std::move(key)};
}

Identity make_server(const Identity& authority, const std::vector<std::string>& names, WallTime now,
                     Random& random) {
    Key key = new_key();
    Certificate made = blank(key.get(), names.back(), now, kCertificateLife, random);
    X509* c = made.get();
    X509* issuer = authority.certificate.get();
    extend(c, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(c, issuer, NID_key_usage, "critical,digitalSignature");
    extend(c, issuer, NID_ext_key_usage, "serverAuth");
    extend(c, issuer, NID_subject_key_identifier, "hash");
    extend(c, issuer, NID_authority_key_identifier, "keyid:always");
    extend(c, issuer, NID_subject_alt_name, alternative_names(names));
    sign(c, issuer, authority.key.get());
    return {std::move(made), std::move(key)};
}

Bytes drained(const Bio& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return to_bytes(as_bytes({data, static_cast<std::size_t>(size)}));
}

Bytes pem(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return drained(bio);
}

Bytes pem(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_secmem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return drained(bio);
}

/// None when either file is absent or is not what we write: it is made again.
Identity load(Disk& disk, const std::string& cert, const std::string& key) {
    const Result<Bytes> cert_pem = disk.read_file(cert, kPemBytesMax);
    const Result<Bytes> key_pem = disk.read_file(key, kPemBytesMax);
    if (!cert_pem || !key_pem) return {};
    const Bio cert_bio(BIO_new_mem_buf(cert_pem->data(), static_cast<int>(cert_pem->size())));
    const Bio key_bio(BIO_new_mem_buf(key_pem->data(), static_cast<int>(key_pem->size())));
    Identity found{Certificate(PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr)),
                   Key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr))};
    if (!found.certificate || !found.key ||
        X509_check_private_key(found.certificate.get(), found.key.get()) != 1)
        return {};
    return found;
}

/// Whether it still stands for a while. `now` before its start counts as not.
bool is_fresh(const X509* certificate, WallTime now) {
    std::time_t from = std::chrono::system_clock::to_time_t(now);
    std::time_t until = std::chrono::system_clock::to_time_t(now + kRenewBefore);
    return X509_cmp_time(X509_get0_notBefore(certificate), &from) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &until) > 0;
}

/// Whether a server certificate speaks for all names.
bool bears(X509* certificate, const std::vector<std::string>& names) {
    return std::ranges::all_of(names, [&](const std::string& name) {
        return (is_address(name)
                    ? X509_check_ip_asc(certificate, name.c_str(), 0)
                    : X509_check_host(certificate, name.c_str(), name.size(), 0, nullptr)) == 1;
    });
}

/// Whether the constraints of the authority allow the names of a certificate.
bool may_certify(X509* authority, X509* certificate) {
    NAME_CONSTRAINTS* limits = static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(authority, NID_name_constraints, nullptr, nullptr));
    if (!limits) return false;
    X509_check_purpose(certificate, -1, 0);  // has OpenSSL read the extensions
    const bool allowed = NAME_CONSTRAINTS_check(certificate, limits) == X509_V_OK;
    NAME_CONSTRAINTS_free(limits);
    return allowed;
}

}  // namespace

Result<CertificateFiles> ensure_certificate(Disk& disk, Clock& clock, Random& random,
                                            const std::string& dir,
                                            const std::vector<std::string>& names) {
    CertificateFiles files{join(dir, "authority.pem"), join(dir, "server.pem"),
                           join(dir, "server.key")};
    const std::string authority_key = join(dir, "authority.key");
    const std::vector<std::string> all = TRY(all_names(names));
    const WallTime now = clock.now();
    TRY_STATUS(disk.make_dirs(dir));

    Identity authority = load(disk, files.authority, authority_key);
    const bool stands = authority.certificate && is_fresh(authority.certificate.get(), now);
    const Identity server = load(disk, files.cert, files.key);
    if (stands && server.certificate && is_fresh(server.certificate.get(), now) &&
        bears(server.certificate.get(), all) &&
        X509_verify(server.certificate.get(), authority.key.get()) == 1)
        return files;

    Identity made;
    if (stands) made = make_server(authority, all, now, random);
    if (!stands || !may_certify(authority.certificate.get(), made.certificate.get())) {
        authority = make_authority(all, now, random);
        made = make_server(authority, all, now, random);
        TRY_STATUS(disk.replace_file(authority_key, pem(authority.key.get())));
        TRY_STATUS(
            disk.replace_file(files.authority, pem(authority.certificate.get()), Access::Served));
    }
    TRY_STATUS(disk.replace_file(files.key, pem(made.key.get())));
    TRY_STATUS(disk.replace_file(files.cert, pem(made.certificate.get()), Access::Served));
    files.renewed = true;
    return files;
}

}  // namespace hygie::serve
