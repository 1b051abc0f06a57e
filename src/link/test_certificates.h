#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/check.h"
#include "link/tls.h"

/// A certificate authority for one test, made when the test runs.
namespace hygie::link {

class TestAuthority {
  public:
    explicit TestAuthority(const std::string& name = "Test CA")
        : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
        certificate_ = issue(name, key_.get(), "critical,CA:TRUE", "");
    }

    std::string pem() const { return pem_of(certificate_.get()); }
    /// Who we are under a name like "DNS:cabinet-1" or "IP:127.0.0.1", trusting this authority.
    TlsIdentity identity(const std::string& names) const { return identity(names, *this); }
    TlsIdentity identity(const std::string& names, const TestAuthority& trusted) const {
        const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
        return {trusted.pem(), pem_of(issue("peer", key.get(), "critical,CA:FALSE", names).get()),
                Sensitive<std::string>(pem_of(key.get()))};
    }

  private:
    using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
    using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

    Certificate issue(const std::string& name, EVP_PKEY* key, const char* constraints,
                      const std::string& names) const {
        Certificate made(X509_new(), X509_free);
        X509* c = made.get();
        X509_set_version(c, X509_VERSION_3);
        static long serial = 1;
        ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(c), -3600);
        X509_gmtime_adj(X509_getm_notAfter(c), 3600);
        X509_set_pubkey(c, key);
        const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, text, -1, -1, 0);
        X509* issuer = certificate_ ? certificate_.get() : c;
        X509_set_issuer_name(c, X509_get_subject_name(issuer));
        add(c, issuer, NID_basic_constraints, constraints);
        add(c, issuer, NID_subject_key_identifier, "hash");
        if (!names.empty()) add(c, issuer, NID_subject_alt_name, names.c_str());
        HYGIE_CHECK(X509_sign(c, key_.get(), EVP_sha256()) > 0, "the test's authority signs");
        return made;
    }
    static void add(X509* to, X509* issuer, int kind, const char* value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
        HYGIE_CHECK(extension != nullptr, "the test's extensions are right");
        X509_add_ext(to, extension, -1);
        X509_EXTENSION_free(extension);
    }
    static std::string text_of(BIO* bio) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        std::string out(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return out;
    }
    static std::string pem_of(X509* certificate) {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, certificate);
        return text_of(bio);
    }
    static std::string pem_of(EVP_PKEY* key) {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(bio);
    }

    Key key_;
    Certificate certificate_{nullptr, X509_free};
};

}  // namespace hygie::link
