#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/signals/signals.h"

namespace hygie::mail {

/// What warns and what holds, whatever the model thinks (rules.h, kFloors).
inline constexpr double kWarns = 0.6;
inline constexpr double kHolds = 1;

/// Signals being gathered: one per id, the strongest.
class SignalList {
  public:
    void add(std::string_view id, double strength, std::string_view evidence,
             std::string_view where, std::string_view detail = {});
    bool has(std::string_view id) const { return find(id) != nullptr; }
    /// Stays where it is while others are added.
    const Signal* find(std::string_view id) const;
    std::vector<Signal> finish();

  private:
    std::deque<Signal> signals_;
};

/// All that a signal may be drawn from.
struct Scene {
    const Message& message;
    const Evidence& evidence;
    const History& history;
};

void draw_sender(const Scene& scene, SignalList& out);
void draw_links(const Scene& scene, SignalList& out);
void draw_files(const Scene& scene, SignalList& out);
void draw_words(const Scene& scene, SignalList& out);
void draw_money(const Scene& scene, SignalList& out);
/// What a reply quotes, against who writes it.
void draw_thread(const Scene& scene, SignalList& out);
/// Facts and words together; reads what the others drew.
void draw_schemes(const Scene& scene, SignalList& out);
/// Ways around a filter that honest mail has no use for; reads what the others drew.
void draw_tricks(const Scene& scene, SignalList& out);
/// Names, places and addresses that are borrowed: what no model talks away.
void draw_floors(const Scene& scene, SignalList& out);
/// What a proven service carries for strangers; reads what the others drew.
void draw_carried(const Scene& scene, SignalList& out);
/// Data of patients and secrets that are asked for, by who asks; reads what the others drew.
void draw_asks(const Scene& scene, SignalList& out);

/// The link leads where this sender or this organisation has business: its own domain, a known
/// partner, or a domain of the brand that writes.
bool is_related(const Scene& scene, const Link& link);
/// A link that a reader would follow: http(s), shown, with a host.
bool is_followed(const Link& link);
/// A link up to its host: what all links to one place have in common.
std::string_view site_of(const Link& link);
/// The lower-case name of a file is that of a program, or of a disk image, which opens like one.
bool is_program_name(std::string_view name);
/// … and no installer, which makers of programs give to be downloaded.
bool is_wrapped_program(std::string_view name);
/// The lower-case name of the file that a link leads to.
std::string file_of(const Link& link);
/// A folded name says a desk of the house: its mail system, its IT, its staff office.
bool is_house_desk(std::string_view folded_name);
/// The name says nothing but "support", "help desk", "mail administrator": no house, no person.
bool is_desk_alone(std::string_view folded_name);
/// Links and addresses say where, not what: blanked, so that no host becomes a word.
std::string without_addresses(std::string_view text);
/// A telling word, of four letters or more, of one folded text stands somewhere in the other.
bool shares_word(std::string_view folded_words, std::string_view folded_text);
/// The bytes of a From field as it stands.
std::string author_text(const Message& message);

}  // namespace hygie::mail
