#include "guards/records/notices/notices.h"

#include <algorithm>

#include "guards/records/desk/staff_room.h"
#include "guards/records/sight/sight.h"
#include "guards/records/sight/versions.h"
#include "host/log.h"

namespace hygie::records {

namespace {

using fhir::Json;

constexpr std::size_t kTellers = 2;
constexpr std::size_t kChangesMax = 10'000;
constexpr std::size_t kCaughtUpMax = 2'000;
constexpr Micros kEndMax = std::chrono::days(1);
/// Writes that go on at once are not told in the order of their times.
constexpr Micros kOutOfOrder = std::chrono::seconds(10);

Happened happened_in(const vault::Version& version) {
    if (version.deleted) return Happened::Deleted;
    return version.version == 1 ? Happened::Created : Happened::Updated;
}

/// What is never told of: it is about the house's own workings.
bool is_own_working(std::string_view type) {
    return type == "Subscription" || type == "Basic" || is_from_ledger(type);
}

}  // namespace

std::shared_ptr<Call> call_of(Desk& desk, const Owner& owner) {
    if (!desk.options.actor_of) return nullptr;
    auto actor = desk.options.actor_of(owner.login, owner.scopes);
    if (!actor) return nullptr;
    auto call = std::make_shared<Call>();
    call->actor = *std::move(actor);
    call->policy = desk.policy();
    call->frozen = desk.is_frozen(call->actor);
    call->holds = desk.holds();
    call->actor.belongs = desk.staff->belongings(call->policy, call->actor.person);
    return call;
}

bool may_see(Desk& desk, Sight& sight, const NoticeEvent& event) {
    const auto found = desk.rooms.vault.find(event.type, event.id);
    return found && sight.may(event::Action::Read, *found);
}

Notices::Notices(Desk& desk) : desk_(desk), sockets_(desk.rooms.random) {
    if (desk_.options.notice_dir.empty()) return;
    load();
}

void Notices::start() {
    if (desk_.options.notice_dir.empty()) return;
    // Who subscribes from now on is told of what comes, and has nothing to catch up with.
    judge_ = std::jthread([this, found = live_ones()] { judge_all(found); });
    for (std::size_t i = 0; i < kTellers; ++i)
        tellers_.emplace_back([this](const std::stop_token& stop) { tell_all(stop); });
}

Notices::~Notices() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    due_.notify_all();
    // What is being sent is given up, and sent after the next start.
    for (std::jthread& teller : tellers_) teller.request_stop();
    if (judge_.joinable()) judge_.join();
    tellers_.clear();
    for (auto& [id, live] : lives_) save(*live);
}

/// The subscriptions that are stored.
void Notices::load() {
    if (const auto made = desk_.rooms.disk.make_dirs(desk_.options.notice_dir); !made)
        return log::warning("records.notices-not-kept", made.error());
    const auto house = desk_.rooms.vault.record("");
    if (!house) return;
    for (const vault::Entry& entry : (*house)->entries("Subscription")) {
        const auto version = desk_.rooms.vault.read({*house, entry});
        const auto first = desk_.rooms.vault.read({*house, entry}, 1);
        if (version) take(*version, first ? first->updated : version->updated, false);
    }
}

void Notices::take(const vault::Version& version, WallTime since, bool is_new) {
    if (version.deleted) return forget(version.id);
    const auto document = fhir::parse(version.body);
    if (!document) return;
    const Json body = document->root;
    auto live = std::make_shared<Live>();
    live->since = since;
    live->known.id = version.id;
    live->known.owner = owner_of(body);
    live->known.status = body["status"].text();
    live->known.error = body["error"].text();
    if (auto terms = read_terms(desk_, body)) live->known.terms = *std::move(terms);
    if (auto file = NoticeFile::open(desk_, version.id)) live->file = *std::move(file);
    if (live->file) {
        if (auto log = live->file->read()) live->known.log = *std::move(log);
    }
    if (is_new) {
        live->known.log.seen = std::max(live->known.log.seen, version.updated);
        // What waited was meant for who wrote it before.
        live->known.log.told = live->known.log.count;
    }
    live->due = desk_.rooms.clock.steady();
    live->heartbeat = kNever;
    desk_.subscription_owners.set(version.id, live->known.owner.login);
    {
        const std::lock_guard lock(mutex_);
        if (const auto lines = adopted_.extract(version.id); !lines.empty())
            live->known.log.headers = lines.mapped();
        if (lives_.size() < kSubscriptionsMax || lives_.contains(version.id))
            lives_.insert_or_assign(version.id, live);
    }
    if (is_new) {
        sockets_.release(version.id);
        save(*live);
    }
    due_.notify_all();
}

