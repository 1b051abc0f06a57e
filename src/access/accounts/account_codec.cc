#include "access/accounts/account_codec.h"

#include <algorithm>
#include <limits>

#include "event/codec.h"

namespace hygie::access {
namespace {

/// Each version appended fields: to an account passkeys; freeze and warning; leave for purposes,
/// and to the book what holds units.
constexpr std::uint64_t kVersionOldest = 1, kVersionOfPasskeys = 2, kVersionOfFreezes = 3,
                        kVersionOfHolds = 4;
constexpr std::uint64_t kBookVersion = kVersionOfHolds;
constexpr std::uint64_t kBookFields = 4, kHoldFields = 6, kAccountFields = 24, kGrantFields = 6,
                        kTraceFields = 5;
constexpr std::uint64_t kPasskeyFields = 5, kFreezeFields = 4;
constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTracesMax = kAccountsMax;
constexpr std::int64_t kMicrosMax = 253'402'300'799'999'999;  // the year 9999

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"le fichier des comptes est illisible", "the accounts file is unreadable"},
                {"rétablissez-le depuis une sauvegarde", "restore it from a backup"});
}

Status expect(Result<std::uint64_t> found, std::uint64_t wanted) {
    if (!found || *found != wanted) return corrupt();
    return {};
}

Result<std::string> read_text(cbor::Reader& in) {
    return std::string(TRY(in.text()));
}

void write_passkeys(cbor::Writer& out, const std::vector<Passkey>& passkeys) {
    out.array(passkeys.size());
    for (const Passkey& passkey : passkeys) {
        out.array(kPasskeyFields);
        out.bytes(passkey.id);
        out.bytes(passkey.key);
        out.number(static_cast<std::uint64_t>(passkey.alg));
        out.number(passkey.counter);
        out.number(to_number(passkey.since));
    }
}

Result<Passkey> read_passkey(cbor::Reader& in) {
    Passkey passkey;
    TRY_STATUS(expect(in.array(), kPasskeyFields));
    passkey.id = to_bytes(TRY(in.bytes()));
    passkey.key = to_bytes(TRY(in.bytes()));
    const std::uint64_t alg = TRY(in.number());
    const std::uint64_t counter = TRY(in.number());
    if (alg < 1 || alg > static_cast<std::uint64_t>(PasskeyAlg::RS256) ||
        counter > std::numeric_limits<std::uint32_t>::max())
        return corrupt();
    passkey.alg = static_cast<PasskeyAlg>(alg);
    passkey.counter = static_cast<std::uint32_t>(counter);
    passkey.since = TRY(to_time(TRY(in.number())));
    return passkey;
}

Result<std::vector<Passkey>> read_passkeys(cbor::Reader& in) {
    const std::uint64_t count = TRY(in.array());
    if (count > kPasskeysMax) return corrupt();
    std::vector<Passkey> passkeys;
    for (std::uint64_t i = 0; i < count; ++i) passkeys.push_back(TRY(read_passkey(in)));
    return passkeys;
}

void write_freeze(cbor::Writer& out, const std::optional<Freeze>& freeze) {
    out.array(freeze ? kFreezeFields : 0);
    if (!freeze) return;
    out.number(to_number(freeze->since));
    out.number(to_number(freeze->until));
    out.text(freeze->by.str());
    out.text(freeze->why);
}

Result<std::optional<Freeze>> read_freeze(cbor::Reader& in) {
    const std::uint64_t fields = TRY(in.array());
    if (fields == 0) return std::nullopt;
    if (fields != kFreezeFields) return corrupt();
    Freeze freeze;
    freeze.since = TRY(to_time(TRY(in.number())));
    freeze.until = TRY(to_time(TRY(in.number())));
    freeze.by = ActorId(TRY(read_text(in)));
    freeze.why = TRY(read_text(in));
    return freeze;
}

void write_grant(cbor::Writer& out, const PurposeGrant& grant) {
    out.array(kGrantFields);
    out.number(static_cast<std::uint64_t>(grant.purpose));
    out.number(to_number(grant.since));
    out.number(to_number(grant.until));
    out.text(grant.by.str());
    out.text(grant.why);
    out.text(grant.evidence);
}

