#include "guards/mail/judge/memory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMemoryBytesMax = 64U << 20;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kIdBytesMax = 500;
constexpr std::size_t kAddressBytesMax = 320;
constexpr std::string_view kMagic = "HYGMEMO1";

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"la mémoire du courrier est abîmée ou scellée d'une autre clé",
                 "the memory of the mail is damaged or sealed with another key"},
                {"rétablissez le dossier memory depuis une copie, ou écartez-le : la garde "
                 "réapprendra",
                 "bring the folder memory back from a copy, or put it aside: the guard learns "
                 "again"});
}

std::string day_of(WallTime at) {
    return to_rfc3339(at).substr(0, 10);
}

/// One more day on which something was seen; true when it is new.
template <typename Record>
bool count_day(Record& record, const std::string& day) {
    if (record.last == day) return false;
    record.last = day;
    ++record.days;
    return true;
}

/// Drops the record that was seen longest ago.
template <typename Map>
void forget_oldest(Map& map) {
    const auto oldest = std::ranges::min_element(
        map, {}, [](const auto& entry) -> const std::string& { return entry.second.last; });
    if (oldest != map.end()) map.erase(oldest);
}

}  // namespace

bool Memory::note(const Opened& opened, const Envelope& envelope, Way way, WallTime at,
                  const History& known) {
    const std::string day = day_of(at);
    bool is_new = false;
    if (way == Way::Out) {
        for (const std::string& recipient : envelope.rcpt_to) {
            const std::string address = lower(recipient);
            if (address.size() > kAddressBytesMax || known.is_own_domain(domain_of(address)))
                continue;
            Seen& seen = people_[address];
            if (seen.first.empty()) seen.first = day;
            is_new |= !std::exchange(seen.written_to, true);
            is_new |= count_day(seen, day);
        }
        is_new |= note_id(opened.message.message_id);
    } else if (opened.noted.is_authentic) {
        is_new |= note_sender(opened.message, day, known);
        is_new |= note_ibans(opened, day, known);
        is_new |= note_id(opened.message.message_id);
    }
    if (is_new && since_.empty()) since_ = day;
    if (is_new) forget_surplus();
    return is_new;
}

bool Memory::note_sender(const Message& message, const std::string& day, const History& known) {
    const Address& author = message.author();
    if (author.address.empty() || author.address.size() > kAddressBytesMax ||
        known.is_own_domain(author.domain()))
        return false;
    Seen& seen = people_[author.address];
    if (seen.first.empty()) seen.first = day;
    if (!author.name.empty()) seen.name = std::string(cut(author.name, kNameBytesMax));
    return count_day(seen, day);
}

/// Only where the domain is somebody's: a free mailbox proves no supplier.
bool Memory::note_ibans(const Opened& opened, const std::string& day, const History& known) {
    const std::string domain = registrable_domain(opened.message.author().domain());
    if (domain.empty() || known.is_freemail(domain) || known.is_own_domain(domain)) return false;
    const Supplier* supplier = known.supplier_of_domain(domain);
    if (supplier && !supplier->ibans.empty()) return false;
    // Once an account of that domain is trusted, another one takes a person.
    const bool settled = std::ranges::any_of(accounts_, [&](const auto& entry) {
        return entry.second.domain == domain && entry.second.days >= kDaysToTrust;
    });
    if (settled) return false;
    bool is_new = false;
    for (const std::string& iban : opened.noted.ibans) {
        if (known.supplier_of_iban(iban)) continue;
        Account& account = accounts_[iban];
        if (account.domain.empty()) account.domain = domain;
        if (account.domain == domain) is_new |= count_day(account, day);
    }
    return is_new;
}

bool Memory::note_id(const std::string& id) {
    if (id.empty() || id.size() > kIdBytesMax || !has_id_.insert(id).second) return false;
    ids_.push_back(id);
    return true;
}