void Notices::forget(const std::string& id) {
    LivePtr gone;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = lives_.find(id); found != lives_.end()) {
            gone = found->second;
            lives_.erase(found);
        }
    }
    sockets_.release(id);
    if (!gone) return;
    if (gone->file && !gone->file->write([] { return NoticeLog(); }))
        log::warning("records.notices-not-kept");
}

bool Notices::is_current(const Live& live) const {
    const auto known = lives_.find(live.known.id);
    return known != lives_.end() && known->second.get() == &live;
}

void Notices::written(const std::vector<vault::Version>& versions) {
    for (const vault::Version& version : versions)
        if (version.type == "Subscription") take(version, version.updated, true);
    {
        const std::lock_guard lock(mutex_);
        const bool somebody =
            std::ranges::any_of(lives_, [](const auto& entry) { return entry.second->is_live(); });
        if (!somebody) return;
        for (const vault::Version& version : versions) {
            // What is beyond the bound is found again by catching up.
            if (!is_own_working(version.type) && changes_.size() < kChangesMax)
                changes_.push_back({happened_in(version), version});
        }
    }
    changed_.notify_one();
}

void Notices::adopt(const std::string& id, std::vector<std::string> headers) {
    const std::lock_guard lock(mutex_);
    const auto known = lives_.find(id);
    for (std::string& line : headers) {
        const std::string name = line.substr(0, line.find(':') + 1);
        if (line.size() < kHidden.size() || !line.ends_with(kHidden) || known == lives_.end())
            continue;
        for (const std::string& before : known->second->known.log.headers)
            if (before.starts_with(name)) line = before;
    }
    adopted_[id] = std::move(headers);
}

std::optional<Subscribed> Notices::find(std::string_view id) {
    const std::lock_guard lock(mutex_);
    const auto found = lives_.find(id);
    if (found == lives_.end()) return std::nullopt;
    return found->second->known;
}

std::vector<std::string> Notices::owned_by(const ActorId& login) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    for (const auto& [id, live] : lives_)
        if (live->known.owner.login == login) ids.push_back(id);
    return ids;
}

/// As it is once nobody else writes the file: an earlier state must not come after a later one, nor
/// that of a subscription that was written anew or forgotten meanwhile.
void Notices::save(Live& live) {
    if (!live.file) return;
    const auto state = [&]() -> std::optional<NoticeLog> {
        const std::lock_guard lock(mutex_);
        return is_current(live) ? std::optional(live.known.log) : std::nullopt;
    };
    if (const Status kept = live.file->write(state); !kept)
        log::warning("records.notices-not-kept", kept.error());
}

std::vector<Notices::LivePtr> Notices::live_ones() {
    const std::lock_guard lock(mutex_);
    std::vector<LivePtr> found;
    for (const auto& [id, live] : lives_)
        if (live->is_live()) found.push_back(live);
    return found;
}

/// What was written while nobody was here to judge it: before a restart, or too fast.
void Notices::catch_up(const std::vector<LivePtr>& lives) {
    for (const LivePtr& live : lives) {
        Subscribed known;
        {
            const std::lock_guard lock(mutex_);
            known = live->known;
        }
        const auto call = call_of(desk_, known.owner);
        if (!call) continue;
        Sight sight(desk_, *call);
        auto versions = versions_since(sight, known.log.seen - kOutOfOrder, kCaughtUpMax);
        if (!versions) continue;
        for (vault::Version& version : *versions) {
            if (is_own_working(version.type) || version.updated < live->since) continue;
            judge({happened_in(version), std::move(version)}, live);
        }
    }
}

void Notices::judge_all(const std::vector<LivePtr>& found_at_start) {
    catch_up(found_at_start);
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (changes_.empty()) {
            changed_.wait(lock);
            continue;
        }
        const bool overflowed = changes_.size() >= kChangesMax;
        const Change change = std::move(changes_.front());
        changes_.pop_front();
        lock.unlock();
        judge(change);
        if (overflowed) catch_up(live_ones());
        lock.lock();
    }
}