Result<PurposeGrant> read_grant(cbor::Reader& in) {
    TRY_STATUS(expect(in.array(), kGrantFields));
    const std::uint64_t purpose = TRY(in.number());
    if (purpose < 1 || purpose > static_cast<std::uint64_t>(Purpose::Research)) return corrupt();
    PurposeGrant grant;
    grant.purpose = static_cast<Purpose>(purpose);
    grant.since = TRY(to_time(TRY(in.number())));
    grant.until = TRY(to_time(TRY(in.number())));
    grant.by = ActorId(TRY(read_text(in)));
    grant.why = TRY(read_text(in));
    grant.evidence = TRY(read_text(in));
    return grant;
}

void write_hold(cbor::Writer& out, const UnitHold& hold) {
    out.array(kHoldFields);
    out.text(hold.unit);
    out.number(to_number(hold.since));
    out.number(to_number(hold.until));
    out.text(hold.by.str());
    out.text(hold.why);
    out.text(hold.evidence);
}

Result<UnitHold> read_hold(cbor::Reader& in) {
    TRY_STATUS(expect(in.array(), kHoldFields));
    UnitHold hold;
    hold.unit = TRY(read_text(in));
    hold.since = TRY(to_time(TRY(in.number())));
    hold.until = TRY(to_time(TRY(in.number())));
    hold.by = ActorId(TRY(read_text(in)));
    hold.why = TRY(read_text(in));
    hold.evidence = TRY(read_text(in));
    return hold;
}

void write_account(cbor::Writer& out, const Account& account) {
    out.array(kAccountFields);
    out.text(account.login.str());
    out.text(account.name);
    out.number(static_cast<std::uint64_t>(account.role));
    out.text(account.profession);
    out.text(account.person);
    out.text(account.organisation);
    out.text(account.sponsor.str());
    out.number(to_number(account.since));
    out.number(to_number(account.end));
    out.boolean(account.disabled);
    out.text(account.password);
    out.bytes(account.otp_secret);
    out.number(account.otp_last);
    write_texts(out, account.recovery);
    write_texts(out, account.scopes);
    write_texts(out, account.redirects);
    out.text(account.jwks);
    write_texts(out, account.identities);
    out.number(to_number(account.last_used));
    out.number(account.epoch);
    write_passkeys(out, account.passkeys);
    write_freeze(out, account.freeze);
    out.number(to_number(account.warned));
    out.array(account.grants.size());
    for (const PurposeGrant& grant : account.grants) write_grant(out, grant);
}

Result<Role> read_role(cbor::Reader& in) {
    const std::uint64_t number = TRY(in.number());
    if (number < 1 || number > static_cast<std::uint64_t>(Role::Program)) return corrupt();
    return static_cast<Role>(number);
}

std::uint64_t fields_of(std::uint64_t version) {
    if (version >= kVersionOfHolds) return kAccountFields;
    if (version == kVersionOfFreezes) return kAccountFields - 1;
    return kAccountFields - (version == kVersionOfPasskeys ? 3 : 4);
}

Result<Account> read_account(cbor::Reader& in, std::uint64_t version) {
    Account account;
    TRY_STATUS(expect(in.array(), fields_of(version)));
    account.login = ActorId(TRY(read_text(in)));
    account.name = TRY(read_text(in));
    account.role = TRY(read_role(in));
    account.profession = TRY(read_text(in));
    account.person = TRY(read_text(in));
    account.organisation = TRY(read_text(in));
    account.sponsor = ActorId(TRY(read_text(in)));
    account.since = TRY(to_time(TRY(in.number())));
    account.end = TRY(to_time(TRY(in.number())));
    account.disabled = TRY(in.boolean());
    account.password = TRY(read_text(in));
    account.otp_secret = to_bytes(TRY(in.bytes()));
    account.otp_last = TRY(in.number());
    account.recovery = TRY(read_texts(in, kTextsMax));
    account.scopes = TRY(read_texts(in, kTextsMax));
    account.redirects = TRY(read_texts(in, kTextsMax));
    account.jwks = TRY(read_text(in));
    account.identities = TRY(read_texts(in, kTextsMax));
    account.last_used = TRY(to_time(TRY(in.number())));
    account.epoch = TRY(in.number());
    if (version >= kVersionOfPasskeys) account.passkeys = TRY(read_passkeys(in));
    if (version < kVersionOfFreezes) return account;
    account.freeze = TRY(read_freeze(in));
    account.warned = TRY(to_time(TRY(in.number())));
    const std::uint64_t grants = version < kVersionOfHolds ? 0 : TRY(in.array());
    if (grants > kGrantsMax) return corrupt();
    for (std::uint64_t i = 0; i < grants; ++i) account.grants.push_back(TRY(read_grant(in)));
    return account;
}