void Memory::forget_surplus() {
    while (people_.size() > kRememberedMax) forget_oldest(people_);
    while (accounts_.size() > kRememberedIbansMax) forget_oldest(accounts_);
    while (ids_.size() > kRememberedIdsMax) {
        has_id_.erase(ids_.front());
        ids_.pop_front();
    }
}

History Memory::history(const History& known, WallTime now) const {
    const bool is_ripe = !since_.empty() && since_ <= day_of(now - kMemoryRipe);
    if (known.empty() && !is_ripe) return {};
    History out = trusted(known);
    if (!is_ripe && known.message_ids.empty()) out.message_ids.clear();
    return out;
}

History Memory::trusted(const History& known) const {
    History out;
    for (const auto& [address, seen] : people_)
        if (seen.written_to || seen.days >= kDaysToTrust)
            out.known_correspondents.push_back({.address = address,
                                                .name = seen.name,
                                                .organisation = {},
                                                .first_seen = seen.first,
                                                .relation = seen.written_to ? "written to" : ""});
    std::map<std::string, Supplier> suppliers;
    for (const auto& [iban, account] : accounts_) {
        if (account.days < kDaysToTrust) continue;
        const Supplier* named = known.supplier_of_domain(account.domain);
        if (named && !named->ibans.empty()) continue;
        Supplier& supplier = suppliers[account.domain];
        supplier.name = named ? named->name : account.domain;
        supplier.domains = {account.domain};
        supplier.ibans.push_back(iban);
    }
    for (auto& [domain, supplier] : suppliers) out.suppliers.push_back(std::move(supplier));
    out.message_ids.insert(ids_.begin(), ids_.end());
    return out;
}

std::string Memory::write() const {
    Json people = Json::array();
    for (const auto& [address, seen] : people_)
        people.push_back(
            {address, seen.name, seen.first, seen.last, seen.days, seen.written_to ? 1 : 0});
    Json accounts = Json::array();
    for (const auto& [iban, account] : accounts_)
        accounts.push_back({iban, account.domain, account.last, account.days});
    const Json all = {{"since", since_}, {"people", people}, {"accounts", accounts}, {"ids", ids_}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Memory> Memory::read(std::string_view text) {
    const Json all = Json::parse(text, nullptr, false);
    if (!all.is_object()) return corrupt();
    try {
        Memory out;
        out.since_ = all.at("since").get<std::string>();
        for (const Json& one : all.at("people"))
            out.people_[one.at(0).get<std::string>()] = {.name = one.at(1).get<std::string>(),
                                                         .first = one.at(2).get<std::string>(),
                                                         .last = one.at(3).get<std::string>(),
                                                         .days = one.at(4).get<std::uint32_t>(),
                                                         .written_to = one.at(5).get<int>() != 0};
        for (const Json& one : all.at("accounts"))
            out.accounts_[one.at(0).get<std::string>()] = {.domain = one.at(1).get<std::string>(),
                                                           .last = one.at(2).get<std::string>(),
                                                           .days = one.at(3).get<std::uint32_t>()};
        for (const Json& one : all.at("ids")) out.note_id(one.get<std::string>());
        return out;
    } catch (const Json::exception&) {
        return corrupt();
    }
}

Result<Memory> open_memory(Disk& disk, const std::string& dir, const std::string& name,
                           const crypto::Secret32& key) {
    const std::string path = join(dir, name + ".hym");
    if (!disk.exists(path)) return Memory();
    const Bytes boxed = TRY(disk.read_file(path, kMemoryBytesMax));
    const auto text = crypto::unbox(key, as_bytes(std::string(kMagic) + " " + name), boxed);
    if (!text) return corrupt();
    return Memory::read(as_text(*text));
}

Status keep_memory(Disk& disk, Random& random, const std::string& dir, const std::string& name,
                   const crypto::Secret32& key, const Memory& memory) {
    TRY_STATUS(disk.make_dirs(dir));
    return disk.replace_file(join(dir, name + ".hym"),
                             crypto::box(key, as_bytes(std::string(kMagic) + " " + name),
                                         as_bytes(memory.write()), random));
}

}  // namespace hygie::mail