void Notices::judge(const Change& change, const LivePtr& only) {
    std::vector<LivePtr> lives;
    bool before = false;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, live] : lives_) {
            if (!live->is_live() || (only && only != live) ||
                !may_trigger(*live->known.terms->topic, change.happened, change.version.type))
                continue;
            lives.push_back(live);
            before = before || needs_before(*live->known.terms->topic, change.version.type);
        }
    }
    if (lives.empty()) return;
    fhir::Arena arena;
    Versions versions{.updated = change.version.updated};
    if (!change.version.deleted)
        if (const auto body = arena.parse(change.version.body)) versions.after = *body;
    const bool deleted = change.happened == Happened::Deleted;
    if ((before || deleted) && change.version.version > 1) {
        const auto found = desk_.rooms.vault.find(change.version.type, change.version.id);
        const auto old = found ? desk_.rooms.vault.read(*found, change.version.version - 1)
                               : Result<vault::Version>(fail(Code::NotFound, {}, {}));
        if (old && !old->deleted)
            if (const auto body = arena.parse(old->body)) versions.before = *body;
    }
    for (const LivePtr& live : lives) consider(*live, change, versions);
}

/// An event for this subscription, if its owner may see what happened.
void Notices::consider(Live& live, const Change& change, const Versions& versions) {
    const vault::Version& version = change.version;
    NoticeEvent event{.when = version.updated,
                      .happened = change.happened,
                      .type = version.type,
                      .id = version.id,
                      .version = version.version};
    Subscribed known;
    {
        const std::lock_guard lock(mutex_);
        known = live.known;
    }
    bool is_full = false;
    bool tells = known.terms && !known.log.has(event) &&
                 is_triggered(*known.terms->topic, change.happened, version.type, versions) &&
                 passes_filters(*known.terms, version.type, versions);
    if (tells) {
        const auto call = call_of(desk_, known.owner);
        if (!call) return;
        Sight sight(desk_, *call);
        tells = may_see(desk_, sight, event);
    }
    {
        const std::lock_guard lock(mutex_);
        live.known.log.seen = std::max(live.known.log.seen, version.updated);
        if (!tells) return;
        is_full = !live.known.log.add(std::move(event));
        const bool waits =
            known.terms->channel == Terms::Channel::WebSocket && !sockets_.is_bound(live.known.id);
        // Who is not connected asks for it later ($events).
        if (waits) live.known.log.told = live.known.log.count;
    }
    if (is_full)
        set_status(live, "error",
                   {"trop de notifications attendent", "too many notifications wait"});
    save(live);
    due_.notify_one();
}

bool Notices::has_work(const Live& live, SteadyTime now) const {
    if (live.must_greet()) return true;
    if (!live.is_live()) return false;
    return live.known.log.told < live.known.log.count || live.heartbeat <= now ||
           live.known.terms->end <= desk_.rooms.clock.now();
}

/// Something to tell now, marked as being told; otherwise none, and when to look again.
Notices::LivePtr Notices::next_due(SteadyTime now, SteadyTime& until) {
    until = kNever;
    for (const auto& [id, live] : lives_) {
        if (live->busy) continue;
        if (live->is_live() && live->known.terms->heartbeat.count() > 0 &&
            live->heartbeat == kNever)
            live->heartbeat = now + live->known.terms->heartbeat;
        if (live->due <= now && has_work(*live, now)) {
            live->busy = true;
            return live;
        }
        if (!live->is_live() && !live->must_greet()) continue;
        const Micros left = live->known.terms->end - desk_.rooms.clock.now();
        if (left < kEndMax) until = std::min(until, now + std::max(left, Micros(0)));
        until = std::min(until, live->due > now ? live->due : live->heartbeat);
    }
    return nullptr;
}

void Notices::tell_all(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        SteadyTime until;
        const SteadyTime now = desk_.rooms.clock.steady();
        const LivePtr live = next_due(now, until);
        if (!live) {
            if (until == kNever) {
                due_.wait(lock);
            } else {
                due_.wait_for(lock, until - now);
            }
            continue;
        }
        lock.unlock();
        tell(*live, stop);
        lock.lock();
        live->busy = false;
    }
}

}  // namespace hygie::records