Status write_trace(cbor::Writer& out, const event::Event& trace) {
    const event::Stamp stamp = event::stamp_of(trace);
    out.array(kTraceFields);
    out.number(static_cast<std::uint64_t>(stamp.type));
    out.number(to_number(stamp.time));
    out.number(stamp.counter);
    out.number(static_cast<std::uint64_t>(stamp.retention));
    out.bytes(TRY(event::encode_body(trace)));
    return {};
}

Result<event::Event> read_trace(cbor::Reader& in) {
    event::Stamp stamp{};
    TRY_STATUS(expect(in.array(), kTraceFields));
    stamp.type = static_cast<event::Type>(TRY(in.number()));
    stamp.time = TRY(to_time(TRY(in.number())));
    stamp.counter = TRY(in.number());
    stamp.retention = static_cast<event::Retention>(TRY(in.number()));
    if (event::name_of(stamp.type).empty() || event::name_of(stamp.retention).empty())
        return corrupt();
    return event::decode_body(stamp, TRY(in.bytes()));
}

}  // namespace

std::uint64_t to_number(WallTime time) {
    return static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kMicrosMax));
}

Result<WallTime> to_time(std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(kMicrosMax)) return corrupt();
    return WallTime(Micros(static_cast<std::int64_t>(number)));
}

void write_texts(cbor::Writer& out, const std::vector<std::string>& texts) {
    out.array(texts.size());
    for (const std::string& text : texts) out.text(text);
}

Result<std::vector<std::string>> read_texts(cbor::Reader& in, std::size_t count_max) {
    const std::uint64_t count = TRY(in.array());
    if (count > count_max) return corrupt();
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < count; ++i) texts.push_back(TRY(read_text(in)));
    return texts;
}

Result<Bytes> encode_book(const AccountBook& book) {
    Bytes bytes;
    cbor::Writer out(bytes);
    out.array(kBookFields);
    out.number(kBookVersion);
    out.array(book.accounts.size());
    for (const Account& account : book.accounts) write_account(out, account);
    out.array(book.untraced.size());
    for (const event::Event& trace : book.untraced) TRY_STATUS(write_trace(out, trace));
    out.array(book.holds.size());
    for (const UnitHold& hold : book.holds) write_hold(out, hold);
    return bytes;
}

Result<AccountBook> decode_book(ByteView bytes) {
    AccountBook book;
    if (bytes.empty()) return book;
    cbor::Reader in(bytes);
    const std::uint64_t fields = TRY(in.array());
    const std::uint64_t version = TRY(in.number());
    if (version < kVersionOldest || version > kBookVersion) return corrupt();
    if (fields != (version < kVersionOfHolds ? kBookFields - 1 : kBookFields)) return corrupt();
    const std::uint64_t accounts = TRY(in.array());
    if (accounts > kAccountsMax) return corrupt();
    for (std::uint64_t i = 0; i < accounts; ++i) {
        book.accounts.push_back(TRY(read_account(in, version)));
        if (i > 0 && book.accounts[i].login <= book.accounts[i - 1].login) return corrupt();
    }
    const std::uint64_t traces = TRY(in.array());
    if (traces > kTracesMax) return corrupt();
    for (std::uint64_t i = 0; i < traces; ++i) book.untraced.push_back(TRY(read_trace(in)));
    const std::uint64_t holds = version < kVersionOfHolds ? 0 : TRY(in.array());
    if (holds > kUnitHoldsMax) return corrupt();
    for (std::uint64_t i = 0; i < holds; ++i) book.holds.push_back(TRY(read_hold(in)));
    if (!in.done()) return corrupt();
    return book;
}

}  // namespace hygie::access
