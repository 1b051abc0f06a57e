#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "guards/records/desk/desk.h"
#include "guards/records/request/bounds.h"

/// What one asker may see and do: the one place where the door asks `access`.
namespace hygie::records {

/// Answers are remembered as long as the call lives: a bundle of a thousand resources of one
/// patient asks a handful of questions.
class Sight {
  public:
    Sight(Desk& desk, const Call& call)
        : desk_(desk), call_(call), now_(desk.rooms.clock.now()), bounds_(call.actor, now_) {}
    Sight(const Sight&) = delete;

    /// `relations`: in order of person, as a Record has them.
    const access::Decision& decision(event::Action action, std::string_view type,
                                     std::string_view patient,
                                     std::span<const access::Relation> relations,
                                     std::uint8_t labels = 0);
    /// `id`: the resource it is about, when it is one: its labels count. What is assigned to no
    /// patient (vault/unassigned.h) is open to programs, and to who wrote it, by its id alone. What
    /// the searches in the asker's scopes do not match is closed.
    const access::Decision& decision(event::Action action, std::string_view type,
                                     const vault::Record& record, std::string_view id = {});
    bool may(event::Action action, std::string_view type, const vault::Record& record,
             std::string_view id = {}) {
        return decision(action, type, record, id).permitted;
    }
    /// On one resource, its labels included.
    bool may(event::Action action, const vault::Found& found);

    /// What the asker must do first where something was left out for that reason alone: a second
    /// factor, a motive. Handlers that leave out what is closed end with it.
    Answer<void> settle() const;

    /// A resource that is there (or was deleted) and on which the asker may act. Otherwise: the one
    /// refusal for absent and closed when it may not even be read, and 403 with the reasons when it
    /// may be read but not changed.
    Answer<vault::Found> open(event::Action action, std::string_view type, std::string_view id);

    /// The same to read its newest version and nothing else: without opening the record where its
    /// circle alone decides (vault::Vault::glimpse).
    Answer<vault::Found> open_to_read(std::string_view type, std::string_view id);

    /// Whether a version that was read may be shown: earlier ones may name other patients than the
    /// newest, which was judged when it was found.
    bool may_show(const vault::Found& found, const vault::Version& version);

    /// Whether what a resource says of another patient, too, is open; why, in reasons().
    bool may_also(event::Action action, std::string_view type, const vault::Record& record,
                  std::string_view id, const std::vector<std::string>& others);

    /// Leaves of a body what the asker may see of it: who works with somebody's stays and may read
    /// no condition of theirs sees no reason of a stay.
    void narrow(const vault::Found& found, std::string& body);
    bool is_narrowed(const vault::Found& found);

    /// Why the last decision was what it was; stays as long as the Sight.
    const std::vector<event::Reason>& reasons() const { return *reasons_; }

    const Bounds& bounds() const { return bounds_; }
    Desk& desk() { return desk_; }
    const Call& call() const { return call_; }

  private:
    Answer<vault::Found> judged(event::Action action, vault::Found found);

    inline static const std::vector<event::Reason> kNone;

    const access::Decision* closed_by_another(event::Action action, std::string_view type,
                                              const vault::Record& record, std::string_view id,
                                              const std::vector<std::string>& others);
    /// Nothing is decided on an index that does not read back: the request ends with an error.
    const access::Decision& unreadable();
    bool is_anothers(event::Action action, std::string_view type, std::string_view id) const;
    const access::Decision& within_circle(event::Action action, std::string_view type,
                                          const vault::Record& record, std::string_view id);
    bool may_open_unassigned(event::Action action, std::string_view type,
                             const vault::Record& record, std::string_view id) const;

    Desk& desk_;
    const Call& call_;
    WallTime now_;
    Bounds bounds_;
    std::map<std::tuple<event::Action, std::string, std::string, std::uint8_t>, access::Decision>
        decisions_;
    std::map<std::tuple<event::Action, std::string, std::string>, access::Decision> also_;
    std::map<std::string, bool, std::less<>> sees_reasons_;  ///< by patient
    const std::vector<event::Reason>* reasons_ = &kNone;     ///< of a decision that is kept
    std::optional<Refusal> owed_;
};

/// Whether somebody may write what is assigned to no patient, and so find it again.
bool may_write_unassigned(const access::Actor& actor);

/// One question of this call to `access`, under the rules and the pressure it came with; may() is
/// its answer without words.
access::Decision judge(const Desk& desk, const Call& call, access::Ask ask);
bool may(const Desk& desk, const Call& call, access::Ask ask);

/// Whether the person, by whatever program, may read the conditions of a record.
bool may_read_conditions(const Desk& desk, const Call& call, const vault::Record& record,
                         WallTime now);

/// The question about a patient whom a resource in another's record names too (vault/shared.h):
/// that resource itself says who takes part in it.
access::Decision judge_also(const Desk& desk, const Call& call, access::Ask ask,
                            const vault::Record& record, std::string_view id);

/// The refusal of who could see if only something were done first — a second factor, a motive — or
/// whose account is held; none for all others: to them what is closed is not there.
std::optional<Refusal> owed_by(const access::Decision& decision);
/// Whether there may be such a refusal in this call at all.
bool may_owe(const Call& call);

/// 403 with the reasons in words.
Refusal forbidden(std::vector<event::Reason> reasons);

/// Notes in an event why access was given.
void add_basis(event::Event& event, const std::vector<event::Reason>& reasons);
/// Notes in the events about those patients of whom a break-glass showed something that it did.
void add_glasses(Sight& sight, event::Action action, std::span<const vault::Found> shown,
                 std::span<event::Event> events);

}  // namespace hygie::records
